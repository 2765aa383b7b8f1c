package javaregexp

type op int8

const (
	opEmpty       op = iota
	opSet            // one code point of set
	opConcat         // subs in order
	opAlternate      // one of subs, the first that leads to a match
	opCapture        // subs[0], as group number
	opGroup          // subs[0]
	opRepeat         // subs[0], min to max times (max < 0: any number), in mode
	opAtomic         // (?>subs[0])
	opAhead          // (?=subs[0])
	opNotAhead       // (?!subs[0])
	opBehind         // (?<=subs[0])
	opNotBehind      // (?<!subs[0])
	opBackref        // \number
	opBeginText      // \A, and ^ without the flag m
	opBeginLine      // ^ with the flag m
	opEndText        // \z
	opEndFinal       // \Z, and $ without the flag m
	opEndLine        // $ with the flag m
	opBoundary       // \b, between set and its complement
	opNotBoundary    // \B
	opLastMatch      // \G
	opLineBreak      // \R
	opGrapheme       // \X
)

type mode int8

const (
	greedy mode = iota
	lazy
	possessive
)

type node struct {
	op       op
	set      runeSet
	subs     []*node
	min, max int
	mode     mode
	number   int
	unix     bool // for line ends: only \n is one
	fold     bool // for opBackref: ignore case
}

// unbounded is a length without limit.
const unbounded = -1

// minLen returns the least number of code points that the node matches.
func (n *node) minLen() int {
	switch n.op {
	case opSet, opLineBreak, opGrapheme:
		return 1
	case opConcat:
		sum := 0
		for _, s := range n.subs {
			sum = min(sum+s.minLen(), 1<<20)
		}
		return sum
	case opAlternate:
		least := 1 << 20
		for _, s := range n.subs {
			least = min(least, s.minLen())
		}
		return least
	case opCapture, opGroup, opAtomic:
		return n.subs[0].minLen()
	case opRepeat:
		return min(n.min, 1<<10) * min(n.subs[0].minLen(), 1<<10)
	}
	return 0
}

// maxLen returns the greatest number of code points that the node matches, or unbounded.
func (n *node) maxLen() int {
	switch n.op {
	case opSet:
		return 1
	case opLineBreak:
		return 2
	case opConcat:
		sum := 0
		for _, s := range n.subs {
			l := s.maxLen()
			if l == unbounded || sum+l > 1<<30 {
				return unbounded
			}
			sum += l
		}
		return sum
	case opAlternate:
		most := 0
		for _, s := range n.subs {
			l := s.maxLen()
			if l == unbounded {
				return unbounded
			}
			most = max(most, l)
		}
		return most
	case opCapture, opGroup, opAtomic:
		return n.subs[0].maxLen()
	case opRepeat:
		l := n.subs[0].maxLen()
		if n.max < 0 && (n.subs[0].op == opSet || l == 0) {
			return 1 << 16 // Java counts this as bounded
		}
		if n.max < 0 || l == unbounded || l > 0 && n.max > 1<<30/l {
			return unbounded
		}
		return n.max * l
	case opBackref, opGrapheme:
		return unbounded
	}
	return 0
}
