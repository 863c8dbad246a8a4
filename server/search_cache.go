package server

import (
	"container/list"
	"sync"
	"time"
)

// Bounds of the search cache: what lies in it is JSON of at most 100 posts an
// entry, some 500 KB.
const (
	maxCachedPages = 1000
	maxCachedBytes = 32 << 20
)

// searchKey is what makes two searches the same: the question, and what whoever
// asks may see.
type searchKey struct {
	scope string
	q     SearchQuestion
}

// pageCache holds answers for a while, within bounds; the oldest goes first. That is
// nearly the order in which they end: one from another node may end a little sooner
// than those before it, so who looks one up checks its time.
type pageCache struct {
	life  time.Duration // 0: nothing is held
	pages int           // bounds
	bytes int

	mu    sync.Mutex
	order *list.List // of *cachedPage, the oldest in front
	byKey map[searchKey]*list.Element
	held  int // bytes
}

type cachedPage struct {
	key  searchKey
	page *SearchPage
	size int
	ends time.Time
}

func newPageCache(life time.Duration, pages, bytes int) *pageCache {
	return &pageCache{life: life, pages: pages, bytes: bytes, order: list.New(), byKey: map[searchKey]*list.Element{}}
}

// get returns the page of a key, nil if none is held.
func (c *pageCache) get(key searchKey, now time.Time) *SearchPage {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trim(now)
	if e := c.byKey[key]; e != nil {
		if p := e.Value.(*cachedPage); now.Before(p.ends) {
			return p.page
		}
	}
	return nil
}

// put holds a page that was given at a time.
func (c *pageCache) put(key searchKey, page *SearchPage, at time.Time) {
	size := 512 // the entry itself, about
	for _, item := range page.Items {
		size += len(item.Event.JSON) + 512
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life <= 0 || size > c.bytes {
		return
	}
	if old := c.byKey[key]; old != nil {
		c.drop(old)
	}
	c.byKey[key] = c.order.PushBack(&cachedPage{key, page, size, at.Add(c.life)})
	c.held += size
	c.trim(at)
}

// trim lets go of what is too old or too much.
func (c *pageCache) trim(now time.Time) {
	for e := c.order.Front(); e != nil; e = c.order.Front() {
		if c.order.Len() <= c.pages && c.held <= c.bytes && now.Before(e.Value.(*cachedPage).ends) {
			return
		}
		c.drop(e)
	}
}

func (c *pageCache) drop(e *list.Element) {
	p := c.order.Remove(e).(*cachedPage)
	delete(c.byKey, p.key)
	c.held -= p.size
}
