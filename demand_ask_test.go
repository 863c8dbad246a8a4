package main

import (
	"context"
	"errors"
	"testing"

	"aviary/upstream"
	"aviary/upstream/demand"
)

// scripted is a stream of a v1Asked that the test accepts and ends.
type scripted struct {
	accept, end chan struct{}
	over        chan error
}

// Stream implements upstream.Source.
func (s *scripted) Stream(_ context.Context, to upstream.Sink) error {
	<-s.accept
	to.Alive(0)
	to.Alive(1)
	s.accept <- struct{}{}
	<-s.end
	return errors.New("over")
}

type deafSink struct{ upstream.Sink }

func (deafSink) Alive(int) {}

// What is in force is what the newest open stream asks for: if one that was to take
// another's place ends first, it is what the other asked for again.
func TestInForce(t *testing.T) {
	told := 0
	v := &v1Asked{streams: func() { told++ }}
	open := func(track string) *scripted {
		s := &scripted{make(chan struct{}), make(chan struct{}), make(chan error)}
		v.make = func(predicates) (upstream.Source, error) { return s, nil }
		if err := v.set(wish{predicates{Track: track}, demand.NewForce(demand.Config{})}); err != nil {
			t.Fatal(err)
		}
		began := make(chan struct{})
		v.make = func(predicates) (upstream.Source, error) {
			close(began)
			return s, nil
		}
		go func() { s.over <- v.Stream(t.Context(), deafSink{}) }()
		<-began
		return s
	}
	accept := func(s *scripted) {
		s.accept <- struct{}{}
		<-s.accept
	}
	end := func(s *scripted) {
		close(s.end)
		<-s.over
	}
	is := func(track string, times int) {
		t.Helper()
		if got := v.inForce().own.Track; got != track || told != times {
			t.Errorf("in force is %q, told %d times; want %q, %d", got, told, track, times)
		}
	}
	first := open("first")
	is("", 0)
	accept(first)
	is("first", 1)
	second := open("second") // is never accepted
	is("first", 1)
	third := open("third")
	accept(third)
	is("third", 2)
	end(third) // refused after all
	is("first", 3)
	fourth := open("fourth")
	accept(fourth)
	end(first) // it has taken its place
	is("fourth", 4)
	end(fourth) // what it asked for is the last there was
	is("fourth", 4)
	accept(second)
	end(second)
}
