package filter

import (
	"hash/maphash"
	"math"
)

// The grid makes places into features. The earth is cut into square cells, seven
// times over, each time four times as large. A box belongs to the size of cell
// that is at least as large as it is, so that it touches four of them at most,
// and so does the place of a post, which may be a point, a town or a country.
//
// Where a box and a post touch, they have a cell in common: the box waits in its
// own cells for posts no larger than that, and in larger cells for larger posts;
// a post asks for boxes in its own cells and in all larger ones.
const gridSizes = 7

// gridLeast is the side of the smallest cells, in degrees: some seven kilometres.
const gridLeast = 1.0 / 16

var gridSeed = maphash.String(seed, "grid")

// gridRange is the cells of one size that a box touches.
type gridRange struct{ x0, y0, x1, y1 uint64 }

// gridSize returns the index of the size of cell a box belongs to, and the side.
func gridSize(b Box) (size int, side float64) {
	most := max(b.East-b.West, b.North-b.South)
	for side = gridLeast; side < most && size < gridSizes-1; side *= 4 {
		size++
	}
	return size, side
}

func gridCells(b Box, side float64) gridRange {
	cell := func(v, most float64) uint64 {
		return uint64(math.Floor((min(max(v, -most), most) + most) / side))
	}
	return gridRange{cell(b.West, 180), cell(b.South, 90), cell(b.East, 180), cell(b.North, 90)}
}

// appendKeys appends the features of the cells. larger: those under which boxes
// wait that belong to a smaller size.
func (r gridRange) appendKeys(dst []uint64, size int, larger bool) []uint64 {
	k := uint64(size) << 1
	if larger {
		k |= 1
	}
	for y := r.y0; y <= r.y1; y++ {
		for x := r.x0; x <= r.x1; x++ {
			dst = append(dst, scatter((k<<24|y)<<24|x))
		}
	}
	return dst
}

// scatter spreads cells as evenly as hashes are, one to one.
func scatter(v uint64) uint64 {
	v ^= gridSeed
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

// appendBoxKeys appends the features under which a filter's box waits.
func appendBoxKeys(dst []uint64, b Box) []uint64 {
	size, side := gridSize(b)
	dst = gridCells(b, side).appendKeys(dst, size, false)
	for size, side = size+1, side*4; size < gridSizes; size, side = size+1, side*4 {
		dst = gridCells(b, side).appendKeys(dst, size, true)
	}
	return dst
}

// appendPlaceKeys appends the features under which a post's place finds boxes.
func appendPlaceKeys(dst []uint64, b Box) []uint64 {
	size, side := gridSize(b)
	dst = gridCells(b, side).appendKeys(dst, size, true)
	for ; size < gridSizes; size, side = size+1, side*4 {
		dst = gridCells(b, side).appendKeys(dst, size, false)
	}
	return dst
}
