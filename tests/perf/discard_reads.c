/* Makes a program that reads TCP discard what it receives: preloaded (LD_PRELOAD) it turns every
 * large read of a socket into recv with MSG_TRUNC, which counts the bytes and copies none. An
 * iperf3 that knows --skip-rx-copy (3.17) does this itself; Debian 12 has an older one, and to
 * compare discarding with copying would be no comparison. Control messages are small and stay.
 *
 * At the end of the program it says on stderr how much was discarded, so that whoever measures can
 * see that it was at work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LARGE = 16384 };
static unsigned long long discarded; /* only the thread that reads the stream adds to it */

ssize_t read(int fd, void* to, size_t size) {
  if (size >= LARGE) {
    const ssize_t got = recv(fd, to, size, MSG_TRUNC);
    if (got > 0) discarded += (unsigned long long)got;
    if (got >= 0 || errno != ENOTSOCK) return got;
  }
  return syscall(SYS_read, fd, to, size);
}

__attribute__((destructor)) static void say_what_was_discarded(void) {
  fprintf(stderr, "discarded %llu bytes\n", discarded);
}
