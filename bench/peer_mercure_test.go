package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A hub's form holds the post as it is, and a token that the hub's key has signed.
func TestMercureRequest(t *testing.T) {
	m := render(7, "topic00042", payload, time.Now())
	m.data = append(m.data, "+&=%;é"...) // what a form has to escape
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(mercureRequest("127.0.0.1:1", mercureToken(), m))))
	if err != nil {
		t.Fatal(err)
	}
	if got := request.PostFormValue("data"); got != string(m.data) {
		t.Errorf("data: %s", got)
	}
	if topic, id := request.PostFormValue("topic"), request.PostFormValue("id"); topic != m.topic || id != fmt.Sprint(firstID+7) {
		t.Errorf("topic %s, id %s", topic, id)
	}
	parts := strings.Split(strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	sign := hmac.New(sha256.New, []byte(mercureKey))
	sign.Write([]byte(parts[0] + "." + parts[1]))
	if got, err := base64.RawURLEncoding.DecodeString(parts[2]); err != nil || !hmac.Equal(got, sign.Sum(nil)) {
		t.Errorf("signed wrongly: %v", err)
	}
	var claims struct{ Mercure struct{ Publish []string } }
	if text, err := base64.RawURLEncoding.DecodeString(parts[1]); err != nil || json.Unmarshal(text, &claims) != nil || len(claims.Mercure.Publish) != 1 {
		t.Errorf("claims %s: %v", text, err)
	}
}

// Without the hub on the PATH the error says which build is needed.
func TestMercureBuild(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := findMercure(nil, &peer{}); err == nil || !strings.Contains(err.Error(), "mercure-legacy") {
		t.Errorf("nothing on the PATH: %v", err)
	}
}
