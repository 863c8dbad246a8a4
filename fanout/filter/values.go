package filter

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
)

type reader = func(p *ruleParser, o *operator, v value) (literal, *Error)

// userName reads the name or the id of a user: both are the same to a post.
func userName(k kind) reader {
	return func(p *ruleParser, o *operator, v value) (literal, *Error) {
		name := bytes.TrimPrefix(appendFolded(nil, []byte(v.text)), []byte("@"))
		if len(name) == 0 || !visible(name) || bytes.ContainsFunc(name, func(r rune) bool {
			return classOf(r)&isWord == 0 && r != '.' && r != '-' && r != '@'
		}) {
			return literal{}, p.fail(v.at, "%s is neither the name of a user nor an id", quote(v.text))
		}
		return featureOf(k, o.name, string(name)), nil
	}
}

func featureOf(k kind, name, text string) literal {
	return literal{text: quotedValue(name, text), op: opFeature, arg: k.of(text)}
}

// postID reads the number of a post.
func postID(k kind) reader {
	return func(p *ruleParser, o *operator, v value) (literal, *Error) {
		n, err := strconv.ParseUint(v.text, 10, 64)
		if err != nil || n == 0 {
			return literal{}, p.fail(v.at, "%s is not the number of a post", quote(v.text))
		}
		return featureOf(k, o.name, strconv.FormatUint(n, 10)), nil
	}
}

// tokensOfKind reads words that follow one another in one field.
func tokensOfKind(k kind) reader {
	return func(p *ruleParser, o *operator, v value) (literal, *Error) {
		return p.row(k, o.name+":", appendFolded(nil, []byte(v.text)), v.at, 0)
	}
}

// readURL reads words that follow one another in a link.
func readURL(p *ruleParser, o *operator, v value) (literal, *Error) {
	folded := canonicalURL(bytes.TrimSpace(appendFolded(nil, []byte(v.text))))
	l, err := p.row(kindToken, "url:", folded, v.at, 0)
	if err != nil {
		return l, err
	}
	if l.op == opFeature {
		l.detail = &detail{tokens: []uint64{l.arg}}
	}
	l.op, l.arg = opURL, 0
	return l, nil
}

// readLink reads a piece of a link.
func readLink(p *ruleParser, o *operator, v value) (literal, *Error) {
	folded := bytes.TrimSpace(appendFolded(nil, []byte(v.text)))
	if len(folded) == 0 {
		return literal{}, p.fail(v.at, "url_contains: needs a piece of a link")
	}
	return literal{
		text: quotedValue(o.name, string(folded)), op: opLink,
		detail: &detail{text: string(folded), tokens: insideTokens(folded)},
	}, nil
}

// insideTokens returns the features of the tokens that a link must hold in order
// to hold s: those that something else bounds on both sides.
func insideTokens(s []byte) (features []uint64) {
	for _, t := range innerTokens(s) {
		features = append(features, kindToken.ofBytes(t))
	}
	return features
}

// readSource reads the name of a program.
func readSource(p *ruleParser, o *operator, v value) (literal, *Error) {
	name := bytes.TrimSpace(appendFolded(nil, []byte(v.text)))
	if len(name) == 0 {
		return literal{}, p.fail(v.at, "source: needs the name of a program")
	}
	return featureOf(kindSource, o.name, string(name)), nil
}

func readCountry(p *ruleParser, o *operator, v value) (literal, *Error) {
	code := strings.ToLower(v.text)
	if len(code) != 2 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz") != "" {
		return literal{}, p.fail(v.at, "%s is not the code of a country: two letters, as ISO 3166 has them", quote(v.text))
	}
	return featureOf(kindCountry, o.name, code), nil
}

func readLang(p *ruleParser, o *operator, v value) (literal, *Error) {
	tag := strings.ToLower(v.text)
	if !validTag(tag) {
		return literal{}, p.fail(v.at, "%s is not a language tag (BCP 47)", quote(v.text)).near(nearestTag(tag))
	}
	return langLiteral(tag), nil
}

// countRange reads how often: "500" and "500.." are at least as often.
func countRange(count uint8) reader {
	return func(p *ruleParser, o *operator, v value) (literal, *Error) {
		const most = NoCount - 1
		low, high, isRange := strings.Cut(v.text, "..")
		lo, okLow := parseCount(low, 0)
		hi, okHigh := most, true
		if isRange && high != "" {
			hi, okHigh = parseCount(high, 0)
		}
		switch {
		case !okLow && !(low == "" && isRange && high != ""), !okHigh:
			return literal{}, p.fail(v.at, "%s is no count: 500 and more are %s:500, some of them %s:500..999", quote(v.text), o.name, o.name)
		case lo > hi:
			return literal{}, p.fail(v.at, "%s never matches: the smaller number comes first", quote(v.text)).near(high + ".." + low)
		}
		return countLiteral(o.name, count, lo, hi), nil
	}
}

func countLiteral(name string, count uint8, lo, hi uint32) literal {
	text := name + ":" + strconv.FormatUint(uint64(lo), 10)
	if hi < NoCount-1 {
		text += ".." + strconv.FormatUint(uint64(hi), 10)
	}
	return literal{text: text, op: opCount, detail: &detail{count: count, lo: lo, hi: hi}}
}

func parseCount(s string, none uint32) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n >= uint64(NoCount) {
		return none, false
	}
	return uint32(n), true
}

// readMinFollowers reads the older way to say followers_count.
func readMinFollowers(p *ruleParser, o *operator, v value) (literal, *Error) {
	n, ok := parseCount(v.text, 0)
	if !ok {
		return literal{}, p.fail(v.at, "%s is no count", quote(v.text))
	}
	return countLiteral("followers_count", CountFollowers, n, NoCount-1), nil
}

func readSample(p *ruleParser, o *operator, v value) (literal, *Error) {
	n, ok := parseCount(v.text, 0)
	if !ok || n < 1 || n > 100 {
		return literal{}, p.fail(v.at, "%s is no sample: it is a whole number of percent, 1 to 100", quote(v.text))
	}
	return literal{text: "sample:" + strconv.Itoa(int(n)), op: opSample, detail: &detail{lo: n}}, nil
}

// numbers reads [lon lat …].
func (p *ruleParser) numbers(v value, n int, shape string) (nums []float64, last string, err *Error) {
	inner, ok := strings.CutPrefix(v.text, "[")
	fields := strings.FieldsFunc(strings.TrimSuffix(inner, "]"), func(r rune) bool { return r == ' ' || r == ',' })
	if !ok || len(fields) != n {
		return nil, "", p.fail(v.at, "%s is not of the form %s", quote(v.text), shape)
	}
	for i, s := range fields {
		if i == 2 && n == 3 {
			return nums, s, nil
		}
		x, problem := parseDegrees(s, i%2 == 0)
		if problem != "" {
			return nil, "", p.fail(v.at, "%s %s", quote(s), problem)
		}
		nums = append(nums, x)
	}
	return nums, "", nil
}

// readBox reads bounding_box:[west south east north].
func readBox(p *ruleParser, o *operator, v value) (literal, *Error) {
	c, _, err := p.numbers(v, 4, "[west south east north]")
	if err != nil {
		return literal{}, err
	}
	b := Box{c[0], c[1], c[2], c[3]}
	if problem := b.check(); problem != "" {
		e := p.fail(v.at, "the box %s", problem)
		if turned := b.turned(); turned != "" {
			e = e.near("[" + strings.ReplaceAll(turned, ",", " ") + "]")
		}
		return literal{}, e
	}
	if w, h := b.size(); max(w, h) > maxMiles*kmPerMile*1.001 {
		return literal{}, p.fail(v.at, "the box is %.0f by %.0f miles: as on X the limit is %d; larger ones go into locations, or several operators joined by OR", w/kmPerMile, h/kmPerMile, maxMiles)
	}
	return literal{
		text: "bounding_box:[" + strings.ReplaceAll(b.String(), ",", " ") + "]", op: opInside, detail: &detail{box: b},
	}, nil
}

// readCircle reads point_radius:[longitude latitude radius].
func readCircle(p *ruleParser, o *operator, v value) (literal, *Error) {
	c, radius, err := p.numbers(v, 3, "[longitude latitude radius], the radius in mi or km")
	if err != nil {
		return literal{}, err
	}
	number, isMiles := strings.CutSuffix(strings.ToLower(radius), "mi")
	if !isMiles {
		number = strings.TrimSuffix(number, "km")
	}
	km, bad := strconv.ParseFloat(number, 64)
	if bad != nil || number == radius || strings.Trim(number, ".0123456789") != "" || !(km > 0) {
		return literal{}, p.fail(v.at, "%s is no radius: it is a number of mi or km, such as 10km", quote(radius))
	}
	if isMiles {
		km *= kmPerMile
	}
	km = math.Round(km*1e6) / 1e6
	if km > maxMiles*kmPerMile || km == 0 {
		return literal{}, p.fail(v.at, "the radius is %s: as on X it lies above 0 and at %d mi at most", quote(radius), maxMiles)
	}
	text := slices.Concat([]byte("point_radius:["), Box{West: c[0], South: c[1]}.appendPoint(nil), []byte(" "), strconv.AppendFloat(nil, km, 'f', -1, 64), []byte("km]"))
	return literal{
		text: string(text), op: opCircle, detail: &detail{box: aroundCircle(c[0], c[1], km), lon: c[0], lat: c[1], km: km},
	}, nil
}
