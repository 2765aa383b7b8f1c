// Package simulation is a test that runs whole clusters in virtual time through schedules of faults that a seed decides:
// instances are killed, stopped, frozen and cut off, leaders and coordinators move, brokers refuse requests, tasks are slow
// and fail, connectors are paused, restarted and configured anew, the service is deployed anew. After each schedule it
// checks the invariants of DESIGN.md. docs/testing.md says how to run it.
package simulation
