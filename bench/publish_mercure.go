package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// mercureUnanswered is how many messages are sent ahead of their answers: more
// than any measurement has in flight, and few enough for the sockets' buffers.
const mercureUnanswered = 64

// openMercure opens the publisher's connection and publishes one message over it to
// nobody, because Mercure closes one on which nothing comes at first.
func (s *server) openMercure() error {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return err
	}
	token, answers := mercureToken(), bufio.NewReader(conn)
	_ = conn.SetDeadline(time.Now().Add(publishTimeout))
	if _, err = conn.Write(mercureRequest(s.addr, token, message{topic: "nobody"})); err == nil {
		err = mercureAnswer(answers)
	}
	if err != nil {
		conn.Close()
		return err
	}
	_ = conn.SetDeadline(time.Time{})
	unanswered, refused := make(chan struct{}, mercureUnanswered), make(chan error, 1)
	go func() { // ends with the connection
		for {
			if err := mercureAnswer(answers); err != nil {
				refused <- err
				return
			}
			<-unanswered
		}
	}()
	s.publish = func(m message) error {
		select {
		case unanswered <- struct{}{}:
		case err := <-refused:
			return err
		case <-time.After(publishTimeout):
			return fmt.Errorf("no answer to %d messages for %v", mercureUnanswered, publishTimeout)
		}
		_ = conn.SetWriteDeadline(time.Now().Add(publishTimeout))
		_, err := conn.Write(mercureRequest(s.addr, token, m))
		return err
	}
	stop := s.stop
	s.stop = func() { conn.Close(); stop() }
	return nil
}

// mercureAnswer reads the answer to one message.
func mercureAnswer(from *bufio.Reader) error {
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("a message is refused: %s: %s", response.Status, said)
	}
	return err
}

// mercureRequest publishes one message, with an id of ours as the others have.
func mercureRequest(addr, token string, m message) []byte {
	form := url.Values{"topic": {m.topic}, "id": {fmt.Sprint(firstID + m.seq)}, "data": {string(m.data)}}.Encode()
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		mercureHub, addr, token, len(form), form)
}

// mercureToken allows to publish to all topics.
func mercureToken() string {
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(`{"mercure":{"publish":["*"]}}`))
	sign := hmac.New(sha256.New, []byte(mercureKey))
	sign.Write([]byte(token))
	return token + "." + encode(sign.Sum(nil))
}
