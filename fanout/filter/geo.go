package filter

import (
	"math"
	"strconv"
)

const (
	maxMiles  = 25 // X: the radius of a circle, each side of a box
	kmPerMile = 1.609344
	earthKm   = 6371.0088 // mean radius
)

// kmBetween is the distance of two points on a sphere (haversine).
func kmBetween(lon1, lat1, lon2, lat2 float64) float64 {
	const rad = math.Pi / 180
	a, b := math.Sin((lat2-lat1)*rad/2), math.Sin((lon2-lon1)*rad/2)
	h := a*a + math.Cos(lat1*rad)*math.Cos(lat2*rad)*b*b
	return 2 * earthKm * math.Asin(math.Sqrt(min(h, 1)))
}

// size returns the sides of a box in km, its width where it is widest.
func (b Box) size() (width, height float64) {
	lat := 0.0 // nearest to the equator
	if b.South > 0 || b.North < 0 {
		lat = min(math.Abs(b.South), math.Abs(b.North))
	}
	const perDegree = earthKm * math.Pi / 180
	return (b.East - b.West) * perDegree * math.Cos(lat*math.Pi/180), (b.North - b.South) * perDegree
}

// within reports whether b lies wholly in o, borders included.
func (b Box) within(o Box) bool {
	return o.West <= b.West && b.East <= o.East && o.South <= b.South && b.North <= o.North
}

// inCircle reports whether b lies wholly in a circle: its corners do.
func (b Box) inCircle(lon, lat, km float64) bool {
	for _, c := range [4][2]float64{{b.West, b.South}, {b.West, b.North}, {b.East, b.South}, {b.East, b.North}} {
		if kmBetween(lon, lat, c[0], c[1]) > km {
			return false
		}
	}
	return true
}

// aroundCircle returns a box that holds the circle. Across the 180th meridian or
// around a pole it goes all the way round.
func aroundCircle(lon, lat, km float64) Box {
	const slack = 1e-6 // degrees, for what rounding may cost
	dLat := km/earthKm*180/math.Pi + slack
	b := Box{-180, max(lat-dLat, -90), 180, min(lat+dLat, 90)}
	if cos := math.Cos(lat * math.Pi / 180); b.South > -90 && b.North < 90 {
		dLon := math.Asin(min(math.Sin(km/earthKm)/cos, 1))*180/math.Pi + slack
		if lon-dLon >= -180 && lon+dLon <= 180 {
			b.West, b.East = lon-dLon, lon+dLon
		}
	}
	return b
}

// appendPoint writes the south-west corner, "lon lat".
func (b Box) appendPoint(out []byte) []byte {
	out = strconv.AppendFloat(out, b.West, 'f', -1, 64)
	out = append(out, ' ')
	return strconv.AppendFloat(out, b.South, 'f', -1, 64)
}
