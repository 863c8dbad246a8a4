package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// secret is a setting that must not be seen: however it is printed or logged,
// only whether it is there comes out.
type secret string

// String tells whether the secret is set, never what it is.
func (s secret) String() string {
	if s == "" {
		return ""
	}
	return "(set)"
}

// GoString keeps %#v from showing the secret.
func (s secret) GoString() string { return s.String() }

// MarshalText keeps JSON from showing the secret.
func (s secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue keeps slog from showing the secret.
func (s secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// size is a number of bytes, written plainly or with a unit: 131072, 256MiB, 1GB.
type size int64

// units are the size suffixes, longest first so that none hides another.
var units = []struct {
	suffix string
	bytes  int64
}{
	{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1},
}

// UnmarshalText reads a size.
func (s *size) UnmarshalText(text []byte) error {
	number, factor := strings.ToUpper(strings.TrimSpace(string(text))), int64(1)
	for _, u := range units {
		if cut, found := strings.CutSuffix(number, u.suffix); found {
			number, factor = strings.TrimSpace(cut), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > math.MaxInt64/factor || n < math.MinInt64/factor {
		return fmt.Errorf("%q is not a size; write a whole number of bytes with or without a unit, such as 131072, 64KiB or 256MiB", text)
	}
	*s = size(n * factor)
	return nil
}

// proxies are the networks whose X-Forwarded-For is believed.
type proxies []netip.Prefix

// UnmarshalText reads a comma list of CIDR networks.
func (p *proxies) UnmarshalText(text []byte) error {
	*p = nil
	for _, word := range words(string(text)) {
		network, err := netip.ParsePrefix(word)
		if err != nil {
			if address, err := netip.ParseAddr(word); err == nil {
				return fmt.Errorf("%q is an address, not a network; write %s/%d", word, address, address.BitLen())
			}
			return fmt.Errorf("%q is not a network; write CIDR such as 10.0.0.0/8 or fd00::/8, several with commas", word)
		}
		*p = append(*p, network.Masked())
	}
	return nil
}

// natsServers are the URLs of NATS servers. They may hold a user, a password or
// a token, so they print without.
type natsServers []string

// natsSchemes are how a NATS server can be reached.
var natsSchemes = []string{"nats", "tls", "ws", "wss"}

// UnmarshalText reads a comma list of URLs. A host without a scheme is a nats:// one.
func (n *natsServers) UnmarshalText(text []byte) error {
	*n = nil
	for i, word := range words(string(text)) {
		if !strings.Contains(word, "://") {
			word = "nats://" + word
		}
		u, err := url.Parse(word)
		if err != nil || u.Hostname() == "" || !slices.Contains(natsSchemes, u.Scheme) || u.Path != "" && u.Path != "/" && !strings.HasPrefix(u.Scheme, "ws") {
			// It is not shown: a password that was not escaped may be in it.
			return fmt.Errorf("entry %d is not the URL of a NATS server; write nats://host:4222, or tls:// for TLS, several with commas; signs such as , / @ in a password as %%2C %%2F %%40", i+1)
		}
		if port := u.Port(); port != "" {
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
				return fmt.Errorf("entry %d has a port that there is not; write nats://host:4222", i+1)
			}
		}
		if web := strings.HasPrefix(u.Scheme, "ws"); i > 0 && web != strings.HasPrefix((*n)[0], "ws") {
			return fmt.Errorf("entry %d is reached in another way than entry 1; write either nats:// and tls://, or ws:// and wss://, for all", i+1)
		}
		*n = append(*n, word)
	}
	return nil
}

// String lists the servers without what is secret.
func (n natsServers) String() string { return maskURLs(strings.Join(n, ",")) }

// GoString keeps %#v from showing secrets.
func (n natsServers) GoString() string { return n.String() }

// MarshalText keeps JSON from showing secrets.
func (n natsServers) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// LogValue keeps slog from showing secrets.
func (n natsServers) LogValue() slog.Value { return slog.StringValue(n.String()) }

// maskURLs blanks what stands before the @ of each URL of a list, also of one
// that is wrong: a user name alone is a token to NATS. A password with a bare comma
// splits the list, so a piece without an @ before one with it is blanked too.
func maskURLs(list string) string {
	at := strings.LastIndex(list, "@")
	if at < 0 {
		return list
	}
	var out []string
	for word := range strings.SplitSeq(list[:at+1], ",") {
		scheme, rest, found := strings.Cut(word, "://")
		if !found {
			scheme, rest = "", word
		} else {
			scheme += "://"
		}
		_, host, _ := cutLast(rest, "@")
		out = append(out, scheme+"xxxxx"+host)
	}
	return strings.Join(out, ",") + list[at+1:]
}

// cutLast cuts before the last sep, which stays with what follows it.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i:], true
	}
	return s, "", false
}

// origins are the web origins that may read the streams, or "*" alone.
type origins []string

// UnmarshalText reads a comma list of origins. Each is brought to the form in
// which a browser sends it: lower case, without the default port.
func (o *origins) UnmarshalText(text []byte) error {
	*o = nil
	for _, word := range words(string(text)) {
		origin, err := parseOrigin(word)
		if err != nil {
			return err
		}
		*o = append(*o, origin)
	}
	for _, origin := range *o {
		if origin == "*" && len(*o) > 1 {
			return errors.New("* stands alone: it already allows every origin; write * or the list without it")
		}
	}
	return nil
}

func parseOrigin(word string) (string, error) {
	if word == "*" {
		return word, nil
	}
	if strings.EqualFold(word, "null") {
		return "", errors.New("null is refused: any sandboxed frame or local file sends it; list the origins by name")
	}
	u, err := url.Parse(strings.ToLower(word))
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(u.Host, "*") {
		return "", fmt.Errorf("%q is not an origin; write scheme and host, without a path: https://example.org", word)
	}
	if u.Port() == "443" && u.Scheme == "https" || u.Port() == "80" && u.Scheme == "http" {
		u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	return u.Scheme + "://" + u.Host, nil
}

// words splits a comma list, trims each word and leaves out empty ones.
func words(list string) []string {
	var out []string
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
	}
	return out
}
