package x

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"aviary/upstream"
)

// connections frees the slot of a stream of ours that died and that the upstream
// still counts. It is used by the goroutine of Stream alone.
//
// Ours is the connection to the filtered stream that was opened when this process
// opened its last one, unless the upstream itself has ended that. After a crash
// nobody remembers: then, once in the life of a process, one that is older than the
// process counts as what an earlier run left behind. A gateway elsewhere that uses
// the same token may be cut off by that, once, and comes back; whichever of the two
// is second then leaves the other's younger stream alone, so no fight begins.
type connections struct {
	api *api
	log *slog.Logger

	began     time.Time // the server's time at its first answer
	opened    time.Time // when our last stream was opened, by the server's time; zero: it has ended there
	inherited bool      // the one attempt on an older stream was made
	denied    bool      // the token may not use the API: told, not asked again
}

// sameMoment is how far apart two clocks of the upstream may be.
const sameMoment = 10 * time.Second

// answered notes the server's time, and that a stream was opened.
func (c *connections) answered(at time.Time, opened bool) {
	if c.began.IsZero() {
		c.began = at
	}
	if opened {
		c.opened = at
	}
}

// ended notes that the upstream ended our stream: it does not count it any more.
func (c *connections) ended() { c.opened = time.Time{} }

// ours says whether a connection is one of this process, or was left behind.
func (c *connections) ours(opened time.Time) bool {
	if d := opened.Sub(c.opened); !c.opened.IsZero() && -sameMoment <= d && d <= sameMoment {
		return true
	}
	return !c.inherited && opened.Before(c.began.Add(-time.Second))
}

// settle is how long the upstream gets to forget a stream that was ended.
const settle = time.Second

// free ends our dead streams and says whether there was one.
func (c *connections) free(ctx context.Context) bool {
	if c.denied {
		return false
	}
	ids, err := c.list(ctx)
	if err != nil || len(ids) == 0 {
		c.explain(err)
		return false
	}
	c.inherited = true
	c.ended() // one attempt for each stream
	raw, err := c.api.call(ctx, &c.api.budgets.connections, http.MethodDelete, connectionsPath, nil, map[string]any{"uuids": ids})
	if err != nil {
		c.explain(err)
		return false
	}
	var done struct {
		Data struct {
			Kills int `json:"successful_kills"`
		} `json:"data"`
	}
	if json.Unmarshal(raw, &done) != nil || done.Data.Kills == 0 {
		return false
	}
	c.log.Info("a stream that the upstream still counted was ended there", "streams", done.Data.Kills)
	select {
	case <-time.After(settle):
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// list finds the active streams that are ours.
func (c *connections) list(ctx context.Context) (ids []string, err error) {
	query := url.Values{
		"status": {"active"}, "endpoints": {"filtered_stream"}, "max_results": {"100"},
		"connection.fields": {"id,endpoint_name,connected_at,disconnected_at"},
	}
	raw, err := c.api.call(ctx, &c.api.budgets.connections, http.MethodGet, connectionsPath, query, nil)
	if err != nil {
		return nil, err
	}
	var page struct {
		Data []struct {
			ID           string `json:"id"`
			Endpoint     string `json:"endpoint_name"`
			Connected    string `json:"connected_at"`
			Disconnected string `json:"disconnected_at"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		return nil, &upstream.Error{Class: upstream.HTTP, Err: errors.New("the list of connections cannot be read")}
	}
	for _, one := range page.Data {
		at := parseTime(one.Connected)
		if one.Endpoint == "filtered_stream" && one.Disconnected == "" && one.ID != "" && !at.IsZero() && c.ours(at) {
			ids = append(ids, one.ID)
		}
	}
	return ids[:min(len(ids), 100)], nil
}

// explain says why nothing was freed; that the token may not, once.
func (c *connections) explain(err error) {
	var e *upstream.Error
	switch {
	case err == nil:
		c.log.Warn("another stream is open with this token, and it is none of ours")
	case errors.As(err, &e) && e.Class == upstream.Fatal:
		c.denied = true
		c.log.Warn("the Connections API cannot be used, so a slot that a dead stream holds is waited for", "error", e.Error())
	default:
		c.log.Warn("the Connections API did not answer", "error", err)
	}
}
