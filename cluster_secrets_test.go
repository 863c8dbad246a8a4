package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	natsd "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// authority is a CA that nobody knows, and a certificate of it for 127.0.0.1.
func authority(t *testing.T) (file string, server tls.Certificate) {
	t.Helper()
	sign := func(template, parent *x509.Certificate, by *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if by == nil {
			by = key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		return der, key
	}
	from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a CA of a test"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	root, key := sign(ca, ca, nil)
	leaf, own := sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "nats"}, NotBefore: from, NotAfter: to, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, ca, key)
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, tls.Certificate{Certificate: [][]byte{leaf}, PrivateKey: own}
}

// operator hands out accounts and users as nsc does.
type operator struct {
	t        *testing.T
	key      nkeys.KeyPair
	accounts *natsd.MemAccResolver
	secrets  []string // seeds and tokens: they must show nowhere
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	key, err := nkeys.CreateOperator()
	if err != nil {
		t.Fatal(err)
	}
	return &operator{t: t, key: key, accounts: &natsd.MemAccResolver{}}
}

func (o *operator) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// account makes an account.
func (o *operator) account(known bool, limits jwt.JetStreamLimits) (key nkeys.KeyPair, name string) {
	o.t.Helper()
	key, err := nkeys.CreateAccount()
	o.must(err)
	name, err = key.PublicKey()
	o.must(err)
	claims := jwt.NewAccountClaims(name)
	claims.Limits.JetStreamLimits = limits
	token, err := claims.Encode(o.key)
	o.must(err)
	if known {
		o.must(o.accounts.Store(name, token))
	}
	return key, name
}

// creds makes a user in an account of its own, and returns the file that lets it in;
// a server does not know the account unless it is told of it.
func (o *operator) creds(known bool, expires time.Duration) (file string) {
	o.t.Helper()
	must := o.must
	account, _ := o.account(known, jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit})
	user, err := nkeys.CreateUser()
	must(err)
	who, err := user.PublicKey()
	must(err)
	pass := jwt.NewUserClaims(who)
	pass.Expires = time.Now().Add(expires).Unix()
	token, err := pass.Encode(account)
	must(err)
	seed, err := user.Seed()
	must(err)
	text, err := jwt.FormatUserConfig(token, seed)
	must(err)
	file = filepath.Join(o.t.TempDir(), "aviary.creds")
	must(os.WriteFile(file, text, 0o600))
	o.secrets = append(o.secrets, token, string(seed))
	return file
}

// serve starts a server that believes the operator, over TLS.
func (o *operator) serve(certificate tls.Certificate) (address string) {
	o.t.Helper()
	name, err := o.key.PublicKey()
	o.must(err)
	_, system := o.account(true, jwt.JetStreamLimits{})
	s, err := natsd.NewServer(&natsd.Options{
		Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: o.t.TempDir(), NoLog: true, NoSigs: true,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, TLSTimeout: 5,
		TrustedKeys: []string{name}, AccountResolver: o.accounts, SystemAccount: system,
	})
	o.must(err)
	s.Start()
	o.t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(patient) {
		o.t.Fatal("nats-server does not start")
	}
	return s.Addr().String()
}

// TLS under a CA of one's own and credentials files: who has both streams, and who has
// not is told what is wrong. What is in the files is told to nobody.
func TestSecretsOfNATS(t *testing.T) {
	ca, certificate := authority(t)
	o := newOperator(t)
	right, strange, late := o.creds(true, time.Hour), o.creds(false, time.Hour), o.creds(true, -time.Minute)
	torn := filepath.Join(t.TempDir(), "torn.creds")
	odd := filepath.Join(t.TempDir(), "odd.creds")
	const first = "-----BEGIN NATS USER JWT-----\nh1dden\n------END NATS USER JWT------\n\n"
	o.must(os.WriteFile(torn, []byte(first), 0o600))
	o.must(os.WriteFile(odd, []byte(first+"-----BEGIN USER NKEY SEED-----\nh1dden\n------END USER NKEY SEED------\n"), 0o600))
	o.secrets = append(o.secrets, "h1dden")
	address := o.serve(certificate)
	f := newFleet(t, 2, "AVIARY_NATS_URL=tls://"+address, "AVIARY_LOG_LEVEL=debug")
	trusting := "SSL_CERT_FILE=" + ca
	var denied []*member
	for _, c := range []struct {
		name    string
		environ []string
		words   string // of the error or the hint
	}{
		{"a CA that nobody knows", []string{"AVIARY_NATS_CREDS_FILE=" + right}, "SSL_CERT_FILE"},
		{"no credentials", []string{trusting}, "NATS refuses the credentials"},
		{"an account that the server does not know", []string{trusting, "AVIARY_NATS_CREDS_FILE=" + strange}, "NATS refuses the credentials"},
		{"credentials that are out of date", []string{trusting, "AVIARY_NATS_CREDS_FILE=" + late}, "NATS refuses the credentials"},
		{"a file that holds nonsense", []string{trusting, "AVIARY_NATS_CREDS_FILE=" + odd}, "NATS_CREDS_FILE"},
	} {
		m := f.add(c.environ...)
		denied = append(denied, m)
		agreed(t, c.name+": /status and the log with "+strconv.Quote(c.words), func() bool {
			s, _ := m.status()
			b := s.Cluster.Bus
			return b != nil && b.State == "opening" && strings.Contains(b.Error+b.Hint, c.words) && strings.Contains(m.log.String(), c.words)
		})
	}
	ended := runToEnd(t, append(f.environ, trusting, "AVIARY_NATS_CREDS_FILE="+torn)...)
	if ended.code != exitSettings || !strings.Contains(ended.log, "SEED") || strings.Contains(ended.log, "h1dden") {
		t.Errorf("half a file ends it with %d: %s", ended.code, ended.log)
	}
	f.nodes = nil
	m := f.add(trusting, "AVIARY_NATS_CREDS_FILE="+right)
	f.streaming()
	client := m.listen("")
	client.has(f.fake.Post(goDraft).ID)
	for _, m := range append(denied, m) {
		said := m.log.String()
		for _, url := range []string{m.url + "/status", m.url + "/readyz", m.admin + "/metrics"} {
			_, body := fetch(t, http.DefaultClient, url)
			said += body
		}
		for _, secret := range o.secrets {
			if strings.Contains(said, secret) {
				t.Error("a secret is shown")
			}
		}
	}
}
