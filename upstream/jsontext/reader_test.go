package jsontext

import (
	"encoding/json"
	"testing"
)

// The pattern of the documentation: members are picked, all else is checked.
func TestReader(t *testing.T) {
	var r Reader
	r.Reset([]byte(` {"a":"x\u00e9\n","n":-1.5e3,"id":18446744073709551615,"list":[{"k":1},2,{"k":3}],"p":[1,2,3],"deep":{"x":[null,true,{}]},"t":true,"z":null} `))
	var a, id string
	var n float64
	var keys int
	var at [2]float64
	var yes, null bool
	if !r.Object() {
		t.Fatal("no object")
	}
	for r.Key() {
		switch r.Name {
		case "a":
			a, _ = r.Str()
		case "n":
			n, _ = r.Float()
		case "id":
			id = r.Numeral()
		case "list":
			r.Each(func() {
				r.Object()
				for r.Key() {
					keys++
					r.Skip()
				}
			})
		case "p":
			at, _ = r.Position()
		case "t":
			yes = r.IsTrue()
		case "z":
			null = r.Null()
		default:
			r.Skip()
		}
	}
	if !r.End() || a != "xé\n" || n != -1500 || id != "18446744073709551615" || keys != 2 || at != [2]float64{1, 2} || !yes || !null {
		t.Errorf("%q %v %q %d %v %v %v, end %v", a, n, id, keys, at, yes, null, r.End())
	}
}

// FuzzReader holds the reader to encoding/json: the same texts are valid, and a
// string reads the same.
func FuzzReader(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.0e-3,"\ud83d\ude00\ud800"]}`, `"\u0000\""`, `[[],{},null,true,false]`, ` 0 `, `-`, `{"a"}`, `[1,]`, "\"\x01\"", `01`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var r Reader
		r.Reset(in)
		r.Skip()
		if got, want := r.End(), json.Valid(in); got != want {
			t.Fatalf("valid %v, encoding/json says %v: %q", got, want, in)
		}
		r.Reset(in)
		got, ok := r.Str()
		var want string
		if ok = ok && r.End(); ok && json.Unmarshal(in, &want) == nil && len(want) > 0 && want != string([]rune(got)) {
			t.Fatalf("%q, encoding/json reads %q", got, want)
		}
	})
}
