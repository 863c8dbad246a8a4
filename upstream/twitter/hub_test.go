package twitter

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream"
)

// Into the real hub: what comes twice, on one stream or after a reconnect, is
// there once; a delete takes its post away; the outage is told.
func TestIntoTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := `{"delete":{"status":{"id":2,"id_str":"2","user_id":7}}}`
		h := newHostile(t,
			cut(tweet(1)+"\r\n", tweet(2)+"\r\n", tweet(1)+"\r\n"),
			stay(tweet(1)+"\r\n", tweet(2)+"\r\n", tweet(3)+"\r\n", gone+"\r\n", tweet(2)+"\r\n"))
		hub := fanout.NewHub(fanout.Config{Events: 100, Bytes: 1 << 20, Age: time.Hour})
		defer hub.Close()
		all, err := filter.Parse(nil)
		if err != nil {
			t.Fatal(err)
		}
		bell := hub.NewBell()
		defer bell.Close()
		sub, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: all, Bell: bell})
		defer sub.Close()
		r := &upstream.Runner{Source: h.source(t), Publish: hub.Publish, Name: "twitter", Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(time.Second)
		synctest.Wait()
		var got []string
		events, _ := sub.Next(nil, 100)
		for _, e := range events {
			switch e.Kind {
			case fanout.KindPost:
				got = append(got, e.Post.Key.ID)
			case fanout.KindUpstream:
			case fanout.KindGap:
				got = append(got, fmt.Sprint("gap:", strings.Contains(string(e.JSON), `"reason":"upstream"`)))
			default:
				got = append(got, e.Kind.String())
			}
		}
		// Post 2 was taken out by its delete before anybody looked.
		if want := "1 gap:true 3 delete"; strings.Join(got, " ") != want {
			t.Errorf("the hub holds %q, want %q", strings.Join(got, " "), want)
		}
		if n := r.Stats().Drops[upstream.DropDuplicate]; n != 4 {
			t.Errorf("%d duplicates", n)
		}
		for id, want := range map[string]bool{"1": true, "2": false, "3": true} {
			if hub.Has(filter.Key{Source: Name, ID: id}) != want {
				t.Errorf("post %s is held: %v", id, !want)
			}
		}
		cancel()
		<-done
	})
}
