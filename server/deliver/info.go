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
	now := cs.now()
	list := []Info{}
	for _, s := range cs.shards {
		s.mu.Lock()
		all := slices.Clone(s.all)
		s.mu.Unlock()
		for _, c := range all {
			list = append(list, c.info(head, now))
		}
	}
	slices.SortFunc(list, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (c *Client) info(head uint64, now int64) Info {
	i := Info{
		ID: c.ID, Key: c.Key, Transport: c.form.Transport(), Filter: c.filter.String(),
		Events: c.form.Events.String(), Since: c.Since.UTC(), Posts: c.posts.Load(),
		IdleS: time.Duration(max(0, now-c.lastWrite.Load())).Round(time.Millisecond).Seconds(),
	}
	if p := c.position.Load(); p < head {
		i.Behind = head - p
	}
	return i
}
