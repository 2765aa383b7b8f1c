package metrics

import "time"

// The methods here are called on the way of records, once for each batch.

// On reports whether anything is kept.
func (t *Task) On() bool { return t != nil }

// Polled takes a Poll that returned a batch; active is how many records are on their way with it.
func (t *Task) Polled(records int, took time.Duration, active int64) {
	if t == nil {
		return
	}
	t.pollTime.one(millis(took))
	t.poll.one(float64(records))
	t.Active(active)
}

// Active takes how many records are on their way: polled and not acknowledged, or consumed and not committed.
func (t *Task) Active(n int64) {
	if t == nil {
		return
	}
	t.activeNow.Store(n)
	t.active.one(float64(n))
}

// Batch takes a batch that was sent or put.
func (t *Task) Batch(records int) {
	if t == nil {
		return
	}
	t.batch.one(float64(records))
}

// Written takes records that were acknowledged.
func (t *Task) Written(records int) {
	if t == nil || records == 0 {
		return
	}
	t.write.one(float64(records))
}

// Latency takes how long the oldest record of a batch was on its way.
func (t *Task) Latency(d time.Duration) {
	if t == nil {
		return
	}
	t.latency.one(max(millis(d), 0))
}

// Committed takes a commit of offsets.
func (t *Task) Committed(took time.Duration, err error) {
	if t == nil {
		return
	}
	if err != nil {
		t.commitBad.one(1)
		return
	}
	t.commitGood.one(1)
	t.commitTime.one(millis(took))
}

// Transaction takes a transaction that was committed.
func (t *Task) Transaction(records int) {
	if t == nil {
		return
	}
	t.transaction.one(float64(records))
}

// Read takes records that were consumed, and how far the partition that is farthest behind is.
func (t *Task) Read(records int, lag int64) {
	if t == nil {
		return
	}
	t.lag.Store(lag)
	if records > 0 {
		t.read.one(float64(records))
	}
}

// Sent takes records that are about to be put.
func (t *Task) Sent(records int) {
	if t == nil || records == 0 {
		return
	}
	t.send.one(float64(records))
}

// Put takes a Put that returned nil.
func (t *Task) Put(records int, took time.Duration) {
	if t == nil {
		return
	}
	t.batch.one(float64(records))
	t.putTime.one(millis(took))
}

// Partitions takes how many partitions the task has.
func (t *Task) Partitions(n int) {
	if t == nil {
		return
	}
	t.partitions.Store(int64(n))
}

// SinkCommit takes a commit to Kafka that begins.
func (t *Task) SinkCommit() {
	if t == nil {
		return
	}
	t.sequence.Add(1)
}

// SinkCommitted takes a commit to Kafka that succeeded.
func (t *Task) SinkCommitted() {
	if t == nil {
		return
	}
	t.completed.one(1)
}

// Throttled takes time that the task waited for its throttle.
func (t *Task) Throttled(d time.Duration) {
	if t == nil {
		return
	}
	t.throttled.Add(int64(d))
}
