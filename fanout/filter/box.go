package filter

import (
	"math"
	"strconv"
)

// String returns the box as locations has it: west,south,east,north in decimal degrees.
func (b Box) String() string { return string(b.appendTo(nil)) }

func (b Box) appendTo(out []byte) []byte {
	for i, v := range [4]float64{b.West, b.South, b.East, b.North} {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendFloat(out, v, 'f', -1, 64)
	}
	return out
}

// overlaps reports whether two boxes share a point; borders belong to them.
func (b Box) overlaps(o Box) bool {
	return b.West <= o.East && o.West <= b.East && b.South <= o.North && o.South <= b.North
}

// check returns what is wrong with a box, "" if nothing is.
func (b Box) check() string {
	switch {
	case !(math.Abs(b.West) <= 180 && math.Abs(b.East) <= 180 && math.Abs(b.South) <= 90 && math.Abs(b.North) <= 90):
		return "is not on earth"
	case b.West > b.East:
		return "never matches: its west is east of its east (the south-west corner comes first; across 180° write two boxes)"
	case b.South > b.North:
		return "never matches: its south is north of its north (the south-west corner comes first)"
	}
	return ""
}

// turned returns the box with its corners in the right order, "" where they
// more likely are right and the box lies across the 180th meridian.
func (b Box) turned() string {
	if b.West > b.East && b.West-b.East > 180 {
		return ""
	}
	return Box{min(b.West, b.East), min(b.South, b.North), max(b.West, b.East), max(b.South, b.North)}.String()
}

func compareBoxes(a, b Box) int {
	for _, d := range [4]float64{a.West - b.West, a.South - b.South, a.East - b.East, a.North - b.North} {
		if d != 0 {
			return int(math.Copysign(1, d))
		}
	}
	return 0
}
