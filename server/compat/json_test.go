package compat

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzMembers holds the walkers to encoding/json: of any valid object they give the
// same members, each a valid value, and of anything at all they come to an end.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"b":[{"c":"}"},2],"d":"x\"]"}`, ` { "a" : -1.5e3 , "b" : [ ] , "c":{ } } `, `{}`, `{"a":"\\","b":null,"c":true}`, `[1,"2",[3],{"4":5}]`, `{"a"`, `{"a":[`, `"`, `{"":""}`, `{"a":"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = raw[space(raw, 0):]
		got := map[string]any{}
		valid := json.Valid(raw)
		members(raw, func(name string, value []byte) {
			var v any
			if err := json.Unmarshal(value, &v); err != nil && valid {
				t.Fatalf("member %q of %q: %q", name, raw, value)
			}
			var plain string
			if json.Unmarshal([]byte(`"`+name+`"`), &plain) == nil {
				name = plain
			}
			got[name] = v
		})
		var list []any
		items(raw, func(value []byte) {
			var v any
			if err := json.Unmarshal(value, &v); err != nil && valid {
				t.Fatalf("an item of %q: %q", raw, value)
			}
			list = append(list, v)
		})
		if !valid {
			return
		}
		var object map[string]any
		if json.Unmarshal(raw, &object) == nil && object != nil && !reflect.DeepEqual(got, object) {
			t.Fatalf("%v, want %v, of %q", got, object, raw)
		}
		var array []any
		if json.Unmarshal(raw, &array) == nil && len(array) > 0 && !reflect.DeepEqual(list, array) {
			t.Fatalf("%v, want %v, of %q", list, array, raw)
		}
	})
}

// Of the text of a status only the name changes, in the posts inside it too.
func TestRenamed(t *testing.T) {
	for in, want := range map[string]string{
		`{"full_text":"a","retweeted_status":{"id":1,"full_text":"b"},"quoted_status":null}`: `{"text":"a","retweeted_status":{"id":1,"text":"b"},"quoted_status":null}`,
		`{"text":"a","full_text":"b"}`: `{"text":"a","full_text":"b"}`,
		`{"user":{"full_text":"x"}}`:   `{"user":{"full_text":"x"}}`,
	} {
		if got := string(renamed(nil, []byte(in), "full_text", "text")); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
