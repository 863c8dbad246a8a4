package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sseEvent is one event as a client of the standard sees it.
type sseEvent struct {
	name, id, data string
	came           time.Time // when a listener had read it
}

// text of the post in the event.
func (e sseEvent) text() string {
	var post struct{ Text string }
	_ = json.Unmarshal([]byte(e.data), &post)
	return post.Text
}

// subject is the id of the post that the event is, or deletes.
func (e sseEvent) subject() string {
	var said struct {
		ID     string `json:"id_str"`
		Delete struct {
			Status struct {
				ID string `json:"id_str"`
			}
		}
	}
	_ = json.Unmarshal([]byte(e.data), &said)
	return said.ID + said.Delete.Status.ID
}

// stream is an open /stream.
type stream struct {
	t      *testing.T
	body   io.ReadCloser
	lines  *bufio.Reader
	lastID string
	retry  int

	idBuffer string // counts from the blank line on: what was cut off before was not dispatched
}

// open opens a stream; lastID resumes it.
func (g *running) open(query, lastID string) *stream {
	g.t.Helper()
	request, err := http.NewRequest(http.MethodGet, g.url+"/stream?"+query, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := g.client.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		body, _ := io.ReadAll(response.Body)
		g.t.Fatalf("/stream?%s answers %s: %s", query, response.Status, body)
	}
	s := &stream{t: g.t, body: response.Body, lines: bufio.NewReader(response.Body), lastID: lastID, idBuffer: lastID}
	g.t.Cleanup(s.close)
	return s
}

func (s *stream) close() { _ = s.body.Close() }

// next reads one dispatched event (HTML Standard 9.2.6): blocks without data
// only move the last event id and the retry time.
func (s *stream) next() (sseEvent, error) {
	e, hasData := sseEvent{}, false
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return sseEvent{}, err // what is not ended by a blank line does not count
		}
		line = strings.TrimSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && hasData:
			s.lastID = s.idBuffer
			e.id = s.lastID
			return e, nil
		case line == "":
			s.lastID = s.idBuffer
			e = sseEvent{}
		case field == "event":
			e.name = value
		case field == "id":
			s.idBuffer = value
		case field == "retry":
			s.retry, _ = strconv.Atoi(value)
		case field == "data" && hasData:
			s.t.Errorf("an event of two data lines: %q", value)
		case field == "data":
			e.data, hasData = value, true
		case field != "":
			s.t.Errorf("a line that is none of the standard's: %q", line)
		}
	}
}

// posts reads n posts and returns their texts; other events are passed over.
func (s *stream) posts(n int) (texts []string) {
	s.t.Helper()
	for len(texts) < n {
		e, err := s.next()
		if err != nil {
			s.t.Fatalf("the stream ends after %d of %d posts: %v", len(texts), n, err)
		}
		if e.name == "" {
			texts = append(texts, e.text())
		}
	}
	return texts
}

// until reads to the next event of that name.
func (s *stream) until(name string) sseEvent {
	s.t.Helper()
	for {
		e, err := s.next()
		if err != nil {
			s.t.Fatalf("the stream ends without %s: %v", name, err)
		}
		if e.name == name {
			return e
		}
	}
}

// ends reports an error unless nothing but the end follows.
func (s *stream) ends() {
	s.t.Helper()
	if e, err := s.next(); !errors.Is(err, io.EOF) {
		s.t.Errorf("instead of the end: %+v, %v", e, err)
	}
}
