package server

import (
	"bytes"
	"encoding/json"
	"net/http"

	"aviary/fanout"
)

// marshal is JSON on one line that any line-splitting reader keeps on one line:
// what the hub does to the upstream's JSON is done to ours too. It leaves & < >
// alone.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return fanout.Normalize(nil, bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// writeJSON answers with one JSON object; a HEAD gets the headers only. It sets
// the Content-Type if nobody has.
func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	b, err := marshal(v)
	if err != nil {
		panic(err) // only our own types come here
	}
	h := w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(b, '\n')) // a failure means the client has left
	}
}
