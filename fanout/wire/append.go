package wire

import (
	"strconv"
	"strings"
	"time"

	"aviary/fanout"
)

// AppendSSE appends one event for one client. With an empty name it is a
// message, with an empty id it leaves the client's last id alone. CR, LF and NUL
// are cut out of both. json should be one line; line ends in it, harmless
// between tokens, continue it in further data fields.
func AppendSSE(dst []byte, name, id string, json []byte) []byte {
	if name = oneLine(name); name != "" {
		dst = append(dst, "event: "...)
		dst = append(dst, name...)
		dst = append(dst, '\n')
	}
	if id = oneLine(id); id != "" {
		dst = append(dst, "id: "...)
		dst = append(dst, id...)
		dst = append(dst, '\n')
	}
	dst = append(dst, dataMark...)
	for i, b := range json {
		switch {
		case b == '\n' && i > 0 && json[i-1] == '\r':
			// the second half of one line end
		case b == '\n' || b == '\r':
			dst = append(dst, "\n"+dataMark...)
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '\n', '\n')
}

// oneLine cuts out what would end a field or make a browser ignore it.
func oneLine(s string) string {
	if !strings.ContainsAny(s, "\r\n\x00") {
		return s
	}
	return strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(s)
}

// AppendRetry appends "retry: N" with its blank line, in milliseconds: how long
// a client waits before it comes back.
func AppendRetry(dst []byte, d time.Duration) []byte {
	dst = append(dst, "retry: "...)
	dst = strconv.AppendInt(dst, max(0, d.Milliseconds()), 10)
	return append(dst, '\n', '\n')
}

// AppendComment appends a comment with its blank line: nothing for the client,
// bytes for the proxies between.
func AppendComment(dst []byte, text string) []byte {
	dst = append(dst, ": "...)
	dst = append(dst, oneLine(text)...)
	return append(dst, '\n', '\n')
}

// AppendGap appends the gap event; its id is its end.
func AppendGap(dst []byte, g fanout.Gap) []byte {
	return AppendSSE(dst, "gap", g.Cursor.String(), g.AppendJSON(nil))
}

// AppendGapLine appends the gap as a line of NDJSON.
func AppendGapLine(dst []byte, g fanout.Gap) []byte {
	return append(g.AppendJSON(dst), '\n')
}
