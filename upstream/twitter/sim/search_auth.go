package sim

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// pool is the rate budget of one kind of credential.
type pool struct {
	left  int
	reset time.Time // end of the window; zero: none has begun
}

// bearerToken is the token that is good now. Its escapes are part of it, as in
// real ones: whoever decodes it is refused. mu is held.
func (s *Server) bearerToken() string {
	return "AAAAAAAAAAAAAAAAAAAAAsim%2Fbearer" + strconv.Itoa(s.find.revoked) + "%3Dnot%2Fa%2Fsecret"
}

// BearerToken returns the token that searches are accepted with now. It is made
// up, like the credentials, and no secret.
func (s *Server) BearerToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bearerToken()
}

// RevokeBearer makes the present bearer token invalid; oauth2/token gives a new one.
func (s *Server) RevokeBearer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find.revoked++
}

// token answers POST /oauth2/token: the bearer token for key and secret.
func (s *Server) token(w http.ResponseWriter, r *http.Request, values url.Values) {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	pair, err := base64.StdEncoding.DecodeString(given)
	want := percentEncode(s.cfg.Credentials.ConsumerKey) + ":" + percentEncode(s.cfg.Credentials.ConsumerSecret)
	switch {
	case !strings.EqualFold(scheme, "Basic") || err != nil || string(pair) != want:
		(&refusal{status: http.StatusForbidden, kind: "application/json; charset=utf-8",
			body: `{"errors":[{"code":99,"message":"Unable to verify your credentials","label":"authenticity_token_error"}]}`}).write(w, s.now())
		return
	case values.Get("grant_type") != "client_credentials":
		apiError(http.StatusForbidden, 170, "Missing required parameter: grant_type").write(w, s.now())
		return
	}
	s.mu.Lock()
	s.stats.Tokens++
	token := s.bearerToken()
	s.mu.Unlock()
	(&refusal{status: http.StatusOK, kind: "application/json; charset=utf-8",
		body: `{"token_type":"bearer","access_token":"` + token + `"}`}).write(w, s.now())
}

// authorizeSearch accepts the bearer token, or a signature. app: the token.
func (s *Server) authorizeSearch(r *http.Request, values url.Values) (app bool, f *refusal) {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return false, s.authorize(r, pairs(values))
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(s.BearerToken())) == 0 {
		return true, apiError(http.StatusUnauthorized, 89, "Invalid or expired token.")
	}
	return true, nil
}

// spend takes one request from the budget and tells the rest in the header. The
// refusal is that of the limit or what the script says; without one the script
// may still want the request to fare in some way.
func (s *Server) spend(h http.Header, app bool) (doorKind, *refusal, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return doorOpen, htmlError(http.StatusServiceUnavailable, "The simulator is closed."), 0
	}
	p, limit := &s.find.user, s.cfg.SearchLimit
	if app {
		p, limit = &s.find.app, s.cfg.SearchAppLimit
	}
	now := s.now()
	if !now.Before(p.reset) {
		p.left, p.reset = limit, now.Add(s.cfg.SearchWindow).Truncate(time.Second)
	}
	if p.left == 0 {
		s.stats.OverLimit++
		p.tell(h, limit)
		return doorOpen, apiError(http.StatusTooManyRequests, 88, "Rate limit exceeded"), 0
	}
	p.left--
	reset, limited := s.find.door.reset, false
	how, f := s.find.door.knock(now)
	if f != nil {
		limited = f.status == http.StatusTooManyRequests || f.status == statusEnhanceYourCalm
		with := *f
		with.reset = time.Time{} // the headers are written here
		f = &with
	}
	if limited && reset > 0 {
		p.left, p.reset = 0, now.Add(reset).Truncate(time.Second)
	}
	if !limited || reset > 0 {
		p.tell(h, limit)
	}
	return how, f, s.find.delay
}

// tell writes the headers that every answer of the REST API has.
func (p *pool) tell(h http.Header, limit int) {
	h.Set("x-rate-limit-limit", strconv.Itoa(limit))
	h.Set("x-rate-limit-remaining", strconv.Itoa(p.left))
	h.Set("x-rate-limit-reset", strconv.FormatInt(p.reset.Unix(), 10))
}

// spoil sets what becomes of the searches to come.
func (f *searching) spoil(l *line, until time.Time) {
	f.door = door{kind: doorStatus, refusal: l.door, reset: l.reset, until: until, left: l.times}
	if l.door == nil {
		f.door.kind = doorKinds[l.text]
	}
	if f.delay = l.delay; l.delay > 0 {
		f.door.kind = doorDelay
	}
	if l.last == 0 && l.times == 0 {
		f.door.left = 1
	}
}

// readSearch reads what becomes of searches: delay DURATION, refuse, hang, open,
// or CODE [body KIND] [retry-after D] [reset D].
func readSearch(p *parser, l *line) (err error) {
	switch word := p.peek(); word {
	case "delay":
		p.next()
		l.delay, err = p.duration()
		return err
	case "refuse", "hang", "open":
		l.text = p.next()
		return nil
	}
	given := p.peek()
	if l.number, err = p.number(200, 599); err != nil {
		return wrong(given, "a search meets delay, refuse, hang, open or a status from 200 to 599")
	}
	return readAnswer(p, l)
}

func gzipped(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}
