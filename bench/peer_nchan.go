package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const nchanModule = "/usr/lib/nginx/modules/ngx_nchan_module.so"

func nchanPeer() *peer {
	return &peer{name: "nchan", what: "nchan in nginx, one worker; messages POSTed over one connection", topics: true, resume: true,
		prep: func(b *bench, p *peer) (err error) {
			if err := install(nchanModule, "libnginx-mod-nchan"); err != nil {
				return err
			}
			p.what = debian("libnginx-mod-nchan") + " in " + debian("nginx") + ", one worker; messages POSTed over one connection"
			if p.path, err = exec.LookPath("nginx"); err != nil {
				p.path = "/usr/sbin/nginx"
				_, err = os.Stat(p.path)
			}
			return err
		},
		start: startNchan}
}

// One worker: with two, each message crosses shared memory and costs more.
const nchanConfig = `load_module %[1]s;
daemon off;
%[2]sworker_processes 1;
worker_rlimit_nofile 20000;
pid %[3]s/nginx.pid;
error_log %[3]s/nginx.log warn;
events { worker_connections 16000; }
http {
	access_log off;
	client_body_temp_path %[3]s/body;
	proxy_temp_path %[3]s/proxy; fastcgi_temp_path %[3]s/fastcgi; uwsgi_temp_path %[3]s/uwsgi; scgi_temp_path %[3]s/scgi;
	client_body_buffer_size 64k;
	nchan_shared_memory_size 512m;
	keepalive_requests 1000000000;
	server {
		listen %[4]s backlog=4096;
		location ~ ^/stream/(.+)$ {
			nchan_subscriber eventsource;
			nchan_channel_id $1;
			nchan_subscriber_first_message newest;
		}
		location ~ ^/publish/(.+)$ {
			nchan_publisher;
			nchan_channel_id $1;
			nchan_message_buffer_length 100;
			nchan_message_timeout 5m;
		}
	}
}
`

func startNchan(b *bench, p *peer) (*server, error) {
	dir, err := os.MkdirTemp(b.dir, "nchan-")
	if err != nil {
		return nil, err
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;\n" // else the worker could not write to dir
	}
	addr, file := freeAddr(), filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, nchanConfig, nchanModule, user, dir, addr), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(p.path, "-p", dir, "-e", dir+"/nginx.log", "-c", file)
	cmd.Stderr = os.Stderr
	if err := begin(cmd); err != nil {
		return nil, err
	}
	var conn net.Conn
	if err := await(10*time.Second, "nginx to listen", func() bool {
		conn, err = net.Dial("tcp", addr)
		return err == nil
	}); err != nil {
		end(cmd)
		log, _ := os.ReadFile(dir + "/nginx.log")
		return nil, errors.Join(err, fmt.Errorf("%s", log))
	}
	go discard(conn) // the answers; ends with the connection
	return &server{
		pid: cmd.Process.Pid, addr: addr,
		target: func(topic string) string { return "/stream/" + topic },
		publish: func(m message) error {
			_ = conn.SetWriteDeadline(time.Now().Add(publishTimeout))
			request := fmt.Appendf(nil, "POST /publish/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", m.topic, addr, len(m.data))
			_, err := conn.Write(append(request, m.data...)) // the next may follow before the answer
			return err
		},
		stop: func() { conn.Close(); end(cmd) },
	}, nil
}
