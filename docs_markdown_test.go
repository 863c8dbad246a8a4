package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// page is one Markdown file, as far as the tests of the documents read it.
type page struct {
	path     string
	text     string // without its fenced blocks
	headings []heading
	tables   []table
	fences   []fence
}

type heading struct {
	level int
	text  string
	slug  string // the fragment that links to it
}

// table is a table with the headings it stands under, the outermost first.
type table struct {
	under  []string
	header []string
	rows   [][]string
}

// fence is a fenced block.
type fence struct {
	under   []string
	kind    string // the word behind the backticks
	lines   []string
	line    int // where it begins in the file, from 1
	section int // the number of its section
}

// readPages reads the README and all documents.
func readPages(t *testing.T) []*page {
	t.Helper()
	paths, err := filepath.Glob("docs/*.md")
	if err != nil || len(paths) < 5 {
		t.Fatalf("the documents are not found: %q, %v", paths, err)
	}
	var pages []*page
	for _, path := range append([]string{"README.md"}, paths...) {
		pages = append(pages, readPage(t, path))
	}
	return pages
}

func readPage(t *testing.T, path string) *page {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{path: path}
	var text strings.Builder
	var open *fence
	var under []string
	section, slugs := 0, map[string]bool{}
	for i, line := range strings.Split(string(source), "\n") {
		kind, fenced := strings.CutPrefix(line, "```")
		level := len(line) - len(strings.TrimLeft(line, "#"))
		switch {
		case fenced && open != nil:
			p.fences, open = append(p.fences, *open), nil
		case fenced:
			open = &fence{under: under, kind: kind, line: i + 1, section: section}
		case open != nil:
			open.lines = append(open.lines, line)
		case level > 0 && strings.HasPrefix(line[level:], " "):
			h := heading{level: level, text: strings.TrimSpace(line[level:])}
			h.slug = slug(h.text)
			if slugs[h.slug] {
				t.Errorf("%s:%d: two headings have the fragment #%s", path, i+1, h.slug)
			}
			slugs[h.slug] = true
			p.headings = append(p.headings, h)
			under = append(append([]string{}, under[:min(level-1, len(under))]...), h.text)
			section++
			text.WriteString(line + "\n")
		default:
			text.WriteString(line + "\n")
			p.addRow(line, under)
		}
	}
	if open != nil {
		t.Errorf("%s: the block that begins in line %d has no end", path, open.line)
	}
	p.text = text.String()
	return p
}

// addRow adds a line of a table: the first is its header, the second its rule.
func (p *page) addRow(line string, under []string) {
	const bar = "\x00" // stands for \|
	line, isRow := strings.CutPrefix(strings.ReplaceAll(line, `\|`, bar), "|")
	if !isRow {
		if n := len(p.tables); n > 0 && p.tables[n-1].header != nil {
			p.tables = append(p.tables, table{}) // closes it
		}
		return
	}
	var cells []string
	for cell := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(line), "|"), "|") {
		cells = append(cells, strings.TrimSpace(strings.ReplaceAll(cell, bar, "|")))
	}
	n := len(p.tables)
	switch {
	case n == 0 || p.tables[n-1].header == nil:
		p.tables = append(p.tables[:max(n-1, 0)], table{under: under, header: cells})
	case strings.HasPrefix(cells[0], "---"):
	default:
		p.tables[n-1].rows = append(p.tables[n-1].rows, cells)
	}
}

// slug is the fragment that GitHub gives a heading.
func slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.ReplaceAll(heading, "`", "")) {
		switch {
		case r == ' ' || r == '-':
			b.WriteByte('-')
		case r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 0x7f:
			b.WriteRune(r)
		}
	}
	return b.String()
}

var code = regexp.MustCompile("`([^`\n]+)`")

// codes are the words between backticks.
func codes(text string) (words []string) {
	for _, m := range code.FindAllStringSubmatch(text, -1) {
		words = append(words, m[1])
	}
	return words
}

// column gathers the words between backticks in the first cells of all tables
// whose first header is head, under a heading.
func (p *page) column(head, under string) (words []string) {
	for _, table := range p.tables {
		if len(table.header) == 0 || table.header[0] != head {
			continue
		}
		for _, h := range table.under {
			if h == under {
				for _, row := range table.rows {
					words = append(words, codes(row[0])...)
				}
			}
		}
	}
	return words
}

func find(t *testing.T, pages []*page, path string) *page {
	t.Helper()
	for _, p := range pages {
		if p.path == path {
			return p
		}
	}
	t.Fatalf("there is no %s", path)
	return nil
}

// all is everything that all pages say, blocks included.
func all(pages []*page) string {
	var b strings.Builder
	for _, p := range pages {
		b.WriteString(p.text)
		for _, f := range p.fences {
			b.WriteString(strings.Join(f.lines, "\n") + "\n")
		}
	}
	return b.String()
}
