package main

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
)

// newService returns a runtime with a source that takes a reading in each interval and a sink that hands readings to
// arrived, and what Prometheus scrapes.
func newService(cfg cluster.Config, interval time.Duration, arrived func(int)) (rt *cluster.Runtime, metrics http.Handler, err error) {
	registry := prometheus.NewRegistry()
	// Without suffixes a name is that of docs/metrics.md, with _ for . and -, and no unit or _total is added to it.
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo(),
		exporter.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithoutSuffixes))
	if err != nil {
		return nil, nil, err
	}
	cfg.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
	if rt, err = cluster.New(cfg); err != nil {
		return nil, nil, err
	}
	err = rt.Add(
		cluster.Source{Name: "meter", Topic: "readings", Connector: readings(interval)},
		cluster.Sink{Name: "billing", Topics: []string{"readings"}, Connector: connect.SinkFunc(func(_ context.Context, records []connect.SinkRecord) error {
			arrived(len(records))
			return nil
		})},
	)
	return rt, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), err
}

// readings counts on from where it was.
func readings(interval time.Duration) connect.SourceFunc {
	return func(ctx context.Context, from connect.Fields) iter.Seq2[connect.SourceRecord, error] {
		return func(yield func(connect.SourceRecord, error) bool) {
			ticker := time.NewTicker(interval)
			defer ticker.Stop()
			for next, _ := from["next"].(int64); ; next++ {
				select {
				case <-ticker.C:
				case <-ctx.Done():
					return
				}
				if !yield(connect.SourceRecord{
					Record:       connect.Record{Value: time.Now().Format(time.RFC3339Nano), Timestamp: time.Now()},
					SourceOffset: connect.Fields{"next": next + 1},
				}, nil) {
					return
				}
			}
		}
	}
}
