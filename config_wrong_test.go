package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
)

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
		{"a port that there is not", []string{"AVIARY_NATS_URL=a,nats://b:99999"}, "AVIARY_NATS_URL", []string{"entry 2", "port"}},
		{"no port", []string{"AVIARY_NATS_URL=nats://a:0"}, "AVIARY_NATS_URL", []string{"entry 1", "port"}},
		{"two ways at once", []string{"AVIARY_NATS_URL=nats://a,wss://b"}, "AVIARY_NATS_URL", []string{"entry 2", "wss://"}},
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
		{"a header for a token", []string{"AVIARY_X_BEARER_TOKEN=Bearer s3cret"}, "AVIARY_X_BEARER_TOKEN", []string{"the word Bearer", "token behind it"}},
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
