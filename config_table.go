package main

import (
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// field is one setting as its tags describe it.
type field struct {
	name   string // without the prefix
	field  string // the name of the Go field
	group  string
	def    string // the default as shown; "" when there is none
	doc    string
	typ    reflect.Type
	secret bool
	index  int
}

// fields walks the settings in their order.
func fields() []field {
	var out []field
	t := reflect.TypeFor[settings]()
	for i := range t.NumField() {
		f := t.Field(i)
		name, isSetting := f.Tag.Lookup("env")
		if !isSetting {
			continue
		}
		def := f.Tag.Get("envDefault")
		if shown, other := f.Tag.Lookup("shown"); other {
			def = shown
		}
		out = append(out, field{
			name: name, field: f.Name, group: f.Tag.Get("group"), def: def, doc: f.Tag.Get("doc"),
			typ: f.Type, secret: f.Type == reflect.TypeFor[secret](), index: i,
		})
	}
	return out
}

// fieldNamed finds a setting by its name without the prefix. It panics if
// there is none: names in this program are written by programmers.
func fieldNamed(name string) field {
	for _, f := range fields() {
		if f.name == name {
			return f
		}
	}
	panic("no setting is called " + name)
}

// value is the field's value in s.
func (f field) value(s *settings) reflect.Value { return reflect.ValueOf(s).Elem().Field(f.index) }

// kind names the setting's type for people.
func (f field) kind() string {
	switch f.typ {
	case reflect.TypeFor[secret]():
		return "secret"
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[size]():
		return "size"
	case reflect.TypeFor[int]():
		return "number"
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[proxies](), reflect.TypeFor[origins](), reflect.TypeFor[natsServers]():
		return "list"
	}
	return "text"
}

// writeMarkdown writes the README's table of settings.
func writeMarkdown(w io.Writer) {
	group := ""
	for _, f := range fields() {
		if f.group != group {
			group = f.group
			fmt.Fprintf(w, "\n**%s**\n\n| variable | type | default | what it does |\n|---|---|---|---|\n", group)
		}
		def := ""
		switch {
		case reflect.TypeFor[settings]().Field(f.index).Tag.Get("shown") != "":
			def = f.def
		case f.def != "":
			def = "`" + f.def + "`"
		}
		fmt.Fprintf(w, "| `%s%s` | %s | %s | %s |\n", prefix, f.name, f.kind(), def, strings.ReplaceAll(f.doc, "|", `\|`))
	}
}

// writeSettings writes every setting with its current value; secrets are
// masked. Values are shown as they were written in the environment, so that a
// wrong one can be seen too.
func writeSettings(w io.Writer, environ []string) {
	vars := ours(environ)
	group := ""
	for _, f := range fields() {
		if f.group != group {
			group = f.group
			fmt.Fprintf(w, "\n%s\n", group)
		}
		fmt.Fprintf(w, "  %s%s = %s\n", prefix, f.name, f.current(vars))
		def := f.def
		if def == "" {
			def = "none"
		}
		fmt.Fprintf(w, "      %s, default %s. %s\n", f.kind(), def, f.doc)
	}
}

// current tells the setting's value in vars for people to read.
func (f field) current(vars map[string]string) string {
	value := vars[prefix+f.name]
	switch path := vars[prefix+f.name+"_FILE"]; {
	case f.secret && path != "":
		return "(from " + path + ")"
	case f.secret && value != "":
		return "(set)"
	case value != "" && f.typ == reflect.TypeFor[natsServers]():
		return fmt.Sprintf("%q", maskURLs(value))
	case value != "":
		if u, err := url.Parse(value); err == nil && u.User != nil {
			value = u.Redacted() // it is wrong, and still a password
		}
		return fmt.Sprintf("%q", value)
	case f.def != "" && !f.secret:
		return f.def + "  (default)"
	}
	return "(not set)"
}
