// Command bench measures a built aviary as an operator would: as a process of
// its own, through its sockets, beside the kernel's floor in the same run.
//
//	go run . [-only delivery,slow,idle,ingest,start,size] [-rounds 3] [-aviary ../aviary]
//
// Every figure that has a bound is printed with it. Machines are noisy, so what
// counts are the ratios of runs that stand side by side, interleaved, and the
// median of the rounds; absolute microseconds are this machine's on this day.
//
//   - delivery: 1,000 clients, 100 posts of 3 KB a second. CPU (user+system) of
//     the gateway per delivery, against floor/floor.c: a bare loop of send() calls.
//   - slow: 200 clients, one of which stops reading while 30 MB pass. The others'
//     p99 latency against the same run without the stalled one.
//   - idle: resident memory per idle client.
//   - ingest: a file at FILE_RATE=max, posts a second into the history.
//   - start: exec to the first answer of /healthz.
//   - size: the stripped binary.
//
// All traffic stays on loopback, is bounded in count and time, and ends by itself.
package main
