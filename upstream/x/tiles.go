package x

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// X takes boxes whose sides are under 25 miles. A degree of latitude is 68.7 to
// 69.4 miles long.
const (
	maxTileMiles = 24.5
	degreeMiles  = 69.5
	// MaxTiles bounds the tiles of all boxes together: some 100 rules of the 1,000.
	MaxTiles = 2000
)

// boxes writes locations as bounding_box operators. The error says by how much a box
// is too large.
func boxes(locations string) (tiles []string, err error) {
	corners := split(locations)
	for n := 0; n+4 <= len(corners); n += 4 {
		var b [4]float64
		for i := range b {
			if b[i], err = strconv.ParseFloat(corners[n+i], 64); err != nil {
				return nil, fmt.Errorf("LOCATIONS: %q is no number", corners[n+i])
			}
		}
		grid := tile(b)
		if count := grid.count(); count > float64(MaxTiles-len(tiles)) {
			return nil, fmt.Errorf("LOCATIONS: box %d is about %.0f by %.0f miles; X takes boxes under 25 miles, so it would have to be cut into %.0f, and %d are the most for all boxes together: choose smaller ones, or place: and place_country: operators in X_RULES_FILE",
				n/4+1, grid.width, grid.height, count, MaxTiles)
		}
		tiles = grid.append(tiles)
	}
	return tiles, nil
}

// tiling is a box cut into rows, and each row into tiles: the further from the
// equator, the fewer.
type tiling struct {
	box           [4]float64 // west, south, east, north
	rows          float64
	width, height float64 // in miles
}

func tile(b [4]float64) tiling {
	t := tiling{box: b, height: (b[3] - b[1]) * degreeMiles}
	t.width = (b[2] - b[0]) * degreeMiles * widest(b[1], b[3])
	t.rows = max(1, math.Ceil(t.height/maxTileMiles))
	return t
}

// widest is the length of a degree of longitude, as a part of that at the equator,
// where it is longest between two latitudes.
func widest(south, north float64) float64 {
	if south <= 0 && north >= 0 {
		return 1
	}
	return math.Cos(min(math.Abs(south), math.Abs(north)) * math.Pi / 180)
}

// row is the latitudes of row i and how many tiles it has.
func (t *tiling) row(i float64) (south, north, columns float64) {
	step := (t.box[3] - t.box[1]) / t.rows
	south, north = t.box[1]+i*step, t.box[1]+(i+1)*step
	columns = math.Ceil((t.box[2] - t.box[0]) * degreeMiles * widest(south, north) / maxTileMiles)
	return south, north, max(1, columns)
}

func (t *tiling) count() (n float64) {
	for i := range int(t.rows) {
		_, _, columns := t.row(float64(i))
		n += columns
	}
	return n
}

func (t *tiling) append(tiles []string) []string {
	for i := range int(t.rows) {
		south, north, columns := t.row(float64(i))
		step := (t.box[2] - t.box[0]) / columns
		for k := range int(columns) {
			west := t.box[0] + float64(k)*step
			tiles = append(tiles, "bounding_box:["+strings.Join([]string{degrees(west), degrees(south), degrees(west + step), degrees(north)}, " ")+"]")
		}
	}
	return tiles
}

// degrees writes a coordinate to about ten centimetres.
func degrees(v float64) string { return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64) }
