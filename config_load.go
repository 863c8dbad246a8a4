package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"aviary/fanout/filter"

	"github.com/caarlos0/env/v11"
)

// problem is one thing that is wrong with the settings: the variable, and in
// words what is wrong with it and what to do.
type problem struct {
	Var string // with the prefix
	Msg string
}

// String is the problem on one line, whatever the environment holds.
func (p problem) String() string { return clean(p.Var + ": " + p.Msg) }

// problems collects what is wrong, so that all of it is told at once.
type problems []problem

// add notes a problem of a setting, named without the prefix.
func (p *problems) add(name, format string, args ...any) {
	*p = append(*p, problem{Var: prefix + name, Msg: fmt.Sprintf(format, args...)})
}

// about reports whether a problem of that setting is known already.
func (p problems) about(name string) bool {
	return slices.ContainsFunc(p, func(q problem) bool { return q.Var == prefix+name })
}

// load reads the settings from an environment ("NAME=value" each). It opens
// nothing but the files that settings name. With any problem the settings are
// not to be used.
func load(environ []string) (*settings, problems) {
	s, found := read(environ)
	s.check(&found)
	slices.SortStableFunc(found, func(a, b problem) int { return strings.Compare(a.Var, b.Var) })
	return s, found
}

// read parses every variable by itself: its name, its form and its file.
func read(environ []string) (*settings, problems) {
	var found problems
	vars := ours(environ)
	s := &settings{given: map[string]bool{}}
	for name, value := range vars {
		if value != "" {
			s.given[strings.TrimPrefix(name, prefix)] = true
		}
	}
	s.secretFiles = readSecretFiles(vars, &found)

	known := map[string]bool{}
	err := env.ParseWithOptions(s, env.Options{
		Environment: vars,
		Prefix:      prefix,
		// The library ignores variables it does not know, and a misspelt
		// setting that is ignored is the worst kind: collect the names it asks for.
		OnSet: func(name string, _ any, _ bool) { known[name] = true },
	})
	var all env.AggregateError
	if errors.As(err, &all) {
		for _, err := range all.Errors {
			found = append(found, formProblem(err, vars))
		}
	}
	refuseUnknown(vars, known, &found)
	return s, found
}

// ours keeps the variables that are settings, except those that Kubernetes
// makes up in every container of a namespace with a service called aviary.
func ours(environ []string) map[string]string {
	vars := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		rest, mine := strings.CutPrefix(name, prefix)
		if !mine || rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_") {
			continue
		}
		vars[name] = value
	}
	return vars
}

// readSecretFiles puts the contents of each <NAME>_FILE in the place of <NAME>,
// takes the file's variable away and returns the paths by name.
func readSecretFiles(vars map[string]string, found *problems) map[string]string {
	paths := map[string]string{}
	for _, f := range fields() {
		path := vars[prefix+f.name+"_FILE"]
		if !f.secret {
			continue
		}
		delete(vars, prefix+f.name+"_FILE")
		switch {
		case path == "":
		case vars[prefix+f.name] != "":
			found.add(f.name, "is set, and %s%s_FILE too; keep one of them", prefix, f.name)
		default:
			value, err := readSecret(path)
			if err != nil {
				found.add(f.name+"_FILE", "%v", err)
				continue
			}
			vars[prefix+f.name] = value
			paths[f.name] = path
		}
	}
	return paths
}

// longestSecret is far above any key or token: more is another file.
const longestSecret = 64 << 10

// readSecret reads one secret. Editors and echo end a file with a line end;
// it is not part of the secret and would make every signature wrong.
func readSecret(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("the file cannot be read (%w); mount it, or let this user read it", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, longestSecret+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("the file cannot be read (%w); name a file that holds the secret", err)
	case len(text) > longestSecret:
		return "", fmt.Errorf("%s holds more than %d bytes; name a file that holds only the secret", path, longestSecret)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("%s is empty; write the secret into it", path)
	}
	return value, nil
}

// formProblem words an error of the parser for an operator: the variable
// instead of the field, and what a right value looks like.
func formProblem(err error, vars map[string]string) problem {
	var parse env.ParseError
	if !errors.As(err, &parse) {
		return problem{Var: prefix + "*", Msg: err.Error()}
	}
	for _, f := range fields() {
		if f.field != parse.Name {
			continue
		}
		value := vars[prefix+f.name]
		msg := parse.Err.Error() // our own types say it well
		switch f.typ {
		case reflect.TypeFor[time.Duration]():
			msg = fmt.Sprintf("%q is not a duration; write a number with a unit, such as 250ms, 15s, 5m or 24h", value)
		case reflect.TypeFor[int]():
			msg = fmt.Sprintf("%q is not a whole number; write digits only, such as 100", value)
		case reflect.TypeFor[bool]():
			msg = fmt.Sprintf("%q is neither true nor false; write one of them", value)
		}
		return problem{Var: prefix + f.name, Msg: msg}
	}
	return problem{Var: prefix + parse.Name, Msg: parse.Err.Error()}
}

// refuseUnknown finds variables that are no setting and names the one that was meant.
func refuseUnknown(vars map[string]string, known map[string]bool, found *problems) {
	var names []string
	for name := range known {
		names = append(names, strings.TrimPrefix(name, prefix))
	}
	for _, f := range fields() {
		if f.secret {
			names = append(names, f.name+"_FILE")
		}
	}
	slices.Sort(names)
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if known[name] {
			continue
		}
		name = strings.TrimPrefix(name, prefix)
		if near := filter.Nearest(strings.ToUpper(name), names); near != "" {
			found.add(name, "is not a setting; did you mean %s%s?", prefix, near)
		} else {
			found.add(name, "is not a setting; `aviary env` lists them")
		}
	}
}
