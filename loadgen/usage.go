package loadgen

import "time"

// Usage is what a process and all its descendants have used so far.
type Usage struct {
	User, System time.Duration // of processor time, in the kernel's steps of 10 ms
	RSS          int64         // resident memory now, in bytes; pages that processes share count for each
	Peak         int64         // the most that RSS was (the sum of each process's), since the start or ResetPeak
	Processes    int
}

// CPU is user and system time together.
func (u Usage) CPU() time.Duration { return u.User + u.System }
