//go:build real

package real

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const mirrored = 3 // partitions of the topic that is copied

// twoClusters starts clusters A and B of one broker each.
func twoClusters(t *testing.T) (a, b *kafka.Cluster) {
	t.Helper()
	dir := t.TempDir()
	var clusters [2]*kafka.Cluster
	var errs [2]error
	var starts sync.WaitGroup
	for i, name := range []string{"a", "b"} {
		starts.Go(func() { clusters[i], errs[i] = kafka.StartBroker(filepath.Join(dir, name)) })
	}
	starts.Wait()
	for _, c := range clusters {
		if c != nil {
			t.Cleanup(c.Close)
		}
	}
	if err := errors.Join(errs[0], errs[1]); err != nil {
		t.Fatal(err)
	}
	return clusters[0], clusters[1]
}

// mirrorOf configures a connector of the flow A->B.
func mirrorOf(a, b *kafka.Cluster, class string) properties {
	return properties{
		"name": class, "connector.class": "org.apache.kafka.connect.mirror." + class, "tasks.max": "2",
		"source.cluster.alias": "A", "target.cluster.alias": "B", "source.cluster.bootstrap.servers": a.Bootstrap(), "target.cluster.bootstrap.servers": b.Bootstrap(),
		"topics": "orders", "groups": "app.*", "replication.factor": "1", "offset-syncs.topic.replication.factor": "1", "checkpoints.topic.replication.factor": "1",
		"refresh.topics.interval.seconds": "2", "refresh.groups.interval.seconds": "1", "emit.checkpoints.interval.seconds": "1", "consumer.poll.timeout.ms": "200",
		"sync.group.offsets.enabled": "true", "sync.group.offsets.interval.seconds": "1",
		"key.converter": byteConverter, "value.converter": byteConverter, "header.converter": byteConverter,
	}
}

const byteConverter = "org.apache.kafka.connect.converters.ByteArrayConverter"

// produceNumbers writes the numbers from first up to end to the topic, each to the partition that it is of.
func produceNumbers(t *testing.T, c *kafka.Cluster, first, end int) {
	t.Helper()
	cl := client(t, c, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer cl.Close()
	var records []*kgo.Record
	for i := first; i < end; i++ {
		records = append(records, &kgo.Record{Topic: "orders", Partition: int32(i % mirrored), Key: []byte("k"), Value: []byte(strconv.Itoa(i))})
	}
	if err := cl.ProduceSync(testContext(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// endOffsets returns the sum of the end offsets of a topic.
func endOffsets(c *kafka.Cluster, adm *kadm.Client, topic string) (sum int) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ends, err := adm.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0
	}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Err == nil {
			sum += int(o.Offset)
		}
	})
	return sum
}

// untilCopied waits until the copy has n records.
func untilCopied(t *testing.T, b *kafka.Cluster, n int) {
	t.Helper()
	adm := kadm.NewClient(client(t, b))
	await(t, fmt.Sprintf("%d records of A.orders", n), func() bool { return endOffsets(b, adm, "A.orders") >= n })
}

// valuesOf returns the values of a topic by partition, in order.
func valuesOf(t *testing.T, c *kafka.Cluster, topic string) map[int32][]string {
	t.Helper()
	cl := client(t, c, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	n := endOffsets(c, kadm.NewClient(cl), topic)
	values := make(map[int32][]string)
	ctx := testContext(t)
	for n > 0 {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d records of %s can't be read", n, topic)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			values[r.Partition] = append(values[r.Partition], string(r.Value))
			n--
		})
	}
	return values
}

// compareSides wants each partition of the copy to have the records of the original, in order, and returns how many it has more
// than once.
func compareSides(t *testing.T, original, copied map[int32][]string) (again int) {
	t.Helper()
	for p, want := range original {
		seen := make(map[string]bool)
		var first []string
		for _, v := range copied[p] {
			if seen[v] {
				again++
				continue
			}
			seen[v] = true
			first = append(first, v)
		}
		if len(first) != len(want) {
			t.Errorf("partition %d has %d different records, the original has %d", p, len(first), len(want))
		}
		for i := range min(len(first), len(want)) {
			if first[i] != want[i] {
				t.Errorf("partition %d: record %d is %s, want %s", p, i, first[i], want[i])
				break
			}
		}
	}
	return again
}

func commitGroup(t *testing.T, c *kafka.Cluster, group, topic string, at int64) {
	t.Helper()
	var os kadm.Offsets
	for p := range int32(mirrored) {
		os.Add(kadm.Offset{Topic: topic, Partition: p, At: at, LeaderEpoch: -1})
	}
	if err := kadm.NewClient(client(t, c)).CommitAllOffsets(testContext(t), group, os); err != nil {
		t.Fatal(err)
	}
}

// untilTranslated waits until a group has offsets of all partitions on the target that say at or more, and returns how many
// records it reads again there: offsets of both clusters are the same in these tests.
func untilTranslated(t *testing.T, b *kafka.Cluster, group string, upstream, atLeast int64) (rereads int64) {
	t.Helper()
	adm := kadm.NewClient(client(t, b))
	await(t, "translated offsets of group "+group, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		os, err := adm.FetchOffsets(ctx, group)
		if err != nil {
			return false
		}
		rereads = 0
		for p := range int32(mirrored) {
			o, ok := os.Lookup("A.orders", p)
			if !ok || o.At < atLeast {
				return false
			}
			rereads += upstream - o.At
		}
		return true
	})
	return rereads
}

// A Java worker mirrors a topic and is stopped; this worker goes on from its offsets, offset syncs and checkpoints, and Java
// from this worker's. Each record is copied once; consumers that move miss none, and read no more again than with Java.
func TestMirrorChangesHands(t *testing.T) {
	t.Parallel()
	a, b := twoClusters(t)
	connectors := []properties{mirrorOf(a, b, "MirrorSourceConnector"), mirrorOf(a, b, "MirrorCheckpointConnector")}
	var java *kafka.Connect
	startJava := func() *kafka.Process {
		if java != nil {
			start(t, &java.Process)
			return &java.Process
		}
		var err error
		if java, err = kafka.Worker(t.TempDir(), b.Bootstrap(), "mirror", "key.converter="+byteConverter); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(java.Kill)
		for _, c := range connectors {
			if _, err := java.Request(t.Context(), http.MethodPut, "/connectors/"+c["name"]+"/config", c); err != nil {
				t.Fatal(err)
			}
		}
		return &java.Process
	}
	startOurs := func() *kafka.Process {
		ours := newWorker(t, b.Bootstrap(), properties{
			"offset.storage.file.filename": "", "offset.storage.topic": "mirror-offsets", "offset.storage.replication.factor": "1",
			"config.storage.topic": "ours-configs", "status.storage.topic": "ours-status", "config.storage.replication.factor": "1", "status.storage.replication.factor": "1",
			"group.id": "ours",
		}, connectors...)
		start(t, ours)
		return ours
	}
	mirrorChangesHands(t, a, b, startJava, startOurs)
}

// mirrorChangesHands hands the flow A->B, of topic orders, from Java to this side and back. Who mirrors ends with SIGTERM.
func mirrorChangesHands(t *testing.T, a, b *kafka.Cluster, startJava, startOurs func() *kafka.Process) {
	t.Helper()
	createTopic(t, a, "orders", mirrored)
	const n = 900 // records of each round
	const each = n / mirrored
	lap := laps(t)
	end := func(p *kafka.Process) {
		t.Helper()
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
	}

	// Java. It knows the groups from the start: what it makes of one that comes later depends on when.
	produceNumbers(t, a, 0, 30)
	for _, group := range []string{"app-end", "app-java", "app-ours"} {
		commitGroup(t, a, group, "orders", 1)
	}
	java := startJava()
	untilCopied(t, b, 30)
	untilTranslated(t, b, "app-java", 1, 1)
	produceNumbers(t, a, 30, n)
	commitGroup(t, a, "app-end", "orders", each)
	commitGroup(t, a, "app-java", "orders", each-50)
	untilCopied(t, b, n)
	endOfJava := untilTranslated(t, b, "app-end", each, each)
	lagOfJava := untilTranslated(t, b, "app-java", each-50, each/3)
	end(java)
	lap("Java")

	// This side.
	produceNumbers(t, a, n, 2*n)
	commitGroup(t, a, "app-end", "orders", 2*each)
	commitGroup(t, a, "app-ours", "orders", 2*each-50)
	ours := startOurs()
	untilCopied(t, b, 2*n)
	endOfOurs := untilTranslated(t, b, "app-end", 2*each, 2*each)
	lagOfOurs := untilTranslated(t, b, "app-ours", 2*each-50, each)
	t.Logf("records that a group reads again after it moved: at the end %d with Java and %d here, 50 behind it %d and %d", endOfJava, endOfOurs, lagOfJava, lagOfOurs)
	if endOfOurs > endOfJava || lagOfOurs > lagOfJava {
		t.Error("a group that moves reads more records again than with Java")
	}
	// What the group of Java's time has not read on A, it reads on B.
	moved := client(t, b, kgo.ConsumerGroup("app-java"), kgo.ConsumeTopics("A.orders"), kgo.DisableAutoCommit())
	left := make(map[string]bool)
	for i := (each - 50) * mirrored; i < 2*n; i++ {
		left[strconv.Itoa(i)] = true
	}
	for ctx := testContext(t); len(left) > 0 && ctx.Err() == nil; {
		moved.PollFetches(ctx).EachRecord(func(r *kgo.Record) { delete(left, string(r.Value)) })
	}
	moved.Close()
	if len(left) > 0 {
		t.Errorf("a group that moved did not read %d records", len(left))
	}
	stop(t, ours)
	lap("this side")

	// Java again.
	produceNumbers(t, a, 2*n, 3*n)
	commitGroup(t, a, "app-end", "orders", 3*each)
	java = startJava()
	untilCopied(t, b, 3*n)
	untilTranslated(t, b, "app-end", 3*each, 3*each)
	end(java)
	lap("Java again")
	if again := compareSides(t, valuesOf(t, a, "orders"), valuesOf(t, b, "A.orders")); again > 0 {
		t.Errorf("%d records were copied twice", again)
	}
	checkCheckpoints(t, b)
}

// checkCheckpoints wants no checkpoint of a group to say less than one before it.
func checkCheckpoints(t *testing.T, b *kafka.Cluster) {
	t.Helper()
	const topic = "A.checkpoints.internal"
	cl := client(t, b, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	n := endOffsets(b, kadm.NewClient(cl), topic)
	if n == 0 {
		t.Error("there are no checkpoints")
	}
	last := make(map[string]mirror.Checkpoint)
	ctx := testContext(t)
	for n > 0 && ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			n--
			c, err := mirror.DecodeCheckpoint(r.Key, r.Value)
			if err != nil {
				t.Error(err)
			}
			if before, ok := last[string(r.Key)]; ok && c.Downstream < before.Downstream {
				t.Errorf("checkpoint %v comes after %v", c, before)
			}
			last[string(r.Key)] = c
		})
	}
}

// The worker and the brokers of both clusters are killed under load, one after the other. Both sides have the same records in the
// same order: where they are decoded, and where their batches are forwarded as they are.
func TestMirrorSurvivesKills(t *testing.T) {
	t.Parallel()
	t.Run("records", func(t *testing.T) { mirrorSurvivesKills(t, 0) })
	t.Run("batches", func(t *testing.T) { mirrorSurvivesKills(t, 2000) })
}

// mirrorSurvivesKills copies records with so many bytes that are not worth compressing.
func mirrorSurvivesKills(t *testing.T, random int) {
	a, b := twoClusters(t)
	createTopic(t, a, "orders", mirrored)
	source := mirrorOf(a, b, "MirrorSourceConnector")
	delete(source, "sync.group.offsets.enabled")
	if random == 0 {
		source["forward.batches.enabled"] = "false" // where brokers are slow, also these batches are large enough
	}
	w := newWorker(t, b.Bootstrap(), nil, source)
	start(t, w)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	opts := []kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner())}
	if random > 0 {
		opts = append(opts, kgo.ProducerLinger(200*time.Millisecond)) // for batches that are worth to be forwarded also where brokers are slow
	}
	load := client(t, a, opts...)
	produced := make(chan int)
	go func() {
		r := rand.New(rand.NewPCG(1, 2))
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		n := 0
		for ; ctx.Err() == nil; <-tick.C {
			for range 20 {
				value := []byte(strconv.Itoa(n) + strings.Repeat("x", 100+random))
				for end := len(value) + random; len(value) < end; {
					value = strconv.AppendUint(value, r.Uint64(), 36)
				}
				load.Produce(context.Background(), &kgo.Record{Topic: "orders", Partition: int32(n % mirrored), Value: value}, nil)
				n++
			}
		}
		load.Flush(context.Background())
		produced <- n
	}()
	adm := kadm.NewClient(client(t, b))
	goesOn := func(what string) {
		from := endOffsets(b, adm, "A.orders")
		await(t, "more records after "+what, func() bool { return endOffsets(b, adm, "A.orders") >= from+1000 })
	}
	goesOn("the start")
	for name, c := range map[string]*kafka.Cluster{"source": a, "target": b} {
		w.Kill()
		start(t, w)
		goesOn("the kill of the worker")
		c.Brokers[0].Kill()
		if err := c.Brokers[0].Start(); err != nil {
			t.Fatal(err)
		}
		goesOn("the kill of the " + name + "'s broker")
	}
	cancel()
	n := <-produced
	await(t, "all records", func() bool {
		if endOffsets(b, adm, "A.orders") < n {
			return false
		}
		total := 0
		for _, values := range valuesOf(t, b, "A.orders") {
			distinct := make(map[string]bool)
			for _, v := range values {
				distinct[v] = true
			}
			total += len(distinct)
		}
		return total >= n
	})
	stop(t, w)
	again := compareSides(t, valuesOf(t, a, "orders"), valuesOf(t, b, "A.orders"))
	all, compressed := countBatches(t, b, "A.orders")
	t.Logf("%d records, %d of them copied more than once; %d of %d batches are as they were", n, again, compressed, all)
	if random == 0 && compressed > 0 || random > 0 && compressed < all/4 {
		t.Errorf("%d of %d batches were forwarded", compressed, all)
	}
}

// countBatches returns how many batches a topic has, and how many of them are compressed: as the producer of the source makes them, and that of
// a connector does not.
func countBatches(t *testing.T, c *kafka.Cluster, topic string) (all, compressed int) {
	t.Helper()
	for p := range int32(mirrored) {
		for _, batch := range allBatches(t, client(t, c), topic, p) {
			all++
			if batch[22]&7 != 0 {
				compressed++
			}
		}
	}
	return all, compressed
}
