package main

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"aviary/fanout/filter"
	"aviary/upstream/file"
)

// check judges the settings as a whole: ranges, words, addresses, files, and
// what must come together. It says nothing more about a setting that is
// already known to be wrong.
func (s *settings) check(found *problems) {
	s.checkListeners(found)
	s.checkTLS(found)
	s.checkRanges(found)
	s.checkWords(found)
	s.checkSecrets(found)
	s.checkFilter(found)
	s.checkForms(found)
	s.checkDurable(found)
	s.checkDemand(found)
	if s.Role == roleEdge {
		return // it needs nothing of the source
	}
	switch s.Source {
	case "twitter":
		s.checkTwitter(found)
	case "x":
		s.checkX(found)
	case "file":
		s.checkFile(found)
	}
}

func (s *settings) checkListeners(found *problems) {
	if s.Listen == off {
		found.add("LISTEN", "cannot be off: without its public listener the gateway serves nobody; write an address such as :8080")
	} else if err := checkAddress(s.Listen); err != nil {
		found.add("LISTEN", "%q is not an address (%v); write host:port or :port, such as :8080", s.Listen, err)
	}
	if s.AdminListen == off {
		return
	}
	if err := checkAddress(s.AdminListen); err != nil {
		found.add("ADMIN_LISTEN", "%q is not an address (%v); write host:port, such as 127.0.0.1:8081, or off", s.AdminListen, err)
		return
	}
	if s.AdminListen == s.Listen && !strings.HasSuffix(s.Listen, ":0") {
		found.add("ADMIN_LISTEN", "is the same address as %sLISTEN; give it another port, or off", prefix)
	}
	if !onLoopback(s.AdminListen) && s.AdminToken == "" && !found.about("ADMIN_TOKEN") && !found.about("ADMIN_TOKEN_FILE") {
		found.add("ADMIN_TOKEN", "is missing, and %sADMIN_LISTEN=%s can be reached from other machines; set the token, or listen on 127.0.0.1:8081", prefix, s.AdminListen)
	}
}

// checkAddress accepts what net.Listen will: an optional host and a port.
func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		var known *net.AddrError
		if errors.As(err, &known) {
			return errors.New(known.Err)
		}
		return err
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return errors.New("the port is not a number from 0 to 65535")
	}
	return nil
}

// onLoopback reports whether only this machine can reach the address.
func onLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func (s *settings) checkTLS(found *problems) {
	switch {
	case s.TLSCertFile == "" && s.TLSKeyFile == "":
	case s.TLSKeyFile == "":
		found.add("TLS_KEY_FILE", "is missing, and %sTLS_CERT_FILE is set; set both for TLS or neither", prefix)
	case s.TLSCertFile == "":
		found.add("TLS_CERT_FILE", "is missing, and %sTLS_KEY_FILE is set; set both for TLS or neither", prefix)
	default:
		if _, err := tls.LoadX509KeyPair(s.TLSCertFile, s.TLSKeyFile); err != nil {
			found.add("TLS_CERT_FILE", "the certificate and key cannot be used (%v); check that both files are PEM, readable and belong together", err)
		}
	}
}

func (s *settings) checkRanges(found *problems) {
	above := func(name string, value, least int64, example string) {
		if value < least && !found.about(name) {
			found.add(name, "must be at least %d; write e.g. %s", least, example)
		}
	}
	above("MAX_CLIENTS", int64(s.MaxClients), 1, "50000")
	above("MAX_CLIENTS_PER_KEY", int64(s.MaxClientsPerKey), 1, "100")
	above("MAX_FILTER_BYTES", int64(s.MaxFilterBytes), 1, "131072")
	above("HISTORY_EVENTS", int64(s.HistoryEvents), 1, "20000")
	above("HISTORY_BYTES", int64(s.HistoryBytes), 1, "256MiB")
	above("STREAM_LIMIT", int64(s.StreamLimit), 1, "2")
	above("CONNECT_LIMIT", int64(s.ConnectLimit), 3, "5")

	lasting := func(name string, d, least time.Duration, example string) {
		switch {
		case d >= least || found.about(name):
		case least == 0:
			found.add(name, "is %v and must not be negative; write e.g. %s", d, example)
		default:
			found.add(name, "is %v and must be at least %v; write e.g. %s", d, least, example)
		}
	}
	lasting("HEARTBEAT", s.Heartbeat, time.Millisecond, "15s")
	lasting("RETRY", s.Retry, time.Millisecond, "3s")
	lasting("MAX_AGE", s.MaxAge, 0, "10m, or 0s for no end")
	lasting("WRITE_TIMEOUT", s.WriteTimeout, time.Millisecond, "10s")
	lasting("DRAIN", s.Drain, 0, "10s")
	lasting("HISTORY_AGE", s.HistoryAge, time.Millisecond, "24h")
	lasting("CONNECT_WINDOW", s.ConnectWindow, time.Millisecond, "5m")
	lasting("STALL_TIMEOUT", s.StallTimeout, time.Millisecond, "90s")
	lasting("SEARCH_CACHE", s.SearchCache, 0, "10s, or 0s for none")
	lasting("SEARCH_WAIT", s.SearchWait, 0, "5s, or 0s for the default")

	ladder := func(name string, first, most time.Duration, example string) {
		lasting(name, first, time.Millisecond, example)
		if most < first && !found.about(name) && !found.about(name+"_MAX") {
			found.add(name+"_MAX", "is %v, shorter than the first wait %s%s=%v; make it at least as long", most, prefix, name, first)
		}
	}
	ladder("BACKOFF_NETWORK", s.BackoffNetwork, s.BackoffNetworkMax, "250ms")
	ladder("BACKOFF_HTTP", s.BackoffHTTP, s.BackoffHTTPMax, "5s")
	ladder("BACKOFF_RATE_LIMIT", s.BackoffRateLimit, s.BackoffRateLimitMax, "1m")
}

func (s *settings) checkWords(found *problems) {
	among := func(name, value string, right ...string) {
		if value == "" || slices.Contains(right, value) {
			return
		}
		if near := filter.Nearest(value, right); near != "" {
			found.add(name, "%q is not known; did you mean %s? It takes %s", value, near, strings.Join(right, ", "))
		} else {
			found.add(name, "%q is not known; it takes %s", value, strings.Join(right, ", "))
		}
	}
	among("LOG_LEVEL", s.LogLevel, "debug", "info", "warn", "error")
	among("DEMAND", s.Demand, "on", off)
	among("LOG_FORMAT", s.LogFormat, "text", "json")
	among("ROLE", s.Role, roleAll, roleIngest, roleEdge)
	if slices.Contains([]string{"mastodon", "bluesky", "sse"}, s.Source) {
		found.add("SOURCE", "this version has no source %q; it has %s", s.Source, strings.Join(sources, ", "))
	} else {
		among("SOURCE", s.Source, sources...)
	}
	if len(s.CORSOrigins) == 0 && !found.about("CORS_ORIGINS") {
		found.add("CORS_ORIGINS", "names no origin; write * or a list such as https://example.org")
	}
}

// sources are the sources that exist.
var sources = []string{"sim", "twitter", "x", "file"}

// checkSecrets refuses what cannot be a token or a key: line ends and other
// control characters, which come from a file with more than the secret in it, and
// a header where its token belongs.
func (s *settings) checkSecrets(found *problems) {
	for _, f := range fields() {
		if !f.secret {
			continue
		}
		value := string(f.value(s).Interface().(secret))
		switch word, _, more := strings.Cut(value, " "); {
		case strings.ContainsFunc(value, unicode.IsControl):
			found.add(f.name, "has a line end or another control character in it; keep only the secret, on one line")
		case more && strings.EqualFold(word, "bearer"):
			found.add(f.name, "begins with the word Bearer; keep only the token behind it")
		}
	}
}

// checkFilter holds what is asked of the upstream to the rules of the v1.1 API.
func (s *settings) checkFilter(found *problems) {
	for name, values := range s.filterParams() {
		if _, err := filter.Parse(url.Values{name: values}); err != nil {
			found.add(strings.ToUpper(name), "%s", strings.TrimPrefix(err.Error(), name+": "))
		}
	}
}

// filterParams are the v1.1 parameters the upstream is asked with; what is not set is not there.
func (s *settings) filterParams() url.Values {
	params := url.Values{}
	for name, value := range map[string]string{
		"track": s.Track, "follow": s.Follow, "locations": s.Locations, "language": s.Language, "filter_level": s.FilterLevel,
	} {
		if value != "" {
			params.Set(name, value)
		}
	}
	return params
}

func (s *settings) checkTwitter(found *problems) {
	names := []string{"TWITTER_CONSUMER_KEY", "TWITTER_CONSUMER_SECRET", "TWITTER_ACCESS_TOKEN", "TWITTER_ACCESS_SECRET"}
	if s.TwitterAccessToken == "" && s.TwitterAccessSecret == "" && s.TwitterConsumerKey != "" && s.TwitterConsumerSecret != "" {
		names = names[:2] // enough for search; the stream halts and says what it needs
	}
	for _, name := range names {
		f := fieldNamed(name)
		if f.value(s).IsZero() && !found.about(name) && !found.about(name+"_FILE") {
			found.add(name, "is missing, and %sSOURCE=twitter signs with it; set it, or %s%s_FILE to a file that holds it", prefix, prefix, name)
		}
	}
	if s.Track == "" && s.Follow == "" && s.Locations == "" {
		found.add("TRACK", "is missing: %sSOURCE=twitter must ask for something; set at least one of %sTRACK, %sFOLLOW and %sLOCATIONS", prefix, prefix, prefix, prefix)
	}
}

// checkForms judges what only one source uses, whatever the source: a setting
// that is wrong today is a surprise on the day it is needed.
func (s *settings) checkForms(found *problems) {
	if _, err := file.ParsePace(s.FileRate); err != nil {
		found.add("FILE_RATE", "%v", err)
	}
	if (s.XBackfillMinutes < 0 || s.XBackfillMinutes > 5) && !found.about("X_BACKFILL_MINUTES") {
		found.add("X_BACKFILL_MINUTES", "must be from 0 to 5; X sends no more minutes again")
	}
	if s.XPostBudget < 0 && !found.about("X_POST_BUDGET") {
		found.add("X_POST_BUDGET", "must not be negative; write a number of posts a month, or 0 for no budget")
	}
	for name, address := range map[string]string{"TWITTER_STREAM_URL": s.TwitterStreamURL, "TWITTER_API_URL": s.TwitterAPIURL, "X_API_URL": s.XAPIURL} {
		u, err := url.Parse(address)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			// The value is not repeated: a URL that is wrong may hold a password.
			found.add(name, "is not the URL of a server; write scheme and host only, such as %s", fieldNamed(name).def)
		}
	}
}

func (s *settings) checkFile(found *problems) {
	if s.File == "" {
		found.add("FILE", "is missing, and %sSOURCE=file replays it; set it to the path of a capture", prefix)
		return
	}
	info, err := os.Stat(s.File)
	if err == nil && info.IsDir() {
		found.add("FILE", "%s is a folder; name one capture in it", s.File)
		return
	}
	if err == nil && info.Mode().IsRegular() { // opening a named pipe would wait for its writer
		var capture *os.File
		if capture, err = os.Open(s.File); err == nil {
			_ = capture.Close()
		}
	}
	if err != nil {
		found.add("FILE", "the capture cannot be read (%v); check the path and its permissions", err)
	}
}
