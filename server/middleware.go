package server

import (
	"bytes"
	"log"
	"log/slog"
	"net/http"
	"time"
)

// recorder notes the status of an answer. It unwraps, so that deadlines and
// flushes reach the connection.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// short is the middleware of every route whose answer ends: a write deadline, a
// line in the log at level debug, and a problem instead of a panic. The log gets
// the path only: queries may hold what is nobody's business.
func (s *Server) short(deadline time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			s.setDeadline(w, deadline)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Referrer-Policy", "no-referrer")
			rec := &recorder{ResponseWriter: w}
			defer func() {
				if v := recover(); v != nil {
					s.panicked(rec, r, v, rec.status != 0)
				}
				s.opts.Log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", rec.status, "took", time.Since(began))
			}()
			next.ServeHTTP(rec, r)
		})
	}
}

// setDeadline bounds all writes of a short answer. A writer without deadlines
// (a test's recorder) goes without.
func (s *Server) setDeadline(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d))
}

// errorLog is where net/http's own complaints go: TLS handshakes that fail,
// clients that speak nonsense. They are no business of an operator's day.
func errorLog(l *slog.Logger) *log.Logger { return log.New(lines{l}, "", 0) }

type lines struct{ log *slog.Logger }

func (l lines) Write(p []byte) (int, error) {
	l.log.Debug("http", "message", string(bytes.TrimSpace(p)))
	return len(p), nil
}
