package server

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"aviary/fanout/wire"
)

var (
	dictionaryHash = wire.DictionaryHash()
	// dictionaryName is the name of our dictionary, which no other has.
	dictionaryName = hex.EncodeToString(dictionaryHash[:16])
	// dictionaryPath is where it lies. It never changes there.
	dictionaryPath = "/dictionaries/" + dictionaryName
	// dictionaryField is its hash as a byte sequence (RFC 8941, 3.3.5), as
	// Available-Dictionary has it.
	dictionaryField = ":" + base64.StdEncoding.EncodeToString(dictionaryHash[:]) + ":"
)

// dictionary answers dictionaryPath: what a client needs before it can be sent
// dcz. Use-As-Dictionary (RFC 9842, 2.1) tells a browser to name it whenever it
// asks for /stream, with any query.
func (s *Server) dictionary(w http.ResponseWriter, r *http.Request) {
	if name := chi.URLParam(r, "hash"); name != dictionaryName {
		problem(http.StatusNotFound, "there is no dictionary %q; the one in use is %s", clip(name), dictionaryPath).write(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Use-As-Dictionary", `match="/stream"`)
	h.Set("ETag", `"`+dictionaryName+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(wire.Dictionary()))
}
