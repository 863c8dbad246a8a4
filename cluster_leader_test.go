package main

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestLeaderIsKilled(t *testing.T) {
	const streams = 2
	f := newFleet(t, streams, "AVIARY_NATS_URL="+startNATS(t))
	for range 3 {
		f.add()
	}
	var took []time.Duration
	for range times(2, 20) {
		leader, follower := f.leads()
		client := follower.listen("")
		stop := f.talk(5 * time.Millisecond)
		client.begins()
		connects, killed := f.fake.Stats().Connects, time.Now()
		leader.kill()
		eventually(t, "another stream", func() bool { s := f.fake.Stats(); return s.Connects > connects && s.Streams == 1 })
		took = append(took, time.Since(killed))
		if missing := f.ends(stop, client); missing == 0 {
			t.Error("nothing is missing after a kill: the posts prove nothing")
		}
		client.close()
		f.add()
	}
	slices.Sort(took)
	t.Logf("a new stream after %v", took)
	if median := took[len(took)/2]; measured() && median > 3*time.Second {
		t.Errorf("the median is %v", median)
	}
	f.neverMore(streams)
}

// publishesOn is how long a leader that has resigned waits for the next one, and a
// moment less: who comes later finds nobody to take over from.
const publishesOn = 4 * time.Second

// SIGTERM of the leader: the next one streams before the old one lets go.
func TestLeaderHandsOver(t *testing.T) {
	const streams = 2
	f := newFleet(t, streams, "AVIARY_NATS_URL="+startNATS(t))
	for range 3 {
		f.add()
	}
	for range times(2, 20) {
		leader, follower := f.leads()
		client := follower.listen("")
		stop := f.talk(5 * time.Millisecond)
		client.begins()
		connects, asked := f.fake.Stats().Connects, time.Now()
		leader.signal(syscall.SIGTERM)
		eventually(t, "another stream", func() bool { return f.fake.Stats().Connects > connects })
		took := time.Since(asked)
		<-leader.exited
		t.Logf("a new stream after %v, exit after %v", took, time.Since(asked))
		if measured() && took > 2*time.Second {
			t.Errorf("a new stream takes %v", took)
		}
		if code := leader.cmd.ProcessState.ExitCode(); code != exitOK {
			t.Errorf("exit code %d", code)
		}
		f.remove(leader)
		if missing := f.ends(stop, client); missing != 0 && took < publishesOn && !f.starved() {
			t.Errorf("%d posts are lost", missing)
		}
		client.close()
		f.add()
	}
	f.neverMore(streams)
}

// With one stream allowed there is no overlap: what is lost is told.
func TestLeaderHandsOverItsOnlyStream(t *testing.T) {
	f := newFleet(t, 1, "AVIARY_NATS_URL="+startNATS(t))
	f.add()
	f.add()
	leader, follower := f.leads()
	client := follower.listen("")
	stop := f.talk(5 * time.Millisecond)
	client.begins()
	leader.signal(syscall.SIGTERM)
	<-leader.exited
	f.remove(leader)
	f.ends(stop, client)
	f.neverMore(1)
}

// A leader that was frozen for longer than its lease is none when it wakes: nothing
// of it is delivered, and it closes its stream.
func TestFrozenLeader(t *testing.T) {
	f := newFleet(t, 2, "AVIARY_NATS_URL="+startNATS(t))
	for range 3 {
		f.add()
	}
	for range times(1, 10) {
		leader, follower := f.leads()
		client := follower.listen("")
		stop := f.talk(5 * time.Millisecond)
		client.begins()
		leader.signal(syscall.SIGSTOP)
		old, _ := follower.status()
		eventually(t, "another leader", func() bool {
			s, _ := follower.status()
			return s.Upstream.State == "streaming" && s.Cluster.Leader != "" && s.Cluster.Leader != old.Cluster.Leader
		})
		time.Sleep(200 * time.Millisecond)
		leader.signal(syscall.SIGCONT)
		eventually(t, "the old stream's end", func() bool { return f.fake.Stats().Streams == 1 })
		f.ends(stop, client)
		client.close()
	}
	f.neverMore(2)
}
