package filter

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// follow reads numeric user ids.
func (p *parsed) follow(list []item) *Error {
	p.content.kids = slices.Grow(p.content.kids, len(list))
	for _, it := range list {
		n, err := strconv.ParseUint(it.text, 10, 64)
		if err != nil || n == 0 {
			return errorAt("follow", it.pos, "%s is not a numeric user id; names cannot be followed, use the id behind the name", quote(it.text))
		}
		id := it.text
		if id[0] == '0' {
			id = strconv.FormatUint(n, 10)
		}
		p.content.kids = append(p.content.kids, literalExpr(literal{op: opFeature, is: inFollow, num: n, arg: kindUser.of(id)}, 0))
	}
	return nil
}

// locations reads boxes of four numbers: west, south, east, north.
func (p *parsed) locations(list []item) *Error {
	var corner [4]float64
	for i, it := range list {
		v, err := parseDegrees(it.text, i%2 == 0)
		if err != "" {
			return errorAt("locations", it.pos, "%s %s", quote(it.text), err)
		}
		if corner[i%4] = v; i%4 != 3 {
			continue
		}
		box := Box{corner[0], corner[1], corner[2], corner[3]}
		if err := box.check(); err != "" {
			return errorAt("locations", list[i-3].pos, "the box %s %s", box, err).near(box.turned())
		}
		p.content.kids = append(p.content.kids, literalExpr(literal{
			op: opOverlaps, is: inLocations, detail: &detail{box: box},
		}, 0))
	}
	if left := len(list) % 4; left != 0 {
		return errorAt("locations", list[len(list)-left].pos, "a box is four numbers, west,south,east,north: this one has %d", left)
	}
	return nil
}

func parseDegrees(s string, lon bool) (v float64, problem string) {
	if strings.Trim(s, "+-.0123456789") != "" {
		return 0, "is not a number in decimal degrees"
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return 0, "is not a number in decimal degrees"
	case lon && math.Abs(v) > 180:
		return 0, "is no longitude: it lies between -180 and 180"
	case !lon && math.Abs(v) > 90:
		return 0, "is no latitude: it lies between -90 and 90 (longitude comes first)"
	}
	return v + 0, "" // -0 is 0
}

// language reads language tags; they compare without case.
func (p *parsed) languages(list []item) *Error {
	for _, it := range list {
		tag := strings.ToLower(it.text)
		if !validTag(tag) {
			return errorAt("language", it.pos, "%s is not a language tag (BCP 47)", quote(it.text)).near(nearestTag(tag))
		}
		p.language.kids = append(p.language.kids, literalExpr(langLiteral(tag), 0))
	}
	return nil
}

// validTag reports whether a lower-case tag has the shape of BCP 47: a language
// of two or three letters, then parts of at most eight letters and digits.
func validTag(tag string) bool {
	for i, part := range strings.Split(tag, "-") {
		most, digits := 8, "0123456789"
		if i == 0 {
			most, digits = 3, ""
		}
		if len(part) < 1 || len(part) > most || i == 0 && len(part) < 2 ||
			strings.Trim(part, "abcdefghijklmnopqrstuvwxyz"+digits) != "" {
			return false
		}
	}
	return true
}

// tagOf has the tags of languages that people write out most.
var tagOf = map[string]string{
	"arabic": "ar", "chinese": "zh", "deutsch": "de", "dutch": "nl", "english": "en", "french": "fr",
	"german": "de", "hindi": "hi", "indonesian": "in", "italian": "it", "japanese": "ja", "korean": "ko",
	"polish": "pl", "portuguese": "pt", "russian": "ru", "spanish": "es", "thai": "th", "turkish": "tr",
}

func nearestTag(tag string) string {
	if dashed := strings.ReplaceAll(tag, "_", "-"); validTag(dashed) {
		return dashed // pt_BR, as operating systems write it
	}
	names := make([]string, 0, len(tagOf))
	for name := range tagOf {
		names = append(names, name)
	}
	slices.Sort(names)
	return tagOf[Nearest(tag, names)]
}

var levels = []string{LevelNone: "none", LevelLow: "low", LevelMedium: "medium"}

// String returns the level as v1.1 writes it: "none", "low" or "medium".
func (l Level) String() string { return levels[min(int(l), len(levels)-1)] }

func levelOf(s string) (Level, bool) {
	i := slices.Index(levels, s)
	return Level(max(i, 0)), i >= 0
}

// filterLevel reads the least level. It is one word, though it may be repeated.
func (p *parsed) filterLevel(list []item) *Error {
	for i, it := range list {
		level, ok := levelOf(strings.ToLower(it.text))
		if !ok {
			return errorAt("filter_level", it.pos, "%s is none of none, low, medium", quote(it.text)).near(Nearest(it.text, levels))
		}
		if i > 0 && level != p.level {
			return errorAt("filter_level", it.pos, "%s after %q: there can be one least level only", quote(it.text), p.level)
		}
		p.level = level
	}
	return nil
}
