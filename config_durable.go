package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"aviary/upstream/bus"
)

// What a node of a cluster does: the words of ROLE.
const (
	roleAll    = "all"
	roleIngest = "ingest"
	roleEdge   = "edge"
)

// durable reports whether there is a bus: the history then outlives the process.
func (s *settings) durable() bool { return s.DataDir != "" || s.clustered() }

// clustered reports whether other nodes may be on the same bus.
func (s *settings) clustered() bool { return len(s.NATSURL) > 0 }

// historyKind says where the history is kept: memory, or the kind of the bus.
func (s *settings) historyKind() string {
	if !s.durable() {
		return "memory"
	}
	return s.busKind()
}

// digest stands for what the upstream is asked with: after a change of it, a halt is
// worth another try. It tells nothing of the secrets in it.
func (s *settings) digest() string {
	h := sha256.New()
	for _, f := range fields() {
		if f.secret && f.group != "Serving" || strings.HasPrefix(f.name, "TWITTER_") || strings.HasPrefix(f.name, "X_") || f.group == "Source" || f.group == "File" {
			value := f.value(s)
			fmt.Fprintf(h, "%s=%d:%s\n", f.name, value.Kind(), asText(value))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// asText is a setting's value, secrets included.
func asText(v reflect.Value) string {
	if v.Kind() == reflect.String {
		return v.String()
	}
	return fmt.Sprint(v.Interface())
}

// elsewhere is what a node that serves no clients says to them; "" of one that does.
func (s *settings) elsewhere() string {
	if s.Role != roleIngest {
		return ""
	}
	return "this node only holds the upstream (ROLE=ingest) and serves no clients; ask a node with ROLE=edge or ROLE=all"
}

// checkDurable judges where the history is kept, and what only a cluster has.
func (s *settings) checkDurable(found *problems) {
	about := found.about("NATS_URL") // wrong is not the same as missing
	if s.DataDir != "" {
		if s.clustered() || about {
			found.add("DATA_DIR", "is set, and %sNATS_URL too; DATA_DIR keeps the history on this machine alone, NATS_URL on servers that nodes share: keep one of them", prefix)
		} else if err := bus.CheckDir(s.DataDir); err != nil {
			found.add("DATA_DIR", "%v", err)
		}
	}
	if !found.about("NATS_REPLICAS") && !slices.Contains([]int{1, 3, 5}, s.NATSReplicas) {
		found.add("NATS_REPLICAS", "is %d; write 1, 3 or 5: an even number survives no more than the odd one below it", s.NATSReplicas)
	}
	if s.NATSCredsFile != "" {
		if err := checkCreds(s.NATSCredsFile); err != nil {
			found.add("NATS_CREDS_FILE", "%v", err)
		}
	}
	if s.clustered() || about {
		return
	}
	needs := func(name string, set bool) {
		if set && !found.about(name) {
			found.add(name, "means nothing without %sNATS_URL; set that too, or take this away", prefix)
		}
	}
	needs("NATS_CREDS_FILE", s.NATSCredsFile != "")
	needs("NATS_REPLICAS", s.NATSReplicas != 1)
	if s.Role != roleAll && !found.about("ROLE") {
		found.add("ROLE", "is %s, and %sNATS_URL is missing: only nodes that share a history can divide the work; set NATS_URL, or ROLE=all", s.Role, prefix)
	}
}

// checkCreds accepts a file with a JWT and the key that belongs to it.
func checkCreds(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the file cannot be read (%w); mount it, or let this user read it", err)
	}
	for _, part := range []string{"BEGIN NATS USER JWT", "BEGIN USER NKEY SEED"} {
		if !strings.Contains(string(text), part) {
			return fmt.Errorf("%s has no part %q; write it with `nsc generate creds`", path, part)
		}
	}
	return nil
}
