// Package jsontext reads one JSON text in one walk, for dialects: sources that
// pick a few members out of every message and must know that all of it is valid.
//
// A post is 3 KB of which a filter needs a tenth. Checking with one library and
// picking with another walks everything twice; this reader does both at once in
// a fraction of the time (see the benchmarks of upstream/twitter).
package jsontext
