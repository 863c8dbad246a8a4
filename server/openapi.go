package server

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the description below
	"encoding/hex"
	"net/http"
	"time"
)

// description is /openapi.yaml: the public listener for programs to read
// (OpenAPI 3.1). It is written by hand and held against the routes, the
// parameters and real answers by tests.
//
//go:embed openapi.yaml
var description []byte

// descriptionTag is its entity tag.
var descriptionTag = func() string {
	sum := sha256.Sum256(description)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}()

// openapi answers /openapi.yaml (media type of RFC 9512).
func (s *Server) openapi(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/yaml")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", descriptionTag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(description))
}
