package x

// maxDelivered is how many delivered posts are remembered for looking them up again.
const maxDelivered = 50_000

// ring holds the last ids, oldest first.
type ring struct {
	ids  []string
	next int // where the next one goes once it is full
}

func (r *ring) add(id string) {
	if len(r.ids) < maxDelivered {
		r.ids = append(r.ids, id)
		return
	}
	r.ids[r.next] = id
	r.next = (r.next + 1) % maxDelivered
}

// all copies the ids, oldest first.
func (r *ring) all() []string {
	return append(append(make([]string, 0, len(r.ids)), r.ids[r.next:]...), r.ids[:r.next]...)
}
