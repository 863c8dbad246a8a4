// floor is the kernel's own price of fan-out: it accepts N connections and then
// sends one ready-made frame to each of them, RATE times a second for SECONDS
// seconds, with one blocking send() per delivery and nothing else. What it
// prints, CPU microseconds (user + system) per delivery, is what no server on
// this machine can beat with one system call a delivery.
//
//   floor N RATE SECONDS SIZE
//
// The first line of output is the port it listens on (loopback only).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double cpu_us(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

int main(int argc, char **argv) {
  if (argc != 5) { fprintf(stderr, "usage: floor N RATE SECONDS SIZE\n"); return 2; }
  int n = atoi(argv[1]), rate = atoi(argv[2]), seconds = atoi(argv[3]), size = atoi(argv[4]);
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof addr;
  if (bind(listener, (void *)&addr, len) || listen(listener, 4096)) { perror("listen"); return 1; }
  getsockname(listener, (void *)&addr, &len);
  printf("%d\n", ntohs(addr.sin_port));
  fflush(stdout);

  int *client = calloc(n, sizeof *client);
  char request[4096];
  const char *head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
  for (int i = 0; i < n; i++) {
    client[i] = accept(listener, NULL, NULL);
    setsockopt(client[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (client[i] < 0 || recv(client[i], request, sizeof request, 0) <= 0) { perror("accept"); return 1; }
    if (send(client[i], head, strlen(head), MSG_NOSIGNAL) < 0) { perror("send"); return 1; }
  }

  char *frame = malloc(size);
  memset(frame, 'x', size);
  memcpy(frame, "data: ", 6);
  memcpy(frame + size - 2, "\n\n", 2);
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  double before = cpu_us();
  long sent = 0, rounds = (long)rate * seconds;
  for (long r = 0; r < rounds; r++) {
    next.tv_nsec += 1000000000L / rate;
    if (next.tv_nsec >= 1000000000L) { next.tv_nsec -= 1000000000L; next.tv_sec++; }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    for (int i = 0; i < n; i++)
      if (send(client[i], frame, size, MSG_NOSIGNAL) == size) sent++;
  }
  printf("%.3f %ld\n", (cpu_us() - before) / sent, sent);
  return 0;
}
