package kafkatest

import (
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// endLongRounds ends rounds of groups that take longer than their members' rebalance timeout, as brokers do. kfake counts a member that
// goes while it waits in a sync as if it had waited in the join, so that the next round lacks one for ever; and each member that
// asks again begins the timeout anew. Here those that ask again wait until it is over.
func (c *Cluster) endLongRounds() {
	var mu sync.Mutex
	type round struct {
		epoch int32
		began time.Time
	}
	rounds := make(map[string]round)
	preparing := func(group string) (epoch int32, ok bool) {
		info := c.GroupInfo(group)
		if info == nil || info.State != "PreparingRebalance" {
			return 0, false
		}
		return info.Epoch, true
	}
	c.ControlKey(int16(kmsg.JoinGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.JoinGroupRequest)
		epoch, ok := preparing(req.Group)
		mu.Lock()
		last, known := rounds[req.Group]
		switch {
		case !ok:
			delete(rounds, req.Group)
		case !known || last.epoch != epoch:
			rounds[req.Group] = round{epoch, time.Now()}
		}
		mu.Unlock()
		timeout := time.Duration(req.RebalanceTimeoutMillis) * time.Millisecond
		if !ok || !known || last.epoch != epoch || time.Since(last.began) <= timeout {
			return nil, nil, false
		}
		c.SleepControl(func() {
			for end := time.Now().Add(timeout); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				if now, ok := preparing(req.Group); !ok || now != epoch {
					return
				}
			}
		})
		return nil, nil, false
	})
}
