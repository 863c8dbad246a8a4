package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"aviary/upstream"
)

// Error codes of the server that the client library has no names for.
const (
	codeNoPeers          = 10005
	codeSequenceNotFound = 10043
	codeDeleteFailed     = 10057
	codeInsufficient     = 10023
	codeStorageResource  = 10047
	codeAccountResource  = 10002
	codeMaxStreams       = 10027
	codeStreamConfig     = 10052
	codeOverlap          = 10065
	codeNotClustered     = 10074
)

// explain gives an error of the bus the words that an operator can act on. It is
// an *upstream.Error of class Network, after which nothing can be missing: the
// reader goes on where it was.
func (b *Bus) explain(doing string, err error) *upstream.Error {
	var known *upstream.Error
	if errors.As(err, &known) {
		return known
	}
	if b.embedded != nil {
		if failure := b.embedded.failed(); failure != "" {
			err = errors.New(failure) // what lies behind an answer that does not come
		}
	}
	denied := b.lately()
	hint := b.hint(err, denied)
	if denied != nil && isTimeout(err) {
		err = denied
	}
	return trouble(fmt.Errorf("%s: %w", doing, plain(err)), hint)
}

// lately is what the server lately would not let this node do; nil: nothing.
func (b *Bus) lately() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.deniedAt) > 30*time.Second {
		return nil
	}
	return b.denied
}

// Denied is what the server lately would not let this node do, nil if nothing, and what to do
// about it. A request that is not allowed gets no answer, so whoever waits in vain for one of
// Leases or States asks here why.
func (b *Bus) Denied() (hint string, err error) {
	if err = b.lately(); err != nil {
		hint = b.hint(context.DeadlineExceeded, err)
	}
	return hint, err
}

// plain drops what may repeat a URL, and addresses: they are the network's own affair, and
// with another port each time an error would be another one each time.
func plain(err error) error {
	var wire *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer from NATS")
	case errors.As(err, &wire):
		return fmt.Errorf("%s: %w", wire.Op, wire.Err)
	}
	return err
}

func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)
}

func (b *Bus) hint(err, denied error) string {
	embedded := b.embedded != nil
	var api *jetstream.APIError
	errors.As(err, &api)
	var wire net.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case denied != nil && isTimeout(err):
		return "the NATS user lacks a permission: it needs to publish and subscribe to " + b.config.Name + ".>, $JS.API.>, $JS.FC.>, $KV.>, and _INBOX.>"
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return "NATS refuses the credentials: check NATS_CREDS_FILE, or the user in NATS_URL"
	case b.config.CredsFile != "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "signing nonce")):
		return "NATS_CREDS_FILE cannot be used: write it anew with `nsc generate creds`, readable for aviary's user; it is read at each connect"
	case errors.As(err, &untrusted):
		return "the NATS server's certificate is not one that this machine trusts, or it is for another name than that in NATS_URL, or out of date. A CA of your own can be named in SSL_CERT_FILE"
	case errors.Is(err, nats.ErrSecureConnWanted):
		return "the NATS server has no TLS: turn it on there, or write nats:// in NATS_URL"
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders) && !embedded:
		return "JetStream is not there: start nats-server with -js, and enable it for the account"
	case api != nil && (api.ErrorCode == codeNotClustered || api.ErrorCode == codeNoPeers):
		return fmt.Sprintf("NATS_REPLICAS is %d: there are not that many JetStream servers in the cluster, or not all of them are up", b.config.Replicas)
	case api != nil && api.ErrorCode == codeOverlap:
		return "another stream takes subjects that begin with " + b.config.Name + ".: remove it, or give the gateways an account of their own"
	case api != nil && api.ErrorCode == codeStreamConfig:
		return "somebody else made a stream of aviary's in a way that cannot be changed: delete it, with `nats stream rm`, and it is made again; or give the gateways an account of their own"
	case api != nil && api.ErrorCode == codeMaxStreams:
		return "the gateways need four streams: raise the account's limit"
	case api != nil && (api.ErrorCode == codeStorageResource || api.ErrorCode == codeInsufficient || api.ErrorCode == codeAccountResource), isFull(err):
		return "the store is full: free disk space, raise JetStream's limits, or lower HISTORY_EVENTS"
	case embedded:
		return "the embedded store does not answer: look at the disk under DATA_DIR; it is tried again by itself"
	case errors.Is(err, nats.ErrNoServers), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrDisconnected), errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrStaleConnection), errors.Is(err, io.EOF), errors.As(err, &wire), isTimeout(err):
		return "NATS cannot be reached: check NATS_URL, the network and the servers; it is tried again by itself"
	}
	return "it is tried again by itself; if it stays, look at the NATS server's log"
}

// isFull recognises a disk that takes no more, in whatever words it reaches us.
func isFull(err error) bool {
	text := err.Error()
	for _, words := range []string{"no space left", "disk quota exceeded", "file too large", "insufficient"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}
