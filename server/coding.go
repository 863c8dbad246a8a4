package server

import (
	"net/http"
	"strconv"
	"strings"

	"aviary/fanout/wire"
)

// coding chooses the content coding of a stream by the Accept-Encoding header
// (RFC 9110, 12.5.3): what is most welcome, and of what is as welcome the one
// that makes least bytes. Who does not ask gets the bytes as they are; so does
// who knows none of our codings, unless identity is ruled out: then ok is false.
//
// A star stands for gzip, which everybody reads who reads any. dcz needs our
// dictionary at the other end, and an answer the asking script may read: else
// lengths would tell it what CORS keeps from it (RFC 9842, 9.3.3). A client that
// could read dcz is told where the dictionary lies. answer are the headers of the
// answer, with those of CORS.
func coding(r *http.Request, answer http.Header) (c wire.Coding, ok bool) {
	values := r.Header.Values("Accept-Encoding")
	if len(values) == 0 {
		return wire.Identity, true
	}
	offers := readOffers(strings.Join(values, ","))
	identity, named := offers["identity"]
	if star, any := offers["*"]; any && !named {
		identity, named = star, true
	}
	shared := offers["dcz"] > 0
	if shared {
		answer.Add("Vary", "Available-Dictionary")
		if shared = hasDictionary(r, answer); !shared {
			answer.Set("Link", "<"+dictionaryPath+`>; rel="compression-dictionary"`)
		}
	}
	best, welcome := wire.Identity, identity // not named: before nothing, but not refused
	for _, c := range []wire.Coding{wire.Gzip, wire.Zstd, wire.DCZ} {
		q, offered := offers[c.String()]
		if star, any := offers["*"]; any && !offered && c == wire.Gzip {
			q = star
		}
		if q > 0 && q >= welcome && (c != wire.DCZ || shared) {
			best, welcome = c, q
		}
	}
	return best, best != wire.Identity || !named || identity > 0
}

// readOffers returns how welcome each coding is, by lower-case name. What cannot
// be read is left out.
func readOffers(accept string) map[string]float64 {
	offers := map[string]float64{}
	for item := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "x-gzip" {
			name = "gzip" // RFC 9110, 8.4.1.3
		}
		q := 1.0
		if params = strings.TrimSpace(params); params != "" {
			key, value, _ := strings.Cut(params, "=")
			var err error
			if q, err = strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil || !strings.EqualFold(strings.TrimSpace(key), "q") || !(q >= 0 && q <= 1) {
				continue
			}
		}
		if name != "" {
			offers[name] = q
		}
	}
	return offers
}

// hasDictionary says that the client holds our dictionary and may be told things
// in its terms.
func hasDictionary(r *http.Request, answer http.Header) bool {
	given, _, _ := strings.Cut(r.Header.Get("Available-Dictionary"), ";")
	if strings.TrimSpace(given) != dictionaryField {
		return false
	}
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Mode") {
	case "", "navigate", "same-origin":
		return true
	case "cors":
		return answer.Get("Access-Control-Allow-Origin") != ""
	}
	return false
}
