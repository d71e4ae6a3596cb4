/* null_loop: what this machine itself adds to every due time and to every wake-up.
 *
 *   null_loop pace RATE SECONDS    waits for RATE due times a second as a pacer that owns its CPU
 *                                  does, and sends nothing: how late it notices them
 *   null_loop wake SECONDS         one process wakes another, on another CPU if it can: from the
 *                                  write to the end of the read
 *
 * Prints p50=N p99=N p99_9=N max=N count=N, in nanoseconds. `pace`, and the one that `wake` wakes,
 * stay on the first CPU that this process may use, which is the generator's under --pin.
 * scripts/bench runs it in turns with volley: a lag that the empty loop has as well is the
 * machine's (a hypervisor that takes the CPU away, a timer that fires), not the generator's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  kBucketNs = 10,
  kBuckets = 4000000,      /* up to 40 ms; what is later counts as that */
  kSpinNs = 50000,         /* sleeps to so long before a due time, spins the rest */
  kWakeGapNs = 200 * 1000, /* between two wake-ups: long enough to fall asleep */
};

static uint32_t buckets[kBuckets];
static uint64_t samples, most;

static void die(const char* what) {
  perror(what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t due) {
  struct timespec t = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

static void record(uint64_t lag) {
  uint64_t at = lag / kBucketNs;
  buckets[at < kBuckets ? at : kBuckets - 1]++;
  samples++;
  if (lag > most) most = lag;
}

static uint64_t quantile(double share) {
  uint64_t rank = (uint64_t)(share * (double)samples), seen = 0;
  for (int i = 0; i < kBuckets; i++) {
    seen += buckets[i];
    if (seen > rank) return (uint64_t)i * kBucketNs;
  }
  return most;
}

static void print_lags(void) {
  printf("p50=%lu p99=%lu p99_9=%lu max=%lu count=%lu\n", (unsigned long)quantile(0.5),
         (unsigned long)quantile(0.99), (unsigned long)quantile(0.999), (unsigned long)most,
         (unsigned long)samples);
}

/* The nth CPU that this process may use, from 0, or the last one. */
static void stay_on_cpu(int nth) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed)) die("sched_getaffinity");
  int cpu = 0;
  for (int i = 0; i < CPU_SETSIZE && nth >= 0; i++) {
    if (!CPU_ISSET(i, &allowed)) continue;
    cpu = i;
    nth--;
  }
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  if (sched_setaffinity(0, sizeof one, &one)) die("sched_setaffinity");
}

static void pace(double rate, double seconds) {
  stay_on_cpu(0);
  memset(buckets, 0, sizeof buckets); /* every page is there before the clock runs */
  uint64_t begin = now() + 1000000, last = (uint64_t)(rate * seconds);
  for (uint64_t n = 0; n < last;) {
    uint64_t due = begin + (uint64_t)((double)n * 1e9 / rate), t = now();
    if (due > t + kSpinNs) sleep_until(due - kSpinNs);
    while ((t = now()) < due) continue;
    /* All that is due by now was noticed now. */
    for (; n < last && (due = begin + (uint64_t)((double)n * 1e9 / rate)) <= t; n++)
      record(t - due);
  }
  print_lags();
}

static void wake(double seconds) {
  int ends[2];
  volatile uint64_t* sent =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (sent == MAP_FAILED) die("mmap");
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends)) die("socketpair");
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    stay_on_cpu(1);
    for (char byte = 0;;) {
      sleep_until(now() + kWakeGapNs);
      *sent = now();
      if (write(ends[1], &byte, 1) != 1) _exit(1);
    }
  }
  stay_on_cpu(0);
  char byte;
  for (uint64_t end = now() + (uint64_t)(seconds * 1e9), t = 0; t < end; record(t - *sent)) {
    if (read(ends[0], &byte, 1) != 1) die("read");
    t = now();
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  print_lags();
}

int main(int argc, char** argv) {
  double rate = argc == 4 ? atof(argv[2]) : 1;
  double seconds = argc == 4 || argc == 3 ? atof(argv[argc - 1]) : 0;
  int fits = seconds > 0 && seconds <= 600 && rate > 0 && rate <= 1e8;
  if (fits && argc == 4 && strcmp(argv[1], "pace") == 0) {
    pace(rate, seconds);
  } else if (fits && argc == 3 && strcmp(argv[1], "wake") == 0) {
    wake(seconds);
  } else {
    fprintf(stderr, "usage: null_loop pace RATE SECONDS | null_loop wake SECONDS\n");
    return 2;
  }
  return 0;
}
