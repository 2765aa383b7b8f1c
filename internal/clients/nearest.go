package clients

import "unicode/utf8"

// The longest name that one is looked for, and how many letters may differ at most.
const longest, mostSlips = 128, 3

// Nearest returns the known name that key is most likely a slip of, and false if none is near: the one with the fewest
// letters to insert, delete, replace or swap with their neighbour, at most one in four and at most three. Of several the
// first counts.
func Nearest(key string, known []string) (string, bool) {
	if len(key) > longest || !utf8.ValidString(key) {
		return "", false
	}
	best, found := min(mostSlips, max(1, len(key)/4)), ""
	for _, name := range known {
		if len(name)-len(key) > best || len(key)-len(name) > best {
			continue
		}
		d := distance(key, name, best)
		if d == 0 || d > best || d == best && found != "" {
			continue
		}
		best, found = d, name
	}
	return found, found != ""
}

// distance is the optimal string alignment distance, or some number above most if it is: the least number of a row never
// falls.
func distance(a, b string, most int) int {
	var rows [3][longest + mostSlips + 1]int
	before, last, row := rows[0][:len(b)+1], rows[1][:len(b)+1], rows[2][:len(b)+1]
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
			least = min(least, row[j+1])
		}
		if least > most {
			return least
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
