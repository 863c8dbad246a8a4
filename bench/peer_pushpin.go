package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const pushpinInternal = "/usr/lib/pushpin/internal.conf"

func pushpinPeer() *peer {
	return &peer{name: "Pushpin", what: "Pushpin with its own test backend; messages POSTed to its control port, throttle lifted",
		prep: func(b *bench, p *peer) (err error) {
			if err := install("/usr/bin/pushpin", "pushpin"); err != nil {
				return err
			}
			p.what = debian("pushpin") + " with its own test backend; messages POSTed to its control port, throttle lifted"
			p.path, err = exec.LookPath("pushpin")
			return err
		},
		start: startPushpin}
}

const pushpinConfig = `[global]
include=%[1]s/internal.conf
rundir=%[1]s
ipc_prefix=b-
port_offset=0
[runner]
services=condure,pushpin-proxy,pushpin-handler
http_port=127.0.0.1:%[2]s
logdir=%[1]s
log_level=1
client_buffer_size=8192
client_maxconn=20000
[proxy]
routesfile=%[1]s/routes
updates_check=off
[handler]
push_in_spec=tcp://127.0.0.1:%[3]s
push_in_sub_specs=ipc://%[1]s/b-sub
push_in_http_addr=127.0.0.1
push_in_http_port=%[4]s
push_in_http_max_body_size=1000000
stats_spec=ipc://%[1]s/b-stats
command_spec=ipc://%[1]s/b-command
message_rate=1000000
message_hwm=1000000
`

// startPushpin starts Pushpin with the backend that is built into it, which holds
// every request open as a stream of one channel: a backend of ours would be asked
// through zurl, which refuses hundreds of connects when thousands come at once.
func startPushpin(b *bench, p *peer) (*server, error) {
	dir, err := os.MkdirTemp(b.dir, "pushpin-")
	if err != nil {
		return nil, err
	}
	internal, err := os.ReadFile(pushpinInternal)
	if err != nil {
		return nil, err
	}
	_, client, _ := strings.Cut(freeAddr(), ":")
	_, pull, _ := strings.Cut(freeAddr(), ":")
	_, control, _ := strings.Cut(freeAddr(), ":")
	for name, text := range map[string]string{
		"internal.conf": string(internal),
		"pushpin.conf":  fmt.Sprintf(pushpinConfig, dir, client, pull, control),
		"routes":        "* test\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	log, err := os.Create(dir + "/log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(p.path, "--config="+dir+"/pushpin.conf")
	cmd.Stdout, cmd.Stderr = log, log
	if err := begin(cmd); err != nil {
		return nil, err
	}
	s := &server{
		pid: cmd.Process.Pid, addr: "127.0.0.1:" + client,
		target: func(string) string { return "/stream" },
		stop:   func() { end(cmd) },

		parallel: 4, // with more, hundreds of a thousand are answered 500
	}
	poster := &http.Client{Timeout: publishTimeout}
	s.publish = func(m message) error { return postPushpin(poster, control, m) }
	if err := await(15*time.Second, "Pushpin to serve", func() bool {
		response, err := (&http.Client{Timeout: time.Second}).Get("http://" + s.addr + "/stream")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK && s.publish(message{data: []byte("{}")}) == nil
	}); err != nil {
		s.stop()
		said, _ := os.ReadFile(dir + "/log")
		return nil, fmt.Errorf("%w; its log:\n%s", err, said)
	}
	return s, nil
}

func postPushpin(client *http.Client, port string, m message) error {
	type object = map[string]any
	frame := fmt.Sprintf("id: %d\ndata: %s\n\n", firstID+m.seq, m.data)
	body, err := json.Marshal(object{"items": []any{object{"channel": "test", "formats": object{"http-stream": object{"content": frame}}}}})
	if err != nil {
		return err
	}
	response, err := client.Post("http://127.0.0.1:"+port+"/publish/", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, said)
	}
	return nil
}
