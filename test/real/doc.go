// Package real runs the worker against real brokers, and beside the real Java Kafka Connect: what an in-memory Kafka can't
// show, or gets wrong. It takes minutes, and Java and Maven, so it has a command of its own:
//
//	go test -tags real -timeout 40m ./test/...
//
// docs/testing.md says more.
package real
