package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
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
