#include "generators/cli/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

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

}  // namespace volley
