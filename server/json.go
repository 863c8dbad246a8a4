package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"unicode/utf8"
)

// marshal is JSON on one line that any line-splitting reader keeps on one line:
// besides U+0000–001F it escapes U+007F–009F, U+2028 and U+2029 in strings, as
// the hub does with the upstream's JSON, and it leaves & < > alone.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return escapeControls(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// escapeControls escapes U+007F–009F, which encoding/json leaves as they are.
// In valid JSON they can only be inside strings.
func escapeControls(in []byte) []byte {
	const hex = "0123456789abcdef"
	var out []byte
	done := 0
	for i := 0; i < len(in); {
		r, n := utf8.DecodeRune(in[i:])
		if r >= 0x7f && r <= 0x9f {
			out = append(append(out, in[done:i]...), '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
			done = i + n
		}
		i += n
	}
	if out == nil {
		return in
	}
	return append(out, in[done:]...)
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
