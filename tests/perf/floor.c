/* floor: the least work that can do each traffic pattern on this machine, as a yardstick.
 *
 *   floor [--pin] MODE SECONDS [SIZE] [N]      prints one line with one figure
 *
 * --pin gives the driving side the first CPU this process may use and the serving side the second.
 * One process per side, nothing measured inside the loop but a count. What volley does on top of
 * this (due times, histograms, loss, reports) is to cost as little of it as possible:
 * scripts/bench puts the two side by side. It is no part of the program and takes no care of
 * strangers: both its ends are its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
  kBatch = 64,
  kMostBatch = 1024,
  kMostEvents = 512,
  kMostSegments = 64,
  kSegmentedBytes = 65000
};

static struct sockaddr_in address = {.sin_family = AF_INET};
static volatile uint64_t* received; /* by the server; memory shared by both processes */
static int size = 64;               /* bytes of a message */
static int in_flight = 16;          /* N: requests, connections */
static int spin;                    /* both sides poll their sockets instead of sleeping */
static double seconds;
static char buffer[1 << 20];
static struct mmsghdr messages[kMostBatch];
static struct iovec pieces[kMostBatch];

static void die(const char* what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void set_option(int socket, int level, int name, int value) {
  setsockopt(socket, level, name, &value, sizeof value);
}

static int open_socket(int type) {
  int s = socket(AF_INET, type, 0);
  if (s < 0) die("socket");
  set_option(s, SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(s, SOL_SOCKET, SO_RCVBUF, 4 << 20);
  set_option(s, SOL_SOCKET, SO_SNDBUF, 4 << 20);
  if (type == SOCK_STREAM) set_option(s, IPPROTO_TCP, TCP_NODELAY, 1);
  return s;
}

static int open_connected(int type) {
  int s = open_socket(type);
  if (connect(s, (struct sockaddr*)&address, sizeof address)) die("connect");
  return s;
}

/* RST instead of FIN: no TIME_WAIT, so that local ports last. */
static void close_by_reset(int s) {
  struct linger now_and_hard = {1, 0};
  setsockopt(s, SOL_SOCKET, SO_LINGER, &now_and_hard, sizeof now_and_hard);
  close(s);
}

static void watch(int epoll, int s, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = s};
  epoll_ctl(epoll, EPOLL_CTL_ADD, s, &event);
}

static int wait_flag(void) { return spin ? MSG_DONTWAIT : 0; }

static void receive_all(int s, int bytes) {
  for (int got = 0; got < bytes;) {
    ssize_t n = recv(s, buffer + got, (size_t)(bytes - got), wait_flag());
    if (n > 0)
      got += (int)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
      return;
  }
}

/* The first `each` bytes of a place of its own for every message of a batch. */
static void prepare_batch(size_t each) {
  for (int i = 0; i < kMostBatch; i++) {
    pieces[i] = (struct iovec){buffer + (size_t)(i % 16) * 65536, each};
    messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[i], .msg_iovlen = 1}};
  }
}

/* One receive that may bring several datagrams of `segment` bytes each (UDP_GRO). */
static int receive_segments(int s, struct sockaddr_in* from, int* segment) {
  char control[64];
  struct iovec piece = {buffer, 65535};
  struct msghdr m = {.msg_name = from,
                     .msg_namelen = from ? sizeof *from : 0,
                     .msg_iov = &piece,
                     .msg_iovlen = 1,
                     .msg_control = control,
                     .msg_controllen = sizeof control};
  int bytes = (int)recvmsg(s, &m, 0);
  *segment = bytes;
  for (struct cmsghdr* h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
    if (h->cmsg_level == IPPROTO_UDP && h->cmsg_type == UDP_GRO)
      memcpy(segment, CMSG_DATA(h), sizeof *segment);
  return bytes;
}

/* One send that the kernel divides into datagrams of `segment` bytes (UDP_SEGMENT). */
static void send_segments(int s, struct sockaddr_in* to, int bytes, int segment) {
  char control[64] = {0};
  struct iovec piece = {buffer, (size_t)bytes};
  struct msghdr m = {
      .msg_name = to, .msg_namelen = to ? sizeof *to : 0, .msg_iov = &piece, .msg_iovlen = 1};
  if (bytes > segment) {
    uint16_t each = (uint16_t)segment;
    m.msg_control = control;
    m.msg_controllen = CMSG_SPACE(sizeof each);
    struct cmsghdr* h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = IPPROTO_UDP;
    h->cmsg_type = UDP_SEGMENT;
    h->cmsg_len = CMSG_LEN(sizeof each);
    memcpy(CMSG_DATA(h), &each, sizeof each);
  }
  sendmsg(s, &m, 0);
}

/* ---- the serving side: each runs until it is killed ---- */

static void serve_udp_echo(int s) {
  for (;;) {
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(s, buffer, 65536, wait_flag(), (struct sockaddr*)&from, &length);
    if (n > 0) sendto(s, buffer, (size_t)n, 0, (struct sockaddr*)&from, length);
  }
}

static void serve_udp_echo_batches(int s) {
  static struct sockaddr_in from[kBatch];
  prepare_batch(2048);
  for (;;) {
    for (int i = 0; i < kBatch; i++) {
      pieces[i].iov_len = 2048;
      messages[i].msg_hdr.msg_name = &from[i];
      messages[i].msg_hdr.msg_namelen = sizeof from[i];
    }
    int n = recvmmsg(s, messages, kBatch, MSG_WAITFORONE, NULL);
    for (int i = 0; i < n; i++) pieces[i].iov_len = messages[i].msg_len;
    for (int done = 0; done < n;) {
      int sent = sendmmsg(s, messages + done, (unsigned)(n - done), 0);
      if (sent <= 0) break;
      done += sent;
    }
  }
}

static void serve_udp_echo_segments(int s) {
  for (;;) {
    struct sockaddr_in from;
    int segment;
    int bytes = receive_segments(s, &from, &segment);
    if (bytes > 0) send_segments(s, &from, bytes, segment);
  }
}

static void sink_datagrams(int s, int segmented) {
  prepare_batch(65535);
  for (;;) {
    int n = recvmmsg(s, messages, kBatch, MSG_WAITFORONE, NULL);
    for (int i = 0; i < n; i++)
      *received += segmented ? (messages[i].msg_len + (unsigned)size - 1) / (unsigned)size : 1;
  }
}
static void serve_udp_sink(int s) { sink_datagrams(s, 0); }
static void serve_udp_sink_segments(int s) { sink_datagrams(s, 1); }

static void serve_tcp_echo(int listener) {
  for (;;) {
    int s = accept(listener, NULL, NULL);
    set_option(s, IPPROTO_TCP, TCP_NODELAY, 1);
    for (;;) {
      ssize_t n = recv(s, buffer, 65536, wait_flag());
      if (n > 0)
        send(s, buffer, (size_t)n, MSG_NOSIGNAL);
      else if (n == 0 || errno != EAGAIN)
        break;
    }
    close(s);
  }
}

static void accept_all(int listener, int epoll, int hang_up) {
  int s;
  while ((s = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    ++*received;
    set_option(s, IPPROTO_TCP, TCP_NODELAY, 1);
    if (hang_up)
      close(s);
    else
      watch(epoll, s, EPOLLIN);
  }
}

static void serve_tcp_many(int listener, int hang_up) {
  struct epoll_event events[kMostEvents];
  int epoll = epoll_create1(0);
  fcntl(listener, F_SETFL, O_NONBLOCK);
  watch(epoll, listener, EPOLLIN);
  for (;;) {
    int n = epoll_wait(epoll, events, kMostEvents, -1);
    for (int i = 0; i < n; i++) {
      int s = events[i].data.fd;
      if (s == listener) {
        accept_all(listener, epoll, hang_up);
        continue;
      }
      ssize_t bytes = recv(s, buffer, 65536, 0);
      if (bytes > 0) bytes = send(s, buffer, (size_t)bytes, MSG_NOSIGNAL) < 0 ? 0 : bytes;
      if (bytes == 0 || (bytes < 0 && errno != EAGAIN)) close(s);
    }
  }
}
static void serve_tcp_echo_many(int listener) { serve_tcp_many(listener, 0); }
static void serve_tcp_hang_up(int listener) { serve_tcp_many(listener, 1); }

static void sink_stream(int listener, int flags) {
  int s = accept(listener, NULL, NULL);
  ssize_t n;
  while ((n = recv(s, buffer, sizeof buffer, flags)) > 0) *received += (uint64_t)n;
  pause();
}
static void serve_tcp_sink(int listener) { sink_stream(listener, 0); }
static void serve_tcp_discard(int listener) { sink_stream(listener, MSG_TRUNC); }

/* ---- the driving side: each returns how many it did, and sets the time it took ---- */

static double took;

static uint64_t drive_rr(int type) {
  int s = open_connected(type);
  uint64_t done = 0;
  double begin = now(), t = begin;
  /* The clock is read every 64 round trips. */
  while ((done & 63) || (t = now()) < begin + seconds) {
    send(s, buffer, (size_t)size, 0);
    if (type == SOCK_STREAM)
      receive_all(s, size);
    else
      while (recv(s, buffer, sizeof buffer, wait_flag()) < 0) continue;
    done++;
  }
  took = t - begin;
  return done;
}
static uint64_t drive_udp_rr(void) { return drive_rr(SOCK_DGRAM); }
static uint64_t drive_tcp_rr(void) { return drive_rr(SOCK_STREAM); }

/* A window that was lost whole is sent again after 20 ms of silence. */
static int open_window_socket(void) {
  int s = open_connected(SOCK_DGRAM);
  struct timeval silence = {0, 20000};
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
  return s;
}

static uint64_t drive_udp_window(void) {
  static struct mmsghdr answers[kMostBatch];
  static struct iovec places[kMostBatch];
  int s = open_window_socket();
  uint64_t done = 0;
  prepare_batch((size_t)size);
  for (int i = 0; i < kMostBatch; i++) {
    places[i] = (struct iovec){buffer, 2048};
    answers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &places[i], .msg_iovlen = 1}};
  }
  double begin = now(), t = begin;
  sendmmsg(s, messages, (unsigned)in_flight, 0);
  while ((t = now()) < begin + seconds) {
    int n = recvmmsg(s, answers, kBatch, MSG_WAITFORONE, NULL);
    if (n > 0) done += (uint64_t)n;
    sendmmsg(s, messages, (unsigned)(n > 0 ? n : in_flight), 0);
  }
  took = t - begin;
  return done;
}

static uint64_t drive_udp_window_segments(void) {
  int s = open_window_socket(), segment;
  int each = in_flight < kMostSegments ? in_flight : kMostSegments;
  uint64_t done = 0;
  if (each * size > kSegmentedBytes) each = kSegmentedBytes / size;
  set_option(s, IPPROTO_UDP, UDP_GRO, 1);
  double begin = now(), t = begin;
  for (int i = 0; i < in_flight; i += each) send_segments(s, NULL, each * size, size);
  while ((t = now()) < begin + seconds) {
    int bytes = receive_segments(s, NULL, &segment);
    if (bytes > 0) {
      done += (uint64_t)((bytes + segment - 1) / segment);
      send_segments(s, NULL, bytes, segment);
    } else {
      for (int i = 0; i < in_flight; i += each) send_segments(s, NULL, each * size, size);
    }
  }
  took = t - begin;
  return done;
}

static uint64_t drive_tcp_window(void) {
  int s = open_connected(SOCK_STREAM), got = 0;
  uint64_t done = 0;
  double begin = now(), t = begin;
  send(s, buffer, (size_t)(size * in_flight), 0);
  while ((t = now()) < begin + seconds) {
    ssize_t n = recv(s, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    got += (int)n;
    int whole = got / size;
    got -= whole * size;
    done += (uint64_t)whole;
    if (whole) send(s, buffer, (size_t)(size * whole), 0);
  }
  took = t - begin;
  return done;
}

static uint64_t drive_tcp_many(void) {
  struct epoll_event events[kMostEvents];
  int epoll = epoll_create1(0);
  uint64_t done = 0;
  for (int i = 0; i < in_flight; i++) {
    int s = open_connected(SOCK_STREAM);
    fcntl(s, F_SETFL, O_NONBLOCK);
    watch(epoll, s, EPOLLIN);
    send(s, buffer, (size_t)size, 0);
  }
  double begin = now(), t = begin;
  while ((t = now()) < begin + seconds) {
    int n = epoll_wait(epoll, events, kMostEvents, -1);
    for (int i = 0; i < n; i++) {
      if (recv(events[i].data.fd, buffer, sizeof buffer, 0) <= 0) continue;
      done++;
      send(events[i].data.fd, buffer, (size_t)size, 0);
    }
  }
  took = t - begin;
  return done;
}

static uint64_t drive_one_connection_at_a_time(int data) {
  uint64_t done = 0;
  double begin = now(), t = begin;
  while ((done & 15) || (t = now()) < begin + seconds) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(s, (struct sockaddr*)&address, sizeof address)) die("connect");
    if (data) {
      send(s, buffer, (size_t)size, 0);
      receive_all(s, size);
    }
    close_by_reset(s);
    done++;
  }
  took = t - begin;
  return done;
}

static uint64_t drive_connections(int data) {
  if (in_flight == 1) return drive_one_connection_at_a_time(data);
  struct epoll_event events[kMostEvents];
  int epoll = epoll_create1(0), live = 0;
  uint64_t done = 0;
  double begin = now();
  while (now() < begin + seconds) {
    for (; live < in_flight; live++) {
      int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      if (connect(s, (struct sockaddr*)&address, sizeof address) && errno != EINPROGRESS)
        die("connect");
      if (data) send(s, buffer, (size_t)size, MSG_NOSIGNAL);
      watch(epoll, s, data ? EPOLLIN : EPOLLOUT);
    }
    int n = epoll_wait(epoll, events, kMostEvents, 100);
    for (int i = 0; i < n; i++, live--, done++) {
      if (data && recv(events[i].data.fd, buffer, sizeof buffer, 0) <= 0) die("recv");
      close_by_reset(events[i].data.fd);
    }
  }
  took = now() - begin;
  return done;
}
static uint64_t drive_tcp_crr(void) { return drive_connections(1); }
static uint64_t drive_tcp_connect(void) { return drive_connections(0); }

static uint64_t drive_udp_send(void) {
  int s = open_connected(SOCK_DGRAM);
  uint64_t done = 0;
  double begin = now(), t = begin;
  while ((done & 1023) || (t = now()) < begin + seconds)
    if (send(s, buffer, (size_t)size, 0) > 0) done++;
  took = t - begin;
  return done;
}

static uint64_t drive_udp_send_batches(void) {
  int s = open_connected(SOCK_DGRAM);
  uint64_t done = 0;
  prepare_batch((size_t)size);
  double begin = now(), t = begin;
  while ((t = now()) < begin + seconds) {
    int n = sendmmsg(s, messages, kBatch, 0);
    if (n > 0) done += (uint64_t)n;
  }
  took = t - begin;
  return done;
}

static uint64_t drive_udp_send_segments(void) {
  int s = open_connected(SOCK_DGRAM), each = kSegmentedBytes / size;
  uint64_t done = 0;
  if (each > kMostSegments) each = kMostSegments;
  set_option(s, IPPROTO_UDP, UDP_SEGMENT, size);
  double begin = now(), t = begin;
  while ((t = now()) < begin + seconds)
    if (send(s, buffer, (size_t)(size * each), 0) > 0) done += (uint64_t)each;
  took = t - begin;
  return done;
}

static uint64_t drive_tcp_stream(void) {
  int s = open_connected(SOCK_STREAM);
  double begin = now(), t = begin;
  while ((t = now()) < begin + seconds) send(s, buffer, (size_t)size, 0);
  took = t - begin;
  return *received;
}

struct mode {
  const char* name;
  int type;
  void (*serve)(int socket);
  uint64_t (*drive)(void);
  const char* unit;
  const char* what;
};
static const struct mode modes[] = {
    {"udp-rr", SOCK_DGRAM, serve_udp_echo, drive_udp_rr, "round-trips/s",
     "one request in flight, blocking sockets"},
    {"tcp-rr", SOCK_STREAM, serve_tcp_echo, drive_tcp_rr, "round-trips/s", "the same"},
    {"udp-rr-spin", SOCK_DGRAM, serve_udp_echo, drive_udp_rr, "round-trips/s",
     "the same, both sides spin"},
    {"tcp-rr-spin", SOCK_STREAM, serve_tcp_echo, drive_tcp_rr, "round-trips/s",
     "the same, both sides spin"},
    {"udp-window", SOCK_DGRAM, serve_udp_echo_batches, drive_udp_window, "round-trips/s",
     "N requests in flight on one socket"},
    {"tcp-window", SOCK_STREAM, serve_tcp_echo, drive_tcp_window, "round-trips/s", "the same"},
    {"udp-window-gso", SOCK_DGRAM, serve_udp_echo_segments, drive_udp_window_segments,
     "round-trips/s", "the same with UDP_SEGMENT and UDP_GRO"},
    {"tcp-many", SOCK_STREAM, serve_tcp_echo_many, drive_tcp_many, "round-trips/s",
     "N connections, one request in flight each, epoll"},
    {"tcp-crr", SOCK_STREAM, serve_tcp_echo_many, drive_tcp_crr, "connections/s",
     "connect, request, response, reset; N at a time (default 1)"},
    {"tcp-connect", SOCK_STREAM, serve_tcp_hang_up, drive_tcp_connect, "connections/s",
     "connect, reset; N at a time (default 1)"},
    {"udp-send", SOCK_DGRAM, serve_udp_sink, drive_udp_send, "sent/s", "one way"},
    {"udp-send-mmsg", SOCK_DGRAM, serve_udp_sink, drive_udp_send_batches, "sent/s",
     "one way, 64 datagrams a call"},
    {"udp-send-gso", SOCK_DGRAM, serve_udp_sink_segments, drive_udp_send_segments, "sent/s",
     "one way, UDP_SEGMENT"},
    {"tcp-stream", SOCK_STREAM, serve_tcp_sink, drive_tcp_stream, "bytes/s",
     "one way, SIZE bytes a write"},
    {"tcp-stream-discard", SOCK_STREAM, serve_tcp_discard, drive_tcp_stream, "bytes/s",
     "the same, the receiver throws the bytes away in the kernel (MSG_TRUNC)"},
};
enum { kModes = sizeof modes / sizeof *modes };

static int usage(void) {
  fprintf(
      stderr,
      "usage: floor [--pin | --beside] MODE SECONDS [SIZE (64)] [N (16)]\n"
      "  --pin     one side on the first CPU, the other on the second\n"
      "  --beside  on each of the two CPUs both sides, with half of N; not for one-way modes\n");
  for (int i = 0; i < kModes; i++)
    fprintf(stderr, "  %-18s %s (%s)\n", modes[i].name, modes[i].what, modes[i].unit);
  return 2;
}

static const struct mode* find_mode(const char* name) {
  for (int i = 0; i < kModes; i++)
    if (strcmp(modes[i].name, name) == 0) return &modes[i];
  return NULL;
}

/* The first or second CPU that this process may use. */
static void stay_on_cpu(int which) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed)) die("sched_getaffinity");
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed) || which-- > 0) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one)) die("sched_setaffinity");
    return;
  }
  fprintf(stderr, "floor: fewer than two CPUs; leave out --pin or --beside\n");
  exit(2);
}

/* Serves in a child and drives it; each side on the CPU of that place, -1: on any. How many were
   done in a second; `took` is set. */
static double play(const struct mode* mode, int serving_cpu, int driving_cpu) {
  int server = open_socket(mode->type);
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(server, (struct sockaddr*)&address, sizeof address)) die("bind");
  getsockname(server, (struct sockaddr*)&address, &length);
  if (mode->type == SOCK_STREAM && listen(server, 4096)) die("listen");
  /* Before the child exists: a train that came before this option would be delivered as single
     datagrams, whose echoes stay single for the whole run. */
  if (strstr(mode->name, "gso")) set_option(server, IPPROTO_UDP, UDP_GRO, 1);

  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* however the parent ends */
    if (serving_cpu >= 0) stay_on_cpu(serving_cpu);
    mode->serve(server);
    _exit(1);
  }
  if (driving_cpu >= 0) stay_on_cpu(driving_cpu);
  uint64_t done = mode->drive();
  if (strncmp(mode->name, "udp-send", 8) == 0)
    usleep(100000); /* what is still in the socket's buffer */
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return (double)done / took;
}

/* A pair on each CPU, with half of the connections or messages in flight. */
static double play_beside(const struct mode* mode) {
  int of_this = in_flight / 2;
  double* of_other = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (of_other == MAP_FAILED) die("mmap");
  in_flight -= of_this;
  pid_t other = fork();
  if (other < 0) die("fork");
  if (other == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    *of_other = play(mode, 1, 1);
    _exit(0);
  }
  int both = in_flight + of_this, status = 1;
  in_flight = of_this;
  double rate = play(mode, 0, 0);
  if (waitpid(other, &status, 0) != other || status != 0) exit(1); /* it has said why */
  in_flight = both;
  return rate + *of_other;
}

int main(int argc, char** argv) {
  int pin = argc > 1 && strcmp(argv[1], "--pin") == 0;
  int beside = argc > 1 && strcmp(argv[1], "--beside") == 0;
  argc -= pin + beside;
  argv += pin + beside;
  const struct mode* mode = argc >= 3 && argc <= 5 ? find_mode(argv[1]) : NULL;
  if (!mode) return usage();
  seconds = atof(argv[2]);
  int connections = mode->drive == drive_tcp_crr || mode->drive == drive_tcp_connect;
  if (argc > 3) size = atoi(argv[3]);
  in_flight = argc > 4 ? atoi(argv[4]) : connections ? 1 : in_flight;
  int streams = mode->drive == drive_tcp_stream;
  if (!(seconds > 0 && seconds <= 3600)) return usage();
  if (size < 1 || size > (streams ? (int)sizeof buffer : 65507)) return usage();
  if (in_flight < 1 || in_flight > kMostBatch) return usage();
  int one_way = strstr(mode->name, "send") || streams;
  if (beside && (one_way || in_flight < 2)) return usage();
  if (mode->drive == drive_tcp_window && (size_t)size * (size_t)in_flight > sizeof buffer)
    return usage();
  spin = strstr(mode->name, "spin") != NULL;

  received = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (received == MAP_FAILED) die("mmap");
  double rate = beside ? play_beside(mode) : play(mode, pin ? 1 : -1, pin ? 0 : -1);
  printf("%s size=%d n=%d %.0f %s", mode->name, size, in_flight, rate, mode->unit);
  if (strncmp(mode->name, "udp-send", 8) == 0) printf(" %.0f received/s", (double)*received / took);
  printf("\n");
  return 0;
}
