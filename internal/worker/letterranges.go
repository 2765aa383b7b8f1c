package worker

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// offsetRanges are offsets of a partition, as sorted ranges [from, to) that neither meet nor overlap.
type offsetRanges [][2]int64

// add returns the ranges with the offsets from (included) to to (excluded).
func (r offsetRanges) add(from, to int64) offsetRanges {
	if from >= to {
		return r
	}
	i := sort.Search(len(r), func(i int) bool { return r[i][1] >= from })
	k := i
	for ; k < len(r) && r[k][0] <= to; k++ {
		from, to = min(from, r[k][0]), max(to, r[k][1])
	}
	out := make(offsetRanges, 0, len(r)+1)
	out = append(append(out, r[:i]...), [2]int64{from, to})
	return append(out, r[k:]...)
}

func (r offsetRanges) has(offset int64) bool {
	i := sort.Search(len(r), func(i int) bool { return r[i][1] > offset })
	return i < len(r) && r[i][0] <= offset
}

// first returns the first offset from that one on which is not in the ranges.
func (r offsetRanges) first(from int64) int64 {
	i := sort.Search(len(r), func(i int) bool { return r[i][1] > from })
	if i < len(r) && r[i][0] <= from {
		return r[i][1]
	}
	return from
}

// between returns the part of the ranges between two offsets.
func (r offsetRanges) between(from, to int64) (out offsetRanges) {
	for _, one := range r {
		if a, b := max(one[0], from), min(one[1], to); a < b {
			out = append(out, [2]int64{a, b})
		}
	}
	return out
}

// rangesVersion begins the text of ranges, so that another form can be told from it.
const rangesVersion = "1:"

// text is how ranges are stored with an offset that is committed: relative to that.
func (r offsetRanges) text(base int64) string {
	if len(r) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(rangesVersion)
	for i, one := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d+%d", one[0]-base, one[1]-one[0])
	}
	return b.String()
}

// parseRanges returns the ranges of a text.
func parseRanges(base int64, text string) (r offsetRanges, err error) {
	if text == "" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(text, rangesVersion)
	if !ok {
		return nil, fmt.Errorf("the metadata %q of a committed offset is not the runtime's", text)
	}
	for one := range strings.SplitSeq(rest, ",") {
		at, length, ok := strings.Cut(one, "+")
		from, err1 := strconv.ParseInt(at, 10, 64)
		n, err2 := strconv.ParseInt(length, 10, 64)
		if !ok || err1 != nil || err2 != nil || from < 0 || n <= 0 || base+from < 0 || base+from+n < 0 {
			return nil, fmt.Errorf("the metadata %q of a committed offset can't be read at %q", text, one)
		}
		r = r.add(base+from, base+from+n)
	}
	return r, nil
}
