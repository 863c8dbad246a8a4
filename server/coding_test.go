package server

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"aviary/fanout/wire"
)

func TestCoding(t *testing.T) {
	hash := wire.DictionaryHash()
	ours := "Available-Dictionary: :" + base64.StdEncoding.EncodeToString(hash[:]) + ":"
	const other = "Available-Dictionary: :pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG4=:"
	const chromium = "Accept-Encoding: gzip, deflate, br, zstd, dcb, dcz"
	for _, test := range []struct {
		headers []string
		want    string // "": 406
	}{
		{nil, "identity"},
		{[]string{"Accept-Encoding: "}, "identity"},
		{[]string{"Accept-Encoding: identity"}, "identity"},
		{[]string{"Accept-Encoding: br, deflate"}, "identity"},
		{[]string{"Accept-Encoding: gzip"}, "gzip"},
		{[]string{"Accept-Encoding: x-gzip"}, "gzip"},
		{[]string{"Accept-Encoding: GZip"}, "gzip"},
		{[]string{"Accept-Encoding: gzip, deflate"}, "gzip"},
		{[]string{"Accept-Encoding: gzip, deflate, br, zstd"}, "zstd"},
		{[]string{"Accept-Encoding: gzip", "Accept-Encoding: zstd"}, "zstd"},
		{[]string{"Accept-Encoding: zstd;q=0.5, gzip;q=0.8"}, "gzip"},
		{[]string{"Accept-Encoding: zstd ; Q=0.8 ,gzip ;q=0.8"}, "zstd"},
		{[]string{"Accept-Encoding: gzip;q=0.001"}, "gzip"},
		{[]string{"Accept-Encoding: identity, gzip;q=0.5"}, "identity"},
		{[]string{"Accept-Encoding: identity;q=0.5, gzip;q=0.5"}, "gzip"},
		{[]string{"Accept-Encoding: gzip;q=0"}, "identity"},
		{[]string{"Accept-Encoding: gzip;q=0, *"}, "identity"},
		{[]string{"Accept-Encoding: *"}, "gzip"},
		{[]string{"Accept-Encoding: *;q=0.5, zstd"}, "zstd"},
		{[]string{"Accept-Encoding: *;q=0"}, ""},
		{[]string{"Accept-Encoding: identity;q=0"}, ""},
		{[]string{"Accept-Encoding: br, identity;q=0"}, ""},
		{[]string{"Accept-Encoding: br, *;q=0"}, ""},
		{[]string{"Accept-Encoding: identity, *;q=0"}, "identity"},
		{[]string{"Accept-Encoding: gzip, identity;q=0"}, "gzip"},
		{[]string{"Accept-Encoding: gzip;q=2, zstd;q=x, ;q=1"}, "identity"},
		{[]string{"Accept-Encoding: gzip;level=9"}, "identity"},
		{[]string{chromium}, "zstd"},
		{[]string{chromium, other}, "zstd"},
		{[]string{chromium, ours}, "dcz"},
		{[]string{"Accept-Encoding: gzip, zstd", ours}, "zstd"},
		{[]string{"Accept-Encoding: dcz"}, "identity"},
		{[]string{"Accept-Encoding: dcz;q=0.5, zstd", ours}, "zstd"},
		{[]string{"Accept-Encoding: dcz;q=0, gzip", ours}, "gzip"},
		{[]string{chromium, ours, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"}, "dcz"},
		{[]string{chromium, ours, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors", "Origin: https://allowed.example"}, "dcz"},
		{[]string{chromium, ours, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors", "Origin: https://other.example"}, "zstd"},
		{[]string{chromium, ours, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"}, "zstd"},
		{[]string{chromium, ours, "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"}, "dcz"},
	} {
		r, err := http.NewRequest(http.MethodGet, "/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range test.headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Add(name, value)
		}
		answer := http.Header{}
		if r.Header.Get("Origin") == "https://allowed.example" {
			answer.Set("Access-Control-Allow-Origin", "https://allowed.example")
		}
		got, ok := coding(r, answer)
		if ok != (test.want != "") || ok && got.String() != test.want {
			t.Errorf("%q: %v, %v; want %q", test.headers, got, ok, test.want)
		}
		// Who could read dcz is told of the dictionary, unless it is used.
		dcz := strings.Contains(r.Header.Get("Accept-Encoding"), "dcz") && !strings.Contains(r.Header.Get("Accept-Encoding"), "dcz;q=0,")
		if (answer.Get("Vary") == "Available-Dictionary") != dcz {
			t.Errorf("%q: Vary is %q", test.headers, answer.Get("Vary"))
		}
		if told := answer.Get("Link") == "<"+dictionaryPath+`>; rel="compression-dictionary"`; told && (got == wire.DCZ || !dcz) {
			t.Errorf("%q: Link is %q", test.headers, answer.Get("Link"))
		}
	}
}

func TestDictionary(t *testing.T) {
	g := newTCPGate(t)
	got := g.do("GET", dictionaryPath, "", "Origin: https://page.example")
	if body := readAll(t, got.Body); got.StatusCode != 200 || body != string(wire.Dictionary()) {
		t.Errorf("GET %s: %d, %d bytes", dictionaryPath, got.StatusCode, len(body))
	}
	for name, want := range map[string]string{
		"Use-As-Dictionary": `match="/stream"`, "Cache-Control": "public, max-age=31536000, immutable",
		"Access-Control-Allow-Origin": "*", "Content-Type": "application/octet-stream", "Content-Length": fmt.Sprint(len(wire.Dictionary())),
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	head := g.do("HEAD", dictionaryPath, "")
	if head.StatusCode != 200 || head.Header.Get("Content-Length") != got.Header.Get("Content-Length") || head.Header.Get("Use-As-Dictionary") == "" {
		t.Errorf("HEAD: %d %v", head.StatusCode, head.Header)
	}
	if again := g.do("GET", dictionaryPath, "", "If-None-Match: "+got.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("with its entity tag it is a %d", again.StatusCode)
	}
	if old := g.do("GET", "/dictionaries/0123456789abcdef", ""); old.StatusCode != http.StatusNotFound || old.Header.Get("Use-As-Dictionary") != "" {
		t.Errorf("another dictionary is a %d", old.StatusCode)
	}
	if page := readAll(t, g.do("GET", "/", "").Body); !strings.Contains(page, `href="`+dictionaryPath+`"`) {
		t.Errorf("the page does not name %s", dictionaryPath)
	}
}

// The gateway's streams read back as the same bytes in every coding, by Go, gzip,
// zstd, curl and Node, whatever part of the events a filter gives, with deletes
// and the frames for one client among them.
func TestStreamCodings(t *testing.T) {
	g := newTCPGate(t)
	rng := rand.New(rand.NewPCG(5, 5))
	words := strings.Fields("ash birch cedar elm fir hazel larch maple oak pine")
	for id := range 300 {
		var text []string
		for range 1 + rng.IntN(12) {
			text = append(text, words[rng.IntN(len(words))])
		}
		g.post(id+1, fmt.Sprint(rng.IntN(20)), strings.Join(text, " ")+strings.Repeat(" 木 é", rng.IntN(300)))
		if rng.IntN(10) == 0 {
			g.delete(id + 1)
		}
	}
	dictionary := filepath.Join(t.TempDir(), "dictionary")
	if err := os.WriteFile(dictionary, wire.Dictionary(), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, coded []byte, name string, args ...string) []byte {
		cmd := exec.Command(needed(t, name), args...)
		cmd.Stdin = bytes.NewReader(coded)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", cmd, err)
		}
		return out
	}
	hash := wire.DictionaryHash()
	dcz := "Available-Dictionary: :" + base64.StdEncoding.EncodeToString(hash[:]) + ":"
	readers := map[string][]func(t *testing.T, path string, coded []byte) []byte{
		"gzip": {
			func(t *testing.T, _ string, coded []byte) []byte {
				r, err := gzip.NewReader(bytes.NewReader(coded))
				if err != nil {
					t.Fatal(err)
				}
				return []byte(readAll(t, r))
			},
			func(t *testing.T, _ string, coded []byte) []byte { return run(t, coded, "gzip", "-dc") },
			func(t *testing.T, path string, _ []byte) []byte {
				return run(t, nil, "curl", "-sS", "--max-time", "20", "--compressed", "-H", "Accept-Encoding: gzip", g.url+path)
			},
			func(t *testing.T, path string, _ []byte) []byte {
				return run(t, nil, "node", "-e", `fetch(process.argv[1]).then(async (a) => process.stdout.write(await a.text()))`, g.url+path)
			},
		},
		"zstd": {
			func(t *testing.T, _ string, coded []byte) []byte { return unzstd(t, coded) },
			func(t *testing.T, _ string, coded []byte) []byte { return run(t, coded, "zstd", "-dcq") },
			func(t *testing.T, path string, _ []byte) []byte {
				return run(t, nil, "curl", "-sS", "--max-time", "20", "--compressed", g.url+path)
			},
		},
		"dcz": {
			func(t *testing.T, _ string, coded []byte) []byte {
				return unzstd(t, coded, zstd.WithDecoderDictRaw(0, wire.Dictionary()))
			},
			func(t *testing.T, _ string, coded []byte) []byte {
				return run(t, coded, "zstd", "-dcq", "-D", dictionary)
			},
		},
	}
	for coding, readers := range readers {
		for range 4 {
			path := "/stream?since=1h&limit=" + fmt.Sprint(5+rng.IntN(40)) + "&track=" + strings.Join(words[:1+rng.IntN(len(words)-1)], ",")
			if rng.IntN(2) == 0 {
				path += "&format=ndjson"
			}
			want := steady(readAll(t, g.do("GET", path, "").Body))
			answer := g.do("GET", path, "", "Accept-Encoding: "+coding, dcz)
			if got := answer.Header.Get("Content-Encoding"); got != coding {
				t.Fatalf("Content-Encoding is %q, want %s", got, coding)
			}
			coded := []byte(readAll(t, answer.Body))
			for i, read := range readers {
				if got := steady(string(read(t, path, coded))); got != want {
					t.Errorf("%s, %s, reader %d: %d bytes, want %d", coding, path, i, len(got), len(want))
				}
			}
		}
	}
}

// steady is a stream without what chance decides in it.
func steady(stream string) string {
	return regexp.MustCompile(`retry: \d+|"retry_ms":\d+`).ReplaceAllString(stream, "")
}

func unzstd(t *testing.T, coded []byte, options ...zstd.DOption) []byte {
	t.Helper()
	d, err := zstd.NewReader(bytes.NewReader(coded), options...)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	plain, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// needed finds a program that is not part of Go. Where it is missing the test is
// skipped, loudly; in CI that is a failure.
func needed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed; `make test-tools` installs it: %v", name, err)
	}
	t.Skipf("SKIPPED, AND THAT MATTERS: %s is not installed; `make test-tools` installs it", name)
	return ""
}
