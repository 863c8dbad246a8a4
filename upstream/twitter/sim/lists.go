package sim

import (
	"fmt"
	"strconv"
)

// slots fill the {braces} of a sentence.
var slots = map[string]func(*Corpus) string{
	"n":     func(c *Corpus) string { return strconv.Itoa(2 + c.rng.IntN(88)) },
	"score": func(c *Corpus) string { return strconv.Itoa(c.rng.IntN(5)) + "–" + strconv.Itoa(c.rng.IntN(4)) },
	"team":  func(c *Corpus) string { return pick(c, teams) },
	"song":  func(c *Corpus) string { return pick(c, songs) },
	"dish":  func(c *Corpus) string { return pick(c, dishes) },
	"city":  func(c *Corpus) string { return places[c.rng.IntN(len(places))].name },
	"user":  func(c *Corpus) string { return "@" + c.users[c.rng.IntN(len(c.users))].screen },
	"url":   func(c *Corpus) string { return c.article() },
}

func pick[T any](c *Corpus, list []T) T { return list[c.rng.IntN(len(list))] }

// article is a link to nowhere: the hosts are reserved for examples (RFC 2606).
func (c *Corpus) article() string {
	return fmt.Sprintf("https://%s/%s/%s-%d", pick(c, hosts), topics[c.topic].name, pick(c, slugs), 1+c.rng.IntN(999))
}

var hosts = []string{"example.com", "www.example.com", "news.example.org", "blog.example.net", "www.example.org", "video.example.com", "example.net"}

var slugs = []string{"what-we-know", "a-short-history", "live-updates", "ten-lessons", "photo-story", "why-it-matters", "notes-from-today", "interview", "the-long-way-home", "opinion"}

var teams = []string{"Northbridge Rovers", "Harbour City", "Real Molino", "SV Nebelheim", "Olympique du Lac", "Dynamo Polana", "Inter Colline", "Kaze FC", "Atlético Brisa", "Old Quay United"}

var songs = []string{"Paper Lighthouse", "Slow Train, Small Town", "Seven Umbrellas", "Gopher in the Garden", "Midnight Marmalade", "Blue Kettle", "Counting Backwards", "The Last Ferry", "Tangerine & Rust"}

var dishes = []string{"leek risotto", "shakshuka", "onion soup", "mushroom dumplings", "lentil dal", "pad krapow", "tortilla de patatas", "miso aubergine", "apple strudel", "bibimbap", "borscht"}

var sources = []string{
	`<a href="https://example.com/aviary-sim" rel="nofollow">Aviary Sim for Web</a>`,
	`<a href="https://example.com/aviary-sim/phone" rel="nofollow">Aviary Sim for Phone</a>`,
	`<a href="https://example.org/tin-whistle" rel="nofollow">Tin Whistle</a>`,
	`<a href="https://example.net/night-desk" rel="nofollow">Night Desk & Co</a>`,
}

// place is where a post was made. The boxes are rough.
type place struct {
	id, kind, name, full, code, country string
	box                                 [4]float64 // west, south, east, north
}

var places = []place{
	{"51a0000000000001", "city", "San Francisco", "San Francisco, CA", "US", "United States", [4]float64{-122.52, 37.70, -122.35, 37.83}},
	{"51a0000000000002", "city", "Manhattan", "Manhattan, NY", "US", "United States", [4]float64{-74.03, 40.68, -73.91, 40.88}},
	{"51a0000000000003", "city", "London", "London, England", "GB", "United Kingdom", [4]float64{-0.51, 51.28, 0.33, 51.69}},
	{"51a0000000000004", "city", "Berlin", "Berlin, Germany", "DE", "Germany", [4]float64{13.09, 52.34, 13.76, 52.68}},
	{"51a0000000000005", "city", "Lisboa", "Lisboa, Portugal", "PT", "Portugal", [4]float64{-9.23, 38.69, -9.09, 38.80}},
	{"51a0000000000006", "city", "Paris", "Paris, France", "FR", "France", [4]float64{2.22, 48.82, 2.47, 48.90}},
	{"51a0000000000007", "city", "São Paulo", "São Paulo, Brazil", "BR", "Brazil", [4]float64{-46.83, -24.01, -46.37, -23.36}},
	{"51a0000000000008", "city", "Kraków", "Kraków, Poland", "PL", "Poland", [4]float64{19.79, 49.97, 20.22, 50.13}},
	{"51a0000000000009", "city", "Київ", "Київ, Україна", "UA", "Україна", [4]float64{30.24, 50.21, 30.83, 50.59}},
	{"51a000000000000a", "city", "Αθήνα", "Αθήνα, Ελλάς", "GR", "Ελλάς", [4]float64{23.69, 37.95, 23.79, 38.04}},
	{"51a000000000000b", "city", "القاهرة", "القاهرة, مصر", "EG", "مصر", [4]float64{31.21, 29.83, 31.52, 30.17}},
	{"51a000000000000c", "city", "मुंबई", "मुंबई, भारत", "IN", "भारत", [4]float64{72.77, 18.89, 72.99, 19.28}},
	{"51a000000000000d", "city", "กรุงเทพ", "กรุงเทพ, ประเทศไทย", "TH", "ประเทศไทย", [4]float64{100.32, 13.49, 100.94, 13.96}},
	{"51a000000000000e", "city", "東京", "東京, 日本", "JP", "日本", [4]float64{139.56, 35.52, 139.92, 35.82}},
	{"51a000000000000f", "city", "서울", "서울, 대한민국", "KR", "대한민국", [4]float64{126.76, 37.42, 127.18, 37.70}},
	{"51a0000000000010", "city", "Wellington", "Wellington, New Zealand", "NZ", "New Zealand", [4]float64{174.61, -41.36, 174.90, -41.14}},
	{"51a0000000000011", "city", "Nairobi", "Nairobi, Kenya", "KE", "Kenya", [4]float64{36.66, -1.44, 37.10, -1.16}},
	{"51a0000000000012", "country", "Iceland", "Iceland", "IS", "Iceland", [4]float64{-24.55, 63.39, -13.49, 66.57}},
	{"51a0000000000013", "admin", "Bayern", "Bayern, Germany", "DE", "Germany", [4]float64{8.97, 47.27, 13.84, 50.57}},
	{"51a0000000000014", "poi", "Harbour Stage", "Harbour Stage", "GB", "United Kingdom", [4]float64{-1.40, 50.89, -1.40, 50.89}}, // a place can be a point
}
