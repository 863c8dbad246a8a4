package server

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"aviary/fanout/filter"
)

func probe(t *testing.T, g *gate, method, path string) int {
	t.Helper()
	request, err := http.NewRequest(method, g.url+path+"?no_such_parameter=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := g.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// inQuery are the names of an operation's query parameters.
func inQuery(o *openapi3.Operation) (names []string) {
	for _, p := range o.Parameters {
		if p.Value.In == openapi3.ParameterInQuery {
			names = append(names, p.Value.Name)
		}
	}
	return names
}

// same reports parameters of which only one side knows.
func same(t *testing.T, what string, known, described []string) {
	t.Helper()
	for _, name := range known {
		if !slices.Contains(described, name) {
			t.Errorf("%s takes %q, which is not described", what, name)
		}
	}
	for _, name := range described {
		if !slices.Contains(known, name) {
			t.Errorf("%s does not take %q, which is described", what, name)
		}
	}
}

// namedRules is the one parameter whose names are the client's own.
const namedRules = "rules"

// The parameters of /stream and /filters/check, in the query and in the form, are
// those they read, and take the words that are listed.
func TestOpenAPIStreamParameters(t *testing.T) {
	doc := described(t)
	stream, check := doc.Paths.Value("/stream"), doc.Paths.Value("/filters/check")
	known := slices.Concat(filter.Params(), ownParams)
	form := stream.Post.RequestBody.Value.Content["application/x-www-form-urlencoded"].Schema.Value
	same(t, "GET /stream", append(known, namedRules), inQuery(stream.Get))
	same(t, "POST /stream", known, slices.Collect(maps.Keys(form.Properties)))
	same(t, "GET /filters/check", append(filter.Params(), namedRules), inQuery(check.Get))
	same(t, "POST /filters/check", append(filter.Params(), namedRules), inQuery(check.Post))

	for _, p := range stream.Get.Parameters {
		if p.Value.In != openapi3.ParameterInQuery {
			continue
		}
		words := p.Value.Schema.Value.Enum
		for _, example := range p.Value.Examples {
			words = append(words, example.Value.Value)
		}
		for _, word := range words {
			values := url.Values{p.Value.Name: {fmt.Sprint(word)}}
			if object, named := word.(map[string]any); named {
				values = url.Values{}
				for name, rule := range object {
					values.Set(name, rule.(string))
				}
			}
			if _, err := parse(values, http.Header{}, time.Now()); err != nil {
				t.Errorf("%s=%v: %v", p.Value.Name, word, err)
			}
		}
		if len(p.Value.Schema.Value.Enum) > 0 || p.Value.Schema.Value.Type.Is("integer") {
			if _, err := parse(url.Values{p.Value.Name: {"nonsense"}}, http.Header{}, time.Now()); err == nil {
				t.Errorf("%s=nonsense is taken", p.Value.Name)
			}
		}
	}
	for name, param := range map[string]string{"Limit": "limit", "MaxRate": "max_rate"} {
		most := uint64(*doc.Components.Schemas[name].Value.Max)
		for value, good := range map[uint64]bool{1: true, most: true, 0: false, most + 1: false} {
			if _, err := parse(url.Values{param: {strconv.FormatUint(value, 10)}}, http.Header{}, time.Now()); (err == nil) != good {
				t.Errorf("%s=%d: %v", param, value, err)
			}
		}
	}
}

// The names that rules may have, and how many, are those that are taken.
func TestOpenAPINamedRules(t *testing.T) {
	doc := described(t)
	rules := doc.Components.Schemas["NamedRules"].Value
	form := doc.Components.Schemas["StreamForm"].Value
	if len(rules.PatternProperties) != 1 || !maps.EqualFunc(rules.PatternProperties, form.PatternProperties, func(a, b *openapi3.SchemaRef) bool { return a.Ref == b.Ref }) {
		t.Fatalf("a query takes %v, a form %v", rules.PatternProperties, form.PatternProperties)
	}
	for pattern := range rules.PatternProperties {
		right := regexp.MustCompile(pattern)
		for _, name := range []string{
			"filter.a", "filter.A", "filter.0", "filter._", "filter.-", "filter.cats_and-dogs", "filter." + strings.Repeat("a", 32), "filter." + strings.Repeat("a", 33),
			"filter." + strings.Repeat("a", 64), "filter." + strings.Repeat("a", 65), "filter", "filter.", "filter.a b", "filter.a.b", "filter.é", "filter.a,b", "filter.a\n", "filters.a", "xfilter.a", "Filter.a",
		} {
			_, err := parse(url.Values{name: {"cat"}}, http.Header{}, time.Now())
			if (err == nil) != right.MatchString(name) {
				t.Errorf("%q is described as a name: %v, and taken with %v", name, right.MatchString(name), err)
			}
		}
	}
	most := int(*rules.MaxProps)
	for _, n := range []int{most, most + 1} {
		values := url.Values{}
		for i := range n {
			values.Set(fmt.Sprintf("filter.n%d", i), "cat")
		}
		if _, err := parse(values, http.Header{}, time.Now()); (err == nil) != (n == most) {
			t.Errorf("%d rules: %v", n, err)
		}
	}
}

// The parameters of the searches are those they read, and take the words that
// are listed.
func TestOpenAPISearchParameters(t *testing.T) {
	doc := described(t)
	for path, route := range map[string]struct {
		known []string
		parse func(url.Values) error
	}{
		"/search":       {pageParams, func(v url.Values) error { _, err := parsePage(v); return err }},
		"/search/pages": {walkParams, func(v url.Values) error { _, err := parseWalk(v, http.Header{}); return err }},
	} {
		operation := doc.Paths.Value(path).Get
		same(t, path, route.known, inQuery(operation))
		for _, p := range operation.Parameters {
			schema := p.Value.Schema.Value
			ask := func(value string) error {
				v := url.Values{"q": {"go"}}
				v.Set(p.Value.Name, value)
				return route.parse(v)
			}
			if p.Value.Required && route.parse(url.Values{}) == nil {
				t.Errorf("%s goes without %s", path, p.Value.Name)
			}
			for _, word := range schema.Enum {
				if err := ask(word.(string)); err != nil {
					t.Errorf("%s: %s=%v: %v", path, p.Value.Name, word, err)
				}
			}
			strict := len(schema.Enum) > 0 || schema.Type.Is("integer") || schema.Format != "" || schema.Pattern != ""
			if strict && ask("nonsense") == nil {
				t.Errorf("%s takes %s=nonsense", path, p.Value.Name)
			}
			if schema.Max != nil && (ask(strconv.Itoa(int(*schema.Max))) != nil || ask(strconv.Itoa(int(*schema.Max)+1)) == nil) {
				t.Errorf("%s: the most that %s takes is not %v", path, p.Value.Name, *schema.Max)
			}
			if schema.MaxLength != nil && (ask(strings.Repeat("é", int(*schema.MaxLength))) != nil || ask(strings.Repeat("é", int(*schema.MaxLength)+1)) == nil) {
				t.Errorf("%s: the longest %s is not of %d characters", path, p.Value.Name, *schema.MaxLength)
			}
		}
	}
}

// The parameters of API v2 that are described are those it takes: of one that does
// not exist it says which do. The values that are listed are those it takes.
func TestOpenAPIDropInParameters(t *testing.T) {
	doc, g := described(t), newTCPGate(t)
	for path, item := range doc.Paths.Map() {
		if !strings.HasPrefix(path, "/2/") {
			continue
		}
		for method, operation := range item.Operations() {
			resp := g.do(method, path+"?zzzz=1", "{}", "Content-Type: application/json")
			_, list, _ := strings.Cut(readAll(t, resp.Body), "is not one of [")
			list, _, _ = strings.Cut(list, "]")
			same(t, method+" "+path, strings.Split(list, ","), inQuery(operation))
		}
		for _, p := range item.Get.Parameters {
			if !strings.HasSuffix(p.Value.Name, ".fields") && p.Value.Name != "expansions" || p.Value.Name == "rules_count.fields" {
				continue
			}
			resp := g.do("GET", path+"?"+p.Value.Name+"=zzzz", "")
			_, list, _ := strings.Cut(readAll(t, resp.Body), "[zzzz] is not one of [")
			list, _, _ = strings.Cut(list, "]")
			var words []string
			for _, word := range p.Value.Schema.Value.Items.Value.Enum {
				words = append(words, word.(string))
			}
			same(t, p.Value.Name, strings.Split(list, ","), words)
		}
	}
}
