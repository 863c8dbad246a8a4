package deliver

import (
	"cmp"
	"slices"
	"time"
)

// Info is what an operator sees of a client.
type Info struct {
	ID        uint64    `json:"id"`
	Key       string    `json:"key"` // address whose streams are counted together; "": exempt
	Transport string    `json:"transport"`
	Path      string    `json:"path"` // what writes to it: its "shard", or a "goroutine" of its own
	Filter    string    `json:"filter"`
	Events    string    `json:"events"`
	Since     time.Time `json:"since"`
	Posts     uint64    `json:"posts"`  // delivered
	Behind    uint64    `json:"behind"` // sequences from the id it was sent last, by a heartbeat at latest, to the head
	IdleS     float64   `json:"idle_s"` // since the last write to it
}

// List describes all clients, the oldest first.
func (cs *Clients) List() []Info {
	head := cs.cfg.Hub.Stats().Head.Seq
	list := []Info{}
	for _, s := range cs.shards {
		done := make(chan struct{})
		if s.do(func() {
			defer close(done)
			for _, c := range s.owned {
				list = append(list, c.ownedInfo(head))
			}
		}) {
			<-done
		}
		s.mu.Lock()
		handlers := slices.Clone(s.handlers)
		s.mu.Unlock()
		for _, h := range handlers {
			list = append(list, h.info(head))
		}
	}
	slices.SortFunc(list, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// info is what does not change while the stream lasts.
func (c *Client) info() Info {
	return Info{
		ID: c.ID, Key: c.Key, Transport: c.form.Transport(), Path: "shard",
		Filter: c.sub.Group().Filter().String(), Events: c.form.Events.String(), Since: c.Since.UTC(),
	}
}

func (i Info) with(posts, position, head uint64, idle int64) Info {
	i.Posts, i.Behind = posts, head-min(position, head)
	i.IdleS = time.Duration(max(0, idle)).Round(time.Millisecond).Seconds()
	return i
}

func (h *handler) info(head uint64) Info {
	i := h.client.info()
	i.Path = "goroutine"
	return i.with(h.posts.Load(), h.position.Load(), head, h.client.clients.now()-h.lastWrite.Load())
}

// ownedInfo is info of a client whose socket a shard owns; it runs in its loop.
func (c *Client) ownedInfo(head uint64) Info {
	posts, told, last := c.posts, c.told, c.lastWrite
	if co := c.cohort; co != nil {
		posts, told, last = posts+co.posts, max(told, co.told), max(last, co.lastWrite)
	}
	return c.info().with(posts, told, head, c.clients.now()-last)
}
