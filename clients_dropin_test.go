package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// The programs of testdata/clients are written for Twitter and run unchanged: only
// its host names lead to the gateway, which serves TLS under them.
var twitterHosts = []string{"stream.twitter.com", "api.twitter.com", "stream.x.com", "api.x.com"}

// dropIn is a gateway over a simulator, under Twitter's names.
type dropIn struct {
	t       *testing.T
	g       *running
	fake    *sim.Server
	address string // of the gateway
	cert    string // file
	proxy   string // leads Twitter's names to the gateway
}

// newDropIn starts a gateway of a source: twitter or x.
func newDropIn(t *testing.T, source string, more ...string) *dropIn {
	t.Helper()
	d := &dropIn{t: t}
	cert, key := certificateFor(t, twitterHosts)
	d.cert = cert
	var environ []string
	if source == "x" {
		d.fake = sim.New(sim.Config{XSearchLag: time.Nanosecond}) // found at once: this is no virtual time
		web := httptest.NewServer(d.fake)
		t.Cleanup(web.Close)
		t.Cleanup(func() { _ = d.fake.Close() })
		environ = []string{"AVIARY_SOURCE=x", "AVIARY_TRACK=go,rust", "AVIARY_X_API_URL=" + web.URL, "AVIARY_X_BEARER_TOKEN=" + d.fake.BearerToken()}
	} else {
		d.fake, environ = fakeTwitter(t)
		environ = searchable(environ)
	}
	d.g = start(t, nil, append(environ, append(more, "AVIARY_TLS_CERT_FILE="+cert, "AVIARY_TLS_KEY_FILE="+key)...)...)
	d.address = strings.TrimPrefix(d.g.url, "http://")
	d.proxy = d.lead()
	connected(t, d.fake)
	return d
}

// certificateFor makes a certificate for names, which is its own authority.
func certificateFor(t *testing.T, names []string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a gateway under test"}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// lead is a proxy that takes CONNECT for Twitter's names and connects to the
// gateway, so that a program needs no change but HTTPS_PROXY in its environment.
func (d *dropIn) lead() string {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.Host)
		if r.Method != http.MethodConnect || !slices.Contains(twitterHosts, host) {
			d.t.Errorf("the program asks for %s %s", r.Method, r.Host)
			http.Error(w, "only Twitter is led here", http.StatusForbidden)
			return
		}
		there, err := net.Dial("tcp", d.address)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer there.Close()
		here, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			d.t.Error(err)
			return
		}
		defer here.Close()
		if _, err := io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(there, buffered)
			_ = there.Close()
		}()
		_, _ = io.Copy(here, there)
	}))
	d.t.Cleanup(web.Close)
	return web.URL
}
