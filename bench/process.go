package main

import (
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"aviary/loadgen"
)

// running are the servers' processes, so that none outlives this one.
var running struct {
	sync.Mutex
	all map[*exec.Cmd]bool
}

// begin starts a process.
func begin(cmd *exec.Cmd) error {
	running.Lock()
	defer running.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	if running.all == nil {
		running.all = map[*exec.Cmd]bool{}
	}
	running.all[cmd] = true
	return nil
}

// end stops a process: SIGTERM, and after three seconds SIGKILL, for those of its
// descendants too that it left behind.
func end(cmd *exec.Cmd) {
	family := loadgen.Family(cmd.Process.Pid)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	kill.Stop()
	for _, pid := range family[1:] {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	running.Lock()
	defer running.Unlock()
	delete(running.all, cmd)
}

// endWhenAsked stops all servers and this process on SIGINT and SIGTERM.
func endWhenAsked(dir string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		running.Lock() // for good: nothing is started any more
		for cmd := range running.all {
			for _, pid := range loadgen.Family(cmd.Process.Pid) {
				_ = syscall.Kill(pid, syscall.SIGTERM)
			}
		}
		time.Sleep(time.Second)
		for cmd := range running.all {
			_ = cmd.Process.Kill()
		}
		_ = os.RemoveAll(dir)
		os.Exit(1)
	}()
}
