package sim

import (
	"embed"
	"path"
	"strings"
	"sync"
)

// The sentences lie in one text file for each language: lines of a keyword
// (a topic, any, reply, bio, name, desk) and a text.
//
//go:embed phrases/*.txt
var phraseFiles embed.FS

// topics are the clusters posts fall into; the name is also the keyword, so
// track=football or track=go shows a steady part of the stream. The weights
// are per cent, any has the rest.
var topics = []struct {
	name   string
	weight int
	emoji  []string
	symbol string // a made-up company of the field
}{
	{"football", 17, []string{"⚽", "🥅", "🏟️", "🧤", "👏🏽"}, "GOAL"},
	{"go", 17, []string{"🐹", "💻", "🛠️", "👩‍💻", "✅"}, "GOPHR"},
	{"music", 16, []string{"🎶", "🎸", "🎻", "👩🏿‍🎤", "🥁"}, "TUNE"},
	{"weather", 11, []string{"🌧️", "☀️", "⛈️", "❄️", "🌈"}, "RAIN"},
	{"cooking", 11, []string{"🍳", "👨🏽‍🍳", "🧅", "🍲", "😋"}, "SALT"},
	{"trains", 10, []string{"🚆", "🚂", "🛤️", "🚉", "🫖"}, "RAIL"},
	{"space", 10, []string{"🚀", "👩🏽‍🚀", "🌕", "🛰️", "✨"}, "ORBIT"},
	{"any", 8, []string{"☕", "🙂", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🐈‍⬛"}, "ACME"},
}

// language is what one language's file holds.
type language struct {
	code  string
	said  [][]template // by topic
	reply []template
	bios  []string
	names []name
}

// name is a made-up person or desk.
type name struct {
	shown, screen string
	desk          bool // an editorial account: verified, many followers
}

// template is a sentence cut at its slots; odd parts are slot names.
type template []string

func compile(s string) template {
	var t template
	for {
		before, rest, ok := strings.Cut(s, "{")
		t = append(t, before)
		slot, after, closed := strings.Cut(rest, "}")
		if !ok || !closed || slots[slot] == nil {
			if ok { // a brace that is just a brace
				t[len(t)-1] = s
			}
			return t
		}
		t = append(t, slot)
		s = after
	}
}

// languages reads the files, once.
var languages = sync.OnceValue(func() []language {
	entries, _ := phraseFiles.ReadDir("phrases")
	var out []language
	for _, entry := range entries {
		data, _ := phraseFiles.ReadFile("phrases/" + entry.Name())
		out = append(out, readLanguage(strings.TrimSuffix(path.Base(entry.Name()), ".txt"), string(data)))
	}
	return out
})

func readLanguage(code, data string) language {
	l := language{code: code, said: make([][]template, len(topics))}
	for line := range strings.Lines(data) {
		keyword, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch keyword {
		case "", "#":
		case "reply":
			l.reply = append(l.reply, compile(rest))
		case "bio":
			l.bios = append(l.bios, rest)
		case "name", "desk":
			shown, screen, _ := strings.Cut(rest, " = ")
			l.names = append(l.names, name{shown, screen, keyword == "desk"})
		default:
			i := topicIndex(keyword)
			l.said[i] = append(l.said[i], compile(rest))
		}
	}
	return l
}

// topicIndex panics on a word that is no topic: a mistake in our own files.
func topicIndex(name string) int {
	for i, t := range topics {
		if t.name == name {
			return i
		}
	}
	panic("sim: no such topic: " + name)
}
