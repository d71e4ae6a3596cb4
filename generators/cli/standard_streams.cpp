#include "generators/cli/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

namespace volley {

void hold_standard_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  // The lowest free number is the one that is opened.
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (fcntl(fd, F_GETFD) == -1) (void)::open("/dev/null", O_RDONLY);
}

void tell(std::FILE* to, std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), to);
  (void)std::fflush(to);
}

bool print_all(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return true;
  tell(stderr, std::string("volley: stdout: cannot be written: ") + std::strerror(errno) + "\n");
  return false;
}

}  // namespace volley
