package tools

import (
	"context"
	"time"
)

// pace keeps a task to so many records per second: below 0 to none, at 0 it makes no more.
type pace struct {
	perSecond int64
	began     time.Time
	made      int64
}

// await waits until it is time for the next record. It returns the cause of ctx if that ends first.
func (p *pace) await(ctx context.Context) error {
	defer func() { p.made++ }()
	switch {
	case p.perSecond < 0:
		return context.Cause(ctx)
	case p.perSecond == 0:
		<-ctx.Done()
		return context.Cause(ctx)
	}
	seconds := float64(p.made) / float64(p.perSecond)
	return sleepUntil(ctx, p.began.Add(time.Duration(seconds*float64(time.Second))))
}

func sleepUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
