package main

import (
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestUpstreamMetrics(t *testing.T) {
	c := &upstreamCollector{
		status: func() fanout.Upstream { return fanout.Upstream{State: "backing_off"} },
		stats: func() upstream.Stats {
			return upstream.Stats{
				Connects: map[string]uint64{"ok": 2, "http": 1},
				Messages: map[string]uint64{"post": 10, "delete": 1},
				Drops:    map[string]uint64{upstream.DropDuplicate: 3},
				Bytes:    4096, Backoff: 5 * time.Second, Lag: 1500 * time.Millisecond,
			}
		},
	}
	const want = `
# HELP aviary_posts_dropped_total Posts that did not reach the history, by reason.
# TYPE aviary_posts_dropped_total counter
aviary_posts_dropped_total{reason="duplicate"} 3
aviary_posts_dropped_total{reason="malformed"} 0
aviary_posts_dropped_total{reason="oversize"} 0
aviary_posts_dropped_total{reason="panic"} 0
# HELP aviary_upstream_backoff_seconds Length of the wait before the next attempt that is going on now; 0 without one.
# TYPE aviary_upstream_backoff_seconds gauge
aviary_upstream_backoff_seconds 5
# HELP aviary_upstream_bytes_total Bytes received over the wire, before decompression.
# TYPE aviary_upstream_bytes_total counter
aviary_upstream_bytes_total 4096
# HELP aviary_upstream_connects_total Attempts to connect, by result: ok (bytes came) or the class of the failure.
# TYPE aviary_upstream_connects_total counter
aviary_upstream_connects_total{result="fatal"} 0
aviary_upstream_connects_total{result="http"} 1
aviary_upstream_connects_total{result="network"} 0
aviary_upstream_connects_total{result="ok"} 2
aviary_upstream_connects_total{result="rate_limit"} 0
aviary_upstream_connects_total{result="stall"} 0
# HELP aviary_upstream_lag_seconds From the upstream's own time stamp of the last post to its arrival.
# TYPE aviary_upstream_lag_seconds gauge
aviary_upstream_lag_seconds 1.5
# HELP aviary_upstream_messages_total Whole messages received, by kind.
# TYPE aviary_upstream_messages_total counter
aviary_upstream_messages_total{kind="delete"} 1
aviary_upstream_messages_total{kind="post"} 10
# HELP aviary_upstream_state 1 for the state the upstream connection is in, 0 for the others.
# TYPE aviary_upstream_state gauge
aviary_upstream_state{state="backing_off"} 1
aviary_upstream_state{state="connecting"} 0
aviary_upstream_state{state="halted"} 0
aviary_upstream_state{state="streaming"} 0
aviary_upstream_state{state="switching"} 0
`
	if err := testutil.CollectAndCompare(c, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) > 0 {
		t.Errorf("names against the custom: %v %v", problems, err)
	}
}
