package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// twitterSecrets are four credentials that look right.
var twitterSecrets = []string{
	"AVIARY_TWITTER_CONSUMER_KEY=ck", "AVIARY_TWITTER_CONSUMER_SECRET=cs",
	"AVIARY_TWITTER_ACCESS_TOKEN=at", "AVIARY_TWITTER_ACCESS_SECRET=as",
}

func twitterWith(more ...string) []string {
	return append(append([]string{"AVIARY_SOURCE=twitter"}, twitterSecrets...), more...)
}

// scratch writes a file of the test's own and returns its path.
func scratch(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	s, found := load(nil)
	if len(found) > 0 {
		t.Fatalf("an empty environment has problems: %v", found)
	}
	if s.Listen != ":8080" || s.AdminListen != "127.0.0.1:8081" || s.Source != "sim" || s.Heartbeat != 15*time.Second ||
		s.HistoryBytes != 256<<20 || s.MaxFilterBytes != 131072 || s.StreamLimit != 2 || s.BackoffHTTPMax != 320*time.Second ||
		!slices.Equal(s.CORSOrigins, origins{"*"}) || s.MaxAge != 0 || s.StallTimeout != 90*time.Second {
		t.Errorf("defaults are not those of the table: %+v", s)
	}
}

func TestEmptyMeansDefault(t *testing.T) {
	var environ []string
	for _, f := range fields() {
		environ = append(environ, prefix+f.name+"=")
	}
	environ = append(environ, "AVIARY_ADMIN_TOKEN_FILE=")
	s, found := load(environ)
	want, _ := load(nil)
	if len(found) > 0 {
		t.Fatalf("set but empty has problems: %v", found)
	}
	for _, f := range fields() {
		if got, want := f.value(s).Interface(), f.value(want).Interface(); !equal(got, want) {
			t.Errorf("%s set but empty is %v, not the default %v", f.name, got, want)
		}
	}
}

func equal(a, b any) bool {
	if a, isList := a.(origins); isList {
		return slices.Equal(a, b.(origins))
	}
	if a, isList := a.(proxies); isList {
		return slices.Equal(a, b.(proxies))
	}
	if a, isList := a.(natsServers); isList {
		return slices.Equal(a, b.(natsServers))
	}
	return a == b
}

func TestRightSettings(t *testing.T) {
	for name, test := range map[string]struct {
		environ []string
		right   func(*settings) bool
	}{
		"kubernetes' own variables are not settings": {
			[]string{"AVIARY_SERVICE_HOST=10.0.0.1", "AVIARY_SERVICE_PORT=80", "AVIARY_SERVICE_PORT_HTTP=80", "AVIARY_PORT=tcp://10.0.0.1:80", "AVIARY_PORT_80_TCP=x", "AVIARY_PORT_80_TCP_ADDR=x"},
			func(*settings) bool { return true }},
		"other programs' variables are not ours": {
			[]string{"AVIARYX_FOO=1", "aviary_listen=1", "PATH=/bin"},
			func(s *settings) bool { return s.Listen == ":8080" }},
		"lists are trimmed": {
			[]string{"AVIARY_TRUSTED_PROXIES= 10.0.0.0/8 , fd00::/8,", "AVIARY_CORS_ORIGINS= https://a.example , http://B.example:8000 ,"},
			func(s *settings) bool {
				return slices.Equal(s.TrustedProxies, proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}) &&
					slices.Equal(s.CORSOrigins, origins{"https://a.example", "http://b.example:8000"})
			}},
		"networks are masked": {
			[]string{"AVIARY_TRUSTED_PROXIES=10.1.2.3/8"},
			func(s *settings) bool { return s.TrustedProxies[0].String() == "10.0.0.0/8" }},
		"origins lose the default port, as browsers send them": {
			[]string{"AVIARY_CORS_ORIGINS=https://a.example:443,http://a.example:80,https://a.example:80"},
			func(s *settings) bool {
				return slices.Equal(s.CORSOrigins, origins{"https://a.example", "http://a.example", "https://a.example:80"})
			}},
		"sizes": {
			[]string{"AVIARY_HISTORY_BYTES=1 GiB", "AVIARY_MAX_FILTER_BYTES=64kb"},
			func(s *settings) bool { return s.HistoryBytes == 1<<30 && s.MaxFilterBytes == 64000 }},
		"the admin listener can be off": {
			[]string{"AVIARY_ADMIN_LISTEN=off"},
			func(s *settings) bool { return s.AdminListen == off }},
		"an admin token opens the admin listener to others": {
			[]string{"AVIARY_ADMIN_LISTEN=:8081", "AVIARY_ADMIN_TOKEN=s3cret"},
			func(s *settings) bool { return s.AdminToken == "s3cret" }},
		"loopback has several names": {
			[]string{"AVIARY_ADMIN_LISTEN=[::1]:8081"},
			func(*settings) bool { return true }},
		"a secret file loses its line end": {
			[]string{"AVIARY_ADMIN_TOKEN_FILE=" + scratch(t, "token", "s3cret\r\n")},
			func(s *settings) bool { return s.AdminToken == "s3cret" }},
		"a secret file needs no line end": {
			[]string{"AVIARY_ADMIN_TOKEN_FILE=" + scratch(t, "token", "s3cret")},
			func(s *settings) bool { return s.AdminToken == "s3cret" }},
		"twitter with the least it needs": {
			twitterWith("AVIARY_FOLLOW=12,34"),
			func(s *settings) bool { return s.Follow == "12,34" && s.TwitterAccessSecret == "as" }},
		"key and secret alone: search, and a stream that says what it lacks": {
			[]string{"AVIARY_SOURCE=twitter", "AVIARY_TRACK=go", twitterSecrets[0], twitterSecrets[1]},
			func(s *settings) bool { return s.TwitterAccessToken == "" && s.TwitterConsumerKey != "" }},
		"a cluster": {
			[]string{"AVIARY_NATS_URL= nats://u:p@a:4222 , b", "AVIARY_NATS_REPLICAS=3", "AVIARY_NATS_CREDS_FILE=" + scratch(t, "creds", natsCreds)},
			func(s *settings) bool {
				return slices.Equal(s.NATSURL, natsServers{"nats://u:p@a:4222", "nats://b"}) && s.NATSReplicas == 3 && s.Role == roleAll
			}},
		"an edge needs nothing of its source": {
			[]string{"AVIARY_NATS_URL=a", "AVIARY_ROLE=edge", "AVIARY_SOURCE=twitter"},
			func(s *settings) bool { return s.Role == roleEdge }},
		"a data folder that is still to be made": {
			[]string{"AVIARY_DATA_DIR=" + filepath.Join(t.TempDir(), "data")},
			func(s *settings) bool { return s.durable() && !s.clustered() }},
		"a capture": {
			[]string{"AVIARY_SOURCE=file", "AVIARY_FILE=" + scratch(t, "c.json", "{}\n"), "AVIARY_FILE_RATE=12.5", "AVIARY_FILE_LOOP=true"},
			func(s *settings) bool { return s.FileRate == "12.5" && s.FileLoop }},
	} {
		t.Run(name, func(t *testing.T) {
			s, found := load(test.environ)
			if len(found) > 0 {
				t.Fatalf("refused: %v", found)
			}
			if !test.right(s) {
				t.Errorf("read wrongly: %+v", s)
			}
		})
	}
}

// TestWrongSettings holds every error: which variable it names, and words that
// must be in it.
func TestWrongSettings(t *testing.T) {
	cert, key := selfSigned(t)
	_, otherKey := selfSigned(t)
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	for _, test := range []struct {
		name     string
		environ  []string
		variable string
		words    []string
	}{
		{"typing error", []string{"AVIARY_LISTN=:1"}, "AVIARY_LISTN", []string{"did you mean AVIARY_LISTEN?"}},
		{"lower case", []string{"AVIARY_listen=:1"}, "AVIARY_listen", []string{"did you mean AVIARY_LISTEN?"}},
		{"near a secret's file", []string{"AVIARY_ADMIN_TOKEN_FIEL=/x"}, "AVIARY_ADMIN_TOKEN_FIEL", []string{"did you mean AVIARY_ADMIN_TOKEN_FILE?"}},
		{"unknown and empty", []string{"AVIARY_QQQQQQ="}, "AVIARY_QQQQQQ", []string{"not a setting", "aviary env"}},
		{"the prefix alone", []string{"AVIARY_=1"}, "AVIARY_", []string{"not a setting"}},
		{"a feature not built", []string{"AVIARY_MASTODON_URL=https://x.example"}, "AVIARY_MASTODON_URL", []string{"not a setting"}},
		{"two homes for the history", []string{"AVIARY_DATA_DIR=" + dir, "AVIARY_NATS_URL=nats://x"}, "AVIARY_DATA_DIR", []string{"AVIARY_NATS_URL too", "keep one"}},
		{"a data folder that is a file", []string{"AVIARY_DATA_DIR=" + cert}, "AVIARY_DATA_DIR", []string{"is a file"}},
		{"a data folder in nowhere", []string{"AVIARY_DATA_DIR=" + filepath.Join(missing, "data")}, "AVIARY_DATA_DIR", []string{"folder above", "mount"}},
		{"another scheme", []string{"AVIARY_NATS_URL=nats://a,http://b"}, "AVIARY_NATS_URL", []string{"entry 2", "nats://host:4222"}},
		{"no host", []string{"AVIARY_NATS_URL=nats://:4222"}, "AVIARY_NATS_URL", []string{"entry 1"}},
		{"credentials not there", []string{"AVIARY_NATS_URL=a", "AVIARY_NATS_CREDS_FILE=" + missing}, "AVIARY_NATS_CREDS_FILE", []string{"no such file"}},
		{"credentials of another kind", []string{"AVIARY_NATS_URL=a", "AVIARY_NATS_CREDS_FILE=" + cert}, "AVIARY_NATS_CREDS_FILE", []string{"NATS USER JWT", "nsc"}},
		{"credentials for nobody", []string{"AVIARY_NATS_CREDS_FILE=" + scratch(t, "creds", natsCreds)}, "AVIARY_NATS_CREDS_FILE", []string{"AVIARY_NATS_URL"}},
		{"two replicas", []string{"AVIARY_NATS_URL=a", "AVIARY_NATS_REPLICAS=2"}, "AVIARY_NATS_REPLICAS", []string{"1, 3 or 5"}},
		{"replicas of nothing", []string{"AVIARY_NATS_REPLICAS=3"}, "AVIARY_NATS_REPLICAS", []string{"AVIARY_NATS_URL"}},
		{"an edge of nothing", []string{"AVIARY_ROLE=edge"}, "AVIARY_ROLE", []string{"AVIARY_NATS_URL", "ROLE=all"}},
		{"ingest on one disk", []string{"AVIARY_ROLE=ingest", "AVIARY_DATA_DIR=" + dir}, "AVIARY_ROLE", []string{"AVIARY_NATS_URL"}},
		{"no such role", []string{"AVIARY_NATS_URL=a", "AVIARY_ROLE=edgy"}, "AVIARY_ROLE", []string{"did you mean edge?"}},
		{"a file for what is no secret", []string{"AVIARY_TRACK_FILE=/x"}, "AVIARY_TRACK_FILE", []string{"not a setting"}},
		{"duration without unit", []string{"AVIARY_HEARTBEAT=15"}, "AVIARY_HEARTBEAT", []string{`"15"`, "15s"}},
		{"duration in days", []string{"AVIARY_HISTORY_AGE=1d"}, "AVIARY_HISTORY_AGE", []string{`"1d"`, "24h"}},
		{"negative duration", []string{"AVIARY_DRAIN=-1s"}, "AVIARY_DRAIN", []string{"-1s", "negative"}},
		{"negative age", []string{"AVIARY_MAX_AGE=-1s"}, "AVIARY_MAX_AGE", []string{"negative", "0s"}},
		{"no heartbeat", []string{"AVIARY_HEARTBEAT=0s"}, "AVIARY_HEARTBEAT", []string{"at least", "15s"}},
		{"no retry", []string{"AVIARY_RETRY=0s"}, "AVIARY_RETRY", []string{"at least"}},
		{"no write timeout", []string{"AVIARY_WRITE_TIMEOUT=0s"}, "AVIARY_WRITE_TIMEOUT", []string{"at least"}},
		{"no stall timeout", []string{"AVIARY_STALL_TIMEOUT=0s"}, "AVIARY_STALL_TIMEOUT", []string{"at least"}},
		{"no history age", []string{"AVIARY_HISTORY_AGE=-1h"}, "AVIARY_HISTORY_AGE", []string{"at least"}},
		{"words for a number", []string{"AVIARY_MAX_CLIENTS=many"}, "AVIARY_MAX_CLIENTS", []string{`"many"`, "whole number"}},
		{"zero clients", []string{"AVIARY_MAX_CLIENTS=0"}, "AVIARY_MAX_CLIENTS", []string{"at least 1"}},
		{"negative clients", []string{"AVIARY_MAX_CLIENTS_PER_KEY=-5"}, "AVIARY_MAX_CLIENTS_PER_KEY", []string{"at least 1"}},
		{"no filter bytes", []string{"AVIARY_MAX_FILTER_BYTES=0"}, "AVIARY_MAX_FILTER_BYTES", []string{"at least 1"}},
		{"no events", []string{"AVIARY_HISTORY_EVENTS=0"}, "AVIARY_HISTORY_EVENTS", []string{"at least 1"}},
		{"negative bytes", []string{"AVIARY_HISTORY_BYTES=-1MiB"}, "AVIARY_HISTORY_BYTES", []string{"at least 1"}},
		{"strange unit", []string{"AVIARY_HISTORY_BYTES=3 potatoes"}, "AVIARY_HISTORY_BYTES", []string{"potatoes", "256MiB"}},
		{"half a size", []string{"AVIARY_HISTORY_BYTES=1.5GiB"}, "AVIARY_HISTORY_BYTES", []string{"whole number"}},
		{"too big a size", []string{"AVIARY_HISTORY_BYTES=99999999999GiB"}, "AVIARY_HISTORY_BYTES", []string{"not a size"}},
		{"no streams", []string{"AVIARY_STREAM_LIMIT=0"}, "AVIARY_STREAM_LIMIT", []string{"at least 1"}},
		{"ladder upside down", []string{"AVIARY_BACKOFF_HTTP_MAX=1s"}, "AVIARY_BACKOFF_HTTP_MAX", []string{"shorter", "AVIARY_BACKOFF_HTTP=5s"}},
		{"no back-off", []string{"AVIARY_BACKOFF_NETWORK=0s"}, "AVIARY_BACKOFF_NETWORK", []string{"at least"}},
		{"neither true nor false", []string{"AVIARY_FILE_LOOP=perhaps"}, "AVIARY_FILE_LOOP", []string{"true", "false"}},
		{"no port", []string{"AVIARY_LISTEN=localhost"}, "AVIARY_LISTEN", []string{`"localhost"`, "missing port", ":8080"}},
		{"port too high", []string{"AVIARY_LISTEN=:80800"}, "AVIARY_LISTEN", []string{"65535"}},
		{"port by name", []string{"AVIARY_ADMIN_LISTEN=127.0.0.1:http"}, "AVIARY_ADMIN_LISTEN", []string{"65535"}},
		{"no public listener", []string{"AVIARY_LISTEN=off"}, "AVIARY_LISTEN", []string{"serves nobody"}},
		{"one address for two", []string{"AVIARY_LISTEN=127.0.0.1:9000", "AVIARY_ADMIN_LISTEN=127.0.0.1:9000"}, "AVIARY_ADMIN_LISTEN", []string{"same address"}},
		{"admin open to all", []string{"AVIARY_ADMIN_LISTEN=:8081"}, "AVIARY_ADMIN_TOKEN", []string{"missing", "other machines"}},
		{"admin open to some", []string{"AVIARY_ADMIN_LISTEN=10.0.0.5:8081"}, "AVIARY_ADMIN_TOKEN", []string{"missing"}},
		{"certificate without key", []string{"AVIARY_TLS_CERT_FILE=" + cert}, "AVIARY_TLS_KEY_FILE", []string{"missing", "both"}},
		{"key without certificate", []string{"AVIARY_TLS_KEY_FILE=" + key}, "AVIARY_TLS_CERT_FILE", []string{"missing", "both"}},
		{"key of another certificate", []string{"AVIARY_TLS_CERT_FILE=" + cert, "AVIARY_TLS_KEY_FILE=" + otherKey}, "AVIARY_TLS_CERT_FILE", []string{"belong together"}},
		{"certificate not there", []string{"AVIARY_TLS_CERT_FILE=" + missing, "AVIARY_TLS_KEY_FILE=" + key}, "AVIARY_TLS_CERT_FILE", []string{"no such file"}},
		{"null origin", []string{"AVIARY_CORS_ORIGINS=https://a.example,null"}, "AVIARY_CORS_ORIGINS", []string{"null is refused"}},
		{"origin with path", []string{"AVIARY_CORS_ORIGINS=https://a.example/"}, "AVIARY_CORS_ORIGINS", []string{"not an origin", "without a path"}},
		{"origin without scheme", []string{"AVIARY_CORS_ORIGINS=a.example"}, "AVIARY_CORS_ORIGINS", []string{"not an origin"}},
		{"half a star", []string{"AVIARY_CORS_ORIGINS=https://*.example"}, "AVIARY_CORS_ORIGINS", []string{"not an origin"}},
		{"star among others", []string{"AVIARY_CORS_ORIGINS=*,https://a.example"}, "AVIARY_CORS_ORIGINS", []string{"alone"}},
		{"only commas", []string{"AVIARY_CORS_ORIGINS=,"}, "AVIARY_CORS_ORIGINS", []string{"no origin"}},
		{"address for a network", []string{"AVIARY_TRUSTED_PROXIES=10.0.0.1"}, "AVIARY_TRUSTED_PROXIES", []string{"10.0.0.1/32"}},
		{"name for a network", []string{"AVIARY_TRUSTED_PROXIES=proxy"}, "AVIARY_TRUSTED_PROXIES", []string{"CIDR"}},
		{"log level", []string{"AVIARY_LOG_LEVEL=verbose"}, "AVIARY_LOG_LEVEL", []string{"debug, info, warn, error"}},
		{"log format", []string{"AVIARY_LOG_FORMAT=jsno"}, "AVIARY_LOG_FORMAT", []string{"did you mean json?"}},
		{"source misspelt", []string{"AVIARY_SOURCE=twiter"}, "AVIARY_SOURCE", []string{"did you mean twitter?"}},
		{"source not built: mastodon", []string{"AVIARY_SOURCE=mastodon"}, "AVIARY_SOURCE", []string{`no source "mastodon"`, "sim, twitter, x, file"}},
		{"x without a token", []string{"AVIARY_SOURCE=x", "AVIARY_TRACK=a"}, "AVIARY_X_BEARER_TOKEN", []string{"missing", "AVIARY_X_BEARER_TOKEN_FILE"}},
		{"x with a language alone", []string{"AVIARY_SOURCE=x", "AVIARY_X_BEARER_TOKEN=t", "AVIARY_LANGUAGE=en"}, "AVIARY_LANGUAGE", []string{"alone is no rule"}},
		{"x with a filter level", []string{"AVIARY_SOURCE=x", "AVIARY_X_BEARER_TOKEN=t", "AVIARY_TRACK=a", "AVIARY_FILTER_LEVEL=low"}, "AVIARY_FILTER_LEVEL", []string{"no filter level"}},
		{"x with a continent", []string{"AVIARY_SOURCE=x", "AVIARY_X_BEARER_TOKEN=t", "AVIARY_LOCATIONS=-125,25,-66,49"}, "AVIARY_LOCATIONS", []string{"under 25 miles"}},
		{"x with a short stall timer", []string{"AVIARY_SOURCE=x", "AVIARY_X_BEARER_TOKEN=t", "AVIARY_TRACK=a", "AVIARY_STALL_TIMEOUT=20s"}, "AVIARY_STALL_TIMEOUT", []string{"every 20s", "at least 30s"}},
		{"x without its rules", []string{"AVIARY_SOURCE=x", "AVIARY_X_BEARER_TOKEN=t", "AVIARY_X_RULES_FILE=/does/not/exist"}, "AVIARY_X_RULES_FILE", []string{"cannot be read"}},
		{"backfill of an hour", []string{"AVIARY_X_BACKFILL_MINUTES=60"}, "AVIARY_X_BACKFILL_MINUTES", []string{"0 to 5"}},
		{"budget below nothing", []string{"AVIARY_X_POST_BUDGET=-1"}, "AVIARY_X_POST_BUDGET", []string{"negative"}},
		{"both secret and file", []string{"AVIARY_ADMIN_TOKEN=a", "AVIARY_ADMIN_TOKEN_FILE=" + scratch(t, "a", "b")}, "AVIARY_ADMIN_TOKEN", []string{"AVIARY_ADMIN_TOKEN_FILE too"}},
		{"secret file not there", []string{"AVIARY_ADMIN_TOKEN_FILE=" + missing}, "AVIARY_ADMIN_TOKEN_FILE", []string{"cannot be read", missing}},
		{"secret file empty", []string{"AVIARY_ADMIN_TOKEN_FILE=" + scratch(t, "e", "\n")}, "AVIARY_ADMIN_TOKEN_FILE", []string{"empty"}},
		{"secret file is something else", []string{"AVIARY_ADMIN_TOKEN_FILE=" + scratch(t, "big", strings.Repeat("x", 70_000))}, "AVIARY_ADMIN_TOKEN_FILE", []string{"only the secret"}},
		{"secret file is a folder", []string{"AVIARY_ADMIN_TOKEN_FILE=" + dir}, "AVIARY_ADMIN_TOKEN_FILE", []string{"cannot be read"}},
		{"secret of two lines", []string{"AVIARY_ADMIN_TOKEN_FILE=" + scratch(t, "two", "one\ntwo\n")}, "AVIARY_ADMIN_TOKEN", []string{"line end"}},
		{"missing consumer key", []string{"AVIARY_SOURCE=twitter", "AVIARY_TRACK=go", twitterSecrets[1], twitterSecrets[2], twitterSecrets[3]}, "AVIARY_TWITTER_CONSUMER_KEY", []string{"missing", "AVIARY_TWITTER_CONSUMER_KEY_FILE"}},
		{"empty access secret", []string{"AVIARY_SOURCE=twitter", "AVIARY_TRACK=go", twitterSecrets[0], twitterSecrets[1], twitterSecrets[2], "AVIARY_TWITTER_ACCESS_SECRET="}, "AVIARY_TWITTER_ACCESS_SECRET", []string{"missing"}},
		{"nothing to ask for", twitterWith("AVIARY_LANGUAGE=en"), "AVIARY_TRACK", []string{"AVIARY_FOLLOW", "AVIARY_LOCATIONS"}},
		{"screen name to follow", twitterWith("AVIARY_FOLLOW=@jack"), "AVIARY_FOLLOW", []string{"jack"}},
		{"half a box", twitterWith("AVIARY_LOCATIONS=1,2,3"), "AVIARY_LOCATIONS", nil},
		{"box upside down", twitterWith("AVIARY_LOCATIONS=10,0,-10,1"), "AVIARY_LOCATIONS", nil},
		{"too many phrases", twitterWith("AVIARY_TRACK=" + phrases(401)), "AVIARY_TRACK", []string{"400"}},
		{"filter level", []string{"AVIARY_FILTER_LEVEL=hihg"}, "AVIARY_FILTER_LEVEL", nil},
		{"stream URL without scheme", twitterWith("AVIARY_TRACK=a", "AVIARY_TWITTER_STREAM_URL=stream.twitter.com"), "AVIARY_TWITTER_STREAM_URL", []string{"https://stream.twitter.com"}},
		{"API URL without scheme", twitterWith("AVIARY_TRACK=a", "AVIARY_TWITTER_API_URL=api.twitter.com"), "AVIARY_TWITTER_API_URL", []string{"https://api.twitter.com"}},
		{"search cache below zero", []string{"AVIARY_SEARCH_CACHE=-1s"}, "AVIARY_SEARCH_CACHE", []string{"negative"}},
		{"search wait without a unit", []string{"AVIARY_SEARCH_WAIT=5"}, "AVIARY_SEARCH_WAIT", []string{"duration"}},
		{"stream URL with a password", twitterWith("AVIARY_TRACK=a", "AVIARY_TWITTER_STREAM_URL=https://u:hunter2@x.example"), "AVIARY_TWITTER_STREAM_URL", []string{"scheme and host"}},
		{"no capture", []string{"AVIARY_SOURCE=file"}, "AVIARY_FILE", []string{"missing"}},
		{"capture not there", []string{"AVIARY_SOURCE=file", "AVIARY_FILE=" + missing}, "AVIARY_FILE", []string{"no such file"}},
		{"capture is a folder", []string{"AVIARY_SOURCE=file", "AVIARY_FILE=" + dir}, "AVIARY_FILE", []string{"folder"}},
		{"pace", []string{"AVIARY_SOURCE=file", "AVIARY_FILE=" + cert, "AVIARY_FILE_RATE=fast"}, "AVIARY_FILE_RATE", []string{"recorded", "max"}},
		{"pace that sim does not use", []string{"AVIARY_FILE_RATE=fast"}, "AVIARY_FILE_RATE", []string{"recorded", "max"}},
		{"URL that sim does not use", []string{"AVIARY_TWITTER_STREAM_URL=not a url"}, "AVIARY_TWITTER_STREAM_URL", []string{"scheme and host"}},
		{"standing still", []string{"AVIARY_SOURCE=file", "AVIARY_FILE=" + cert, "AVIARY_FILE_RATE=0"}, "AVIARY_FILE_RATE", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, found := load(test.environ)
			if len(found) != 1 {
				t.Fatalf("%d problems instead of one: %v", len(found), found)
			}
			if found[0].Var != test.variable {
				t.Errorf("names %s, not %s: %s", found[0].Var, test.variable, found[0].Msg)
			}
			for _, word := range test.words {
				if !strings.Contains(found[0].Msg, word) {
					t.Errorf("does not say %q: %s", word, found[0].Msg)
				}
			}
			if strings.Contains(found[0].Msg, "hunter2") {
				t.Error("shows a password")
			}
		})
	}
}

// phrases is a list of n different phrases.
func phrases(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "p" + strings.Repeat("x", i%50) + string(rune('a'+i/50))
	}
	return strings.Join(list, ",")
}

func TestAllProblemsAtOnceAndNothingOpened(t *testing.T) {
	var errs bytes.Buffer
	code := run(context.Background(), &program{
		environ: []string{"AVIARY_LISTN=:1", "AVIARY_HEARTBEAT=soon", "AVIARY_SOURCE=twitter", "AVIARY_MAX_CLIENTS=0"},
		listen:  nil, // opening anything panics
		err:     &errs,
	})
	if code != exitSettings {
		t.Errorf("exit code %d", code)
	}
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
	for _, name := range []string{"LISTN", "HEARTBEAT", "MAX_CLIENTS", "TRACK", "TWITTER_CONSUMER_KEY", "TWITTER_CONSUMER_SECRET", "TWITTER_ACCESS_TOKEN", "TWITTER_ACCESS_SECRET"} {
		n := 0
		for _, line := range lines[1:] {
			if strings.HasPrefix(strings.TrimSpace(line), prefix+name+": ") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is named on %d lines of:\n%s", name, n, errs.String())
		}
	}
	if len(lines) != 9 || !strings.Contains(lines[0], "8 settings are wrong") {
		t.Errorf("not one line each:\n%s", errs.String())
	}
}

func TestRereadKeepsAllOldSecretsWhenOneFails(t *testing.T) {
	key, secretPath := scratch(t, "key", "old-key\n"), scratch(t, "secret", "old-secret\n")
	s, found := load([]string{"AVIARY_SOURCE=twitter", "AVIARY_TRACK=go", twitterSecrets[2], twitterSecrets[3],
		"AVIARY_TWITTER_CONSUMER_KEY_FILE=" + key, "AVIARY_TWITTER_CONSUMER_SECRET_FILE=" + secretPath})
	if len(found) > 0 {
		t.Fatal(found)
	}
	if err := os.WriteFile(key, []byte("new-key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh, err := s.reread()
	if err != nil || fresh.TwitterConsumerKey != "new-key" || fresh.TwitterConsumerSecret != "old-secret" || fresh.TwitterAccessToken != "at" {
		t.Errorf("read again: %v %q %q", err, string(fresh.TwitterConsumerKey), string(fresh.TwitterConsumerSecret))
	}
	if s.TwitterConsumerKey != "old-key" {
		t.Error("the settings in use were changed")
	}
	if err := os.Remove(secretPath); err != nil {
		t.Fatal(err)
	}
	if _, err := s.reread(); err == nil || !strings.Contains(err.Error(), "AVIARY_TWITTER_CONSUMER_SECRET_FILE") {
		t.Errorf("a missing file gives %v", err)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	var out, errs bytes.Buffer
	environ := []string{"AVIARY_ADMIN_TOKEN=hunter2", "AVIARY_TWITTER_CONSUMER_SECRET=hunter2", "AVIARY_LISTN=1", "AVIARY_TWITTER_STREAM_URL=https://u:hunter2@x.example"}
	p := &program{args: []string{"env"}, environ: environ, out: &out, err: &errs}
	if code := run(context.Background(), p); code != exitSettings {
		t.Errorf("exit code %d", code)
	}
	s, _ := load(environ[:3])
	log := newLogger(&program{err: &errs}, s)
	log.Info("settings", "token", s.AdminToken, "all", s)
	fmt.Fprintf(&errs, "%v %+v %#v %s", *s, s, s, s.AdminToken)
	if text := out.String() + errs.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "(set)") {
		t.Errorf("shows a secret, or not that it is set:\n%s", text)
	}
}

// FuzzSettings: whatever stands in the environment, load says what is wrong in
// whole lines, and never shows a secret.
func FuzzSettings(f *testing.F) {
	f.Add("LISTEN", ":8080")
	f.Add("TRUSTED_PROXIES", "10.0.0.0/8,::/0")
	f.Add("CORS_ORIGINS", "https://[::1]:443,null")
	f.Add("HISTORY_BYTES", "9223372036854775807KiB")
	f.Add("ADMIN_TOKEN", "line\nline")
	f.Add("LOCATIONS", "-180,-90,180,90")
	f.Add("\n", "\x1b[2J")
	f.Fuzz(func(t *testing.T, name, value string) {
		if strings.HasSuffix(name, "FILE") {
			return // no file of this machine is to be read by chance
		}
		s, found := load(twitterWith("AVIARY_TRACK=go", prefix+name+"="+value))
		for _, p := range found {
			if text := p.String(); strings.ContainsAny(text, "\n\r\x1b") || !strings.HasPrefix(text, prefix) || p.Msg == "" {
				t.Errorf("not one clean line: %q", text)
			}
		}
		for _, secret := range fields() {
			if secret.secret && secret.name == name && len(value) > 12 && strings.Contains(fmt.Sprint(found, *s), value) {
				t.Errorf("shows the secret: %v", found)
			}
		}
		if limit := memoryLimit(s); len(found) == 0 && limit <= 0 {
			t.Errorf("memory limit %d", limit)
		}
	})
}

// selfSigned writes a certificate and its key and returns their paths.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return scratch(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		scratch(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
}

// natsCreds has the parts of a credentials file.
const natsCreds = "-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\nx\n------END USER NKEY SEED------\n"

// What can be a password or a token in NATS_URL is shown nowhere, right or wrong.
func TestSecretsInServerURLs(t *testing.T) {
	for _, value := range []string{
		"nats://aviary:h1dden@a:4222", "nats://h1dden@a:4222", "nats://aviary:h1dden@a:4222,tls://aviary:h1dden@b", "aviary:h1dden@a:4222",
		"nats://aviary:h1d,h1dden@a:4222", "nats://aviary:h1d/h1dden@a:4222", "nats://aviary:h1d@h1dden@a", "http://aviary:h1dden@a", "nats://aviary:h1dden@",
	} {
		environ := []string{"AVIARY_NATS_URL=" + value}
		s, found := load(environ)
		var out strings.Builder
		writeSettings(&out, environ)
		found.write(&out)
		fmt.Fprintf(&out, "%v %+v %#v", s.NATSURL, *s, *s)
		text, err := json.Marshal(s.NATSURL)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("", "servers", s.NATSURL)
		if strings.Contains(out.String(), "h1d") {
			t.Errorf("%s is shown in %s", value, regexp.MustCompile(".*h1d.*").FindString(out.String()))
		}
		if strings.HasPrefix(value, "nats://aviary:h1dden@a:") && !strings.Contains(out.String(), "xxxxx@a:4222") {
			t.Errorf("the server of %s cannot be seen", value)
		}
	}
}
