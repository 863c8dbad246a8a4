package x

import (
	"fmt"
	"testing"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// An account that goes takes its held posts along, each as a delete of v1.1's shape;
// posts of others and of other sources stay. What undoes it brings nothing back.
func TestUserDuties(t *testing.T) {
	for name, goes := range map[string]bool{
		"user_delete": true, "user_suspend": true, "user_protect": true,
		"user_undelete": false, "user_unsuspend": false, "user_unprotect": false, "user_profile_modification": false,
	} {
		t.Run(name, func(t *testing.T) {
			hub := fanout.NewHub(fanout.Config{})
			for id, author := range map[int]int{101: 2, 102: 2, 103: 3} {
				e, err := Decode(fmt.Appendf(nil, `{"data":{"id":"%d","text":"t","author_id":"%d"}}`, id, author))
				if err != nil || !hub.Publish(e) {
					t.Fatal(err)
				}
			}
			var told []string
			d := &Duties{Held: hub, Publish: func(e *fanout.Event) bool {
				told = append(told, string(e.JSON))
				return hub.Publish(e)
			}}
			e, err := Decode([]byte(`{"data":{"` + name + `":{"user":{"id":"2"},"event_at":"2026-01-02T03:04:05.000Z"}}}`))
			if err != nil {
				t.Fatal(err)
			}
			d.publish(e)
			for id, stays := range map[string]bool{"101": !goes, "102": !goes, "103": true} {
				if hub.Has(filter.Key{Source: Name, ID: id}) != stays {
					t.Errorf("%s is held: %v", id, !stays)
				}
			}
			if goes && len(told) != 2 || !goes && len(told) != 0 {
				t.Errorf("told %q", told)
			}
			for _, s := range told {
				if s != `{"delete":{"status":{"id":101,"id_str":"101","user_id":2,"user_id_str":"2"},"timestamp_ms":"1767323045000"}}` &&
					s != `{"delete":{"status":{"id":102,"id_str":"102","user_id":2,"user_id_str":"2"},"timestamp_ms":"1767323045000"}}` {
					t.Errorf("%s", s)
				}
			}
			other, _ := Decode([]byte(`{"data":{"user_delete":{"user":{"id":"999"}}}}`))
			if told = nil; !d.publish(other) || len(told) != 0 {
				t.Errorf("of an account of which nothing is held: %q", told)
			}
		})
	}
}
