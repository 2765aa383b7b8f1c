package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

// startKafka starts a Kafka in this process that keeps its data in a folder. stop ends it and writes what is left.
func startKafka(folder string, port int) (brokers []string, stop func(), err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, nil, fmt.Errorf("no folder for Kafka's data: %w", err)
	}
	unlock, err := lock(filepath.Join(folder, "lock"))
	if err != nil {
		return nil, nil, fmt.Errorf("Kafka's data in %s: %w", folder, err)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(port),
		kfake.DataDir(filepath.Join(folder, "kafka")), kfake.SyncWrites(),
		// As Kafka does by default.
		kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(1),
		// Nothing is thrown away: whoever comes back after a month goes on too.
		kfake.BrokerConfigs(map[string]string{
			"log.cleaner.backoff.ms":    "1000000000000",
			"offsets.retention.minutes": "1000000000",
		}),
	)
	if err != nil {
		unlock()
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, fmt.Errorf("port %d is taken; choose another, or none for one that is free", port)
		}
		return nil, nil, fmt.Errorf("Kafka in %s can't be started: %w", folder, err)
	}
	return cluster.ListenAddrs(), func() { cluster.Close(); unlock() }, nil
}
