package filter

import "strings"

// Nearest returns the one of the words in among that was most likely meant by
// word, for "did you mean"; "" if none is near. Near is: the same but for case,
// or a few letters wrong (one in three, at most three), or all of it the
// beginning of the other (from three letters on). The first of equals wins.
func Nearest(word string, among []string) string {
	const longest = 64 // bytes; nobody means a word by so long a text
	if word == "" || len(word) > longest {
		return ""
	}
	w := strings.ToLower(word)
	best, least := "", 4
	for _, a := range among {
		c := strings.ToLower(a)
		if d := distance([]rune(w), []rune(c)); d < least && d <= (max(len(w), len(c))+1)/3 {
			best, least = a, d
		}
	}
	if best != "" {
		return best
	}
	for _, a := range among {
		c := strings.ToLower(a)
		if min(len(c), len(w)) >= 3 && (strings.HasPrefix(c, w) || strings.HasPrefix(w, c)) {
			return a
		}
	}
	return ""
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a (optimal string alignment).
func distance(a, b []rune) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
