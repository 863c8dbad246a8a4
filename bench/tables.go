package main

import "fmt"

func (p *page) broadcast() {
	p.text("## One post to 1,000 clients\n\n")
	p.text("CPU in µs a delivery:\n\n| server | 10 posts/s | 50 posts/s | 100 posts/s | × floor at 100 |\n|---|---|---|---|---|\n")
	p.rows("10 posts/s", anyPeer, p.of("10 posts/s", "cpu", "%.1f"), p.of("50 posts/s", "cpu", "%.1f"), p.of("100 posts/s", "cpu", "%.1f"), p.against("100 posts/s", "cpu", "floor"))
	p.text("Latency in ms, p50 / p99 / p99.9:\n\n| server | 10 posts/s | 50 posts/s | 100 posts/s | lost at 100 |\n|---|---|---|---|---|\n")
	p.rows("10 posts/s", anyPeer, p.latency("10 posts/s"), p.latency("50 posts/s"), p.latency("100 posts/s"), p.lost("100 posts/s"))
	p.text("Saturated, with %d messages in flight: the next is sent when all clients have the one %d before. The floor writes each message alone; whoever\n"+
		"gathers what is pending writes less often.\n\n| server | deliveries/s | CPU in µs a delivery | × floor | lost |\n|---|---|---|---|---|\n", flight, flight)
	p.rows("saturated", anyPeer, p.of("saturated", "rate", "%.0f"), p.of("saturated", "cpu", "%.2f"), p.against("saturated", "cpu", "floor"), p.lost("saturated"))
}

// against is a cell with the ratio of two medians.
func (p *page) against(what, metric, than string) func(string) string {
	return func(peer string) string {
		ours, ok := p.f.get(what, metric, peer)
		theirs, beside := p.f.get(what, metric, than)
		if !ok || !beside || theirs == 0 {
			return "—"
		}
		return fmt.Sprintf("%.2f", ours/theirs)
	}
}

func (p *page) many() {
	p.text("## 9,000 clients\n\n")
	p.text("Memory is that of a client that is open and idle, after a heartbeat: resident memory of the server's processes, and what the kernel holds (slab and TCP\n"+
		"buffers of the whole machine, so both ends of each connection). Then %d posts a second to all.\n\n"+
		"| server | RSS, KiB a client | kernel, KiB a client | CPU, µs a delivery | latency, ms | lost |\n|---|---|---|---|---|---|\n", manyRate)
	p.rows("9,000 clients", anyPeer, p.of("idle", "rss", "%.2f"), p.of("idle", "kernel", "%.1f"), p.of("9,000 clients", "cpu", "%.1f"), p.latency("9,000 clients"), p.lost("9,000 clients"))
	p.text("The storm: all leave, miss %d posts, and come back at once, each with its last id.\n\n"+
		"| server | all caught up after, s | CPU, µs a client, posts included | peak memory against before | lost |\n|---|---|---|---|---|\n", missedPosts)
	p.rows("storm", func(peer *peer) bool { return peer.resume }, p.of("storm", "seconds", "%.2f"), p.of("storm", "cpu", "%.0f"), p.of("storm", "peak", "%.2f"), p.lost("storm"))
	p.text("The other servers keep no history here, or none that a client can resume from.\n\n")
}

func (p *page) topics() {
	p.text("## One post to one client of 10,000\n\n")
	p.text("Every client asks for a topic of its own, 1,000 posts a second, each for one of them. For aviary these are 10,000 filters (`track=` a word) that each post is\n" +
		"matched against; for the others the publisher names the topic. The first post to each topic is counted apart: who looks for a topic's clients only\n" +
		"once, and remembers, pays there.\n\n| server | CPU, µs a post | the first to a topic | latency, ms | lost |\n|---|---|---|---|---|\n")
	p.rows("one to one", func(peer *peer) bool { return peer.topics }, p.of("one to one", "cpu", "%.0f"), p.of("one to one", "first", "%.0f"), p.latency("one to one"), p.lost("one to one"))
}

func (p *page) gzip() {
	p.text("## Compressed\n\n%d clients, 100 posts/s; only aviary compresses its streams. Ten streams are inflated and checked, the others are counted in bytes.\n\n"+
		"| encoding | bytes a delivery | CPU, µs a delivery | latency, ms | lost |\n|---|---|---|---|---|\n", broadcastClients)
	for _, encoding := range []string{"identity", "gzip"} {
		what := "encoding " + encoding
		failure, failed := p.f.failures[figure{"gzip", "", "aviary"}]
		switch _, ok := p.f.get(what, "cpu", "aviary"); {
		case ok:
			p.text("| %s | %s | %s | %s | %s |\n", encoding, p.of(what, "bytes", "%.0f")("aviary"), p.of(what, "cpu", "%.1f")("aviary"), p.latency(what)("aviary"), p.lost(what)("aviary"))
		case failed:
			p.text("| %s | **failed**: %s | | | |\n", encoding, cell(failure))
		default:
			p.text("| %s | not measured | | | |\n", encoding)
		}
	}
	p.text("\n")
}

func (p *page) stalled() {
	p.text("## One client stops reading\n\n%d others read on, %d posts/s of %d KB; %d MB are pushed to aviary's stalled client, %d MB, once, to those of the\n"+
		"others. \"Grew\" is the server's resident memory meanwhile.\n\n| server | p99 without it, ms | with it | × | lost by the others | grew, MiB | what became of it |\n|---|---|---|---|---|---|---|\n",
		broadcastClients-1, stalledRate, stalledPayload/1000, stalledBytes/1_000_000, stalledBytesPeer/1_000_000)
	p.rows("one stalled", func(peer *peer) bool { return peer.name != "floor" }, p.of("nobody stalled", "p99", "%.1f"), p.of("one stalled", "p99", "%.1f"), p.of("one stalled", "ratio", "%.2f"),
		p.lost("one stalled"), p.of("one stalled", "grown", "%.1f"), func(peer string) string { return cell(p.f.words[figure{"one stalled", "", peer}]) })
	p.text("Latency counts what arrived: a server that stopped everybody has a good one for what came before.\n\n")
}

func (p *page) alone() {
	p.text("## aviary alone\n\n| what | measured |\n|---|---|\n")
	for _, row := range []struct{ metric, what, format string }{
		{"ingest", "a file at full speed into the history, posts of 3 KB, start of the process included", "%.0f posts/s"},
		{"start", "start to the first answer", "%.0f ms"},
		{"size", "the stripped binary", "%.1f MB"},
	} {
		if v, ok := p.f.get("alone", row.metric, "aviary"); ok {
			p.text("| %s | "+row.format+" |\n", row.what, v)
		}
	}
	p.text("\n")
}
