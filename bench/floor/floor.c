// floor is the kernel's own price of fan-out: it takes connections and sends every
// frame to each of them with one blocking send(), and does nothing else. No
// server on this machine can beat it with one system call a delivery. It
// guarantees nothing: a client that stops reading stops it.
//
//   floor
//
// The first line of output is the address it listens on (loopback only). Then each
// line of input, topic, tab, id, tab, data, is sent to all: there are no topics here.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CLIENTS = 65536, LONGEST_LINE = 1 << 20 };

static int client[MOST_CLIENTS], clients;
static char line[LONGEST_LINE], frame[LONGEST_LINE + 64];

static void take(int listener) {
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
  char request[8192];
  int one = 1, fd = accept(listener, NULL, NULL);
  if (fd < 0 || clients == MOST_CLIENTS) { perror("accept"); exit(1); }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (recv(fd, request, sizeof request, 0) <= 0 || send(fd, head, sizeof head - 1, MSG_NOSIGNAL) < 0) { close(fd); return; }
  client[clients++] = fd;
}

static void deliver(char *id, char *data, size_t length) {
  int n = sprintf(frame, "id: %s\ndata: ", id);
  memcpy(frame + n, data, length);
  memcpy(frame + n + length, "\n\n", 2);
  size_t size = n + length + 2;
  for (int i = 0; i < clients; i++)
    if (client[i] >= 0 && send(client[i], frame, size, MSG_NOSIGNAL) != (ssize_t)size) { close(client[i]); client[i] = -1; }
}

// lines sends every whole line of the input that has been read.
static size_t lines(size_t held) {
  char *from = line, *end;
  while ((end = memchr(from, '\n', line + held - from))) {
    char *id = memchr(from, '\t', end - from), *data = id ? memchr(id + 1, '\t', end - id - 1) : NULL;
    if (data) {
      *data = 0;
      deliver(id + 1, data + 1, end - data - 1);
    }
    from = end + 1;
  }
  held -= from - line;
  memmove(line, from, held);
  return held;
}

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof addr;
  if (bind(listener, (void *)&addr, len) || listen(listener, 4096)) { perror("listen"); return 1; }
  getsockname(listener, (void *)&addr, &len);
  printf("127.0.0.1:%d\n", ntohs(addr.sin_port));
  fflush(stdout);
  struct pollfd watched[2] = {{.fd = listener, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
  for (size_t held = 0;;) {
    if (poll(watched, 2, -1) < 0) { perror("poll"); return 1; }
    if (watched[0].revents) take(listener);
    if (watched[1].revents) {
      ssize_t n = read(0, line + held, sizeof line - held);
      if (n <= 0) return 0;
      held = lines(held + n);
    }
  }
}
