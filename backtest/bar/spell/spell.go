// Package spell says how far two words are from each other and which of the known ones was meant, so that
// messages can ask "did you mean".
//
// In: words. Out: a number of edits, a word. It refuses nothing; words of more than 64 letters are as far from
// everything as can be, so that no input makes a message slow. It lies below all rooms that read words
// from users.
package spell

import "strings"

// Most is the distance of words that are too long to be compared.
const Most = 64

// Distance is the number of letters to change, add, leave out or swap with their neighbour to turn a into b
// (optimal string alignment; Boytsov 2011, section 2.1).
func Distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > Most || len(t) > Most {
		return Most
	}
	var rows [3][Most + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			change := last[j-1]
			if s[i-1] != t[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(t)]
}

// Nearest is the known word that was probably meant, "" when none is near: the fewest letters wrong, the
// first of those; upper and lower case are the same. One letter may be wrong and another
// for every six, four at most: a far guess misleads more than none. Else it is the shortest known word that three
// letters or more begin, or that four or more abbreviate: half of its letters, in their order, with the first.
func Nearest(typed string, known []string) string {
	typed = strings.ToLower(typed)
	n := len([]rune(typed))
	best, least := "", 1+min(n/2, 1+n/6, 4)
	for _, k := range known {
		if d := Distance(typed, strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best != "" || n < 3 || n > Most {
		return best
	}
	for _, k := range known {
		if abbreviates(typed, strings.ToLower(k)) && (best == "" || len(k) < len(best)) {
			best = k
		}
	}
	return best
}

func abbreviates(short, word string) bool {
	if strings.HasPrefix(word, short) {
		return true
	}
	if len(short) < 4 || word == "" || word[0] != short[0] || len(word) > 2*len(short) {
		return false
	}
	left := short
	for i := 0; i < len(word) && left != ""; i++ {
		if word[i] == left[0] {
			left = left[1:]
		}
	}
	return left == ""
}
