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
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

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
