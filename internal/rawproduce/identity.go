package rawproduce

// identity is what a producer is to brokers, so that they know what they have of it.
type identity struct {
	id    int64
	epoch int16
	known bool
}

// nobody is a producer that brokers don't know: they can't tell that they have a batch already.
var nobody = identity{-1, -1, true}

// after returns the sequence number behind so many records.
func (id identity) after(sequence int32, records int) int32 {
	if id == nobody {
		return -1
	}
	return int32((int64(sequence) + int64(records)) & 0x7fffffff)
}

// first returns its first sequence number in a partition.
func (id identity) first() int32 {
	if id == nobody {
		return -1
	}
	return 0
}
