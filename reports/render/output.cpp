// A report appears whole or not at all: it is written beside its place and renamed into it. What
// cannot be renamed into (a device, a pipe) is written directly.
#include "reports/render/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>

#include "reports/measure/ensure.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const ReportTarget& target, const char* what, int error) {
  throw RunError("report_path", "report",
                 fmt::format("--report {}:{}: {}: {}; choose a file that can be written",
                             target.format, target.path, what, std::strerror(error)));
}

// One file, whatever it is called: two reports for ./r.json and r.json would overwrite each other.
fs::path place_of(const std::string& path) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(fs::absolute(path, ignored), ignored);
  return whole.empty() ? fs::path(path) : whole;
}

// None: written in full. Else the errno value.
std::optional<int> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : EIO;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return std::nullopt;
}

// A reader that went away is an error to report, not a reason to die.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before_);
  }
  ~NoBrokenPipeSignal() { ::sigaction(SIGPIPE, &before_, nullptr); }
  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;

 private:
  struct sigaction before_ {};
};

struct NewFile {
  std::string name;
  int fd = -1;
};

// A file of its own beside `place`; hidden, so that nobody takes it for a report.
NewFile create_beside(const ReportTarget& target, const fs::path& place) {
  for (int i = 0; i < 100; ++i) {
    const fs::path name = place.parent_path() /
                          fmt::format(".{}.{}-{}.part", place.filename().string(), ::getpid(), i);
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return {name.string(), fd};
    if (errno != EEXIST) fail(target, "cannot create a file in that folder", errno);
  }
  fail(target, "cannot create a file in that folder", EEXIST);
}

}  // namespace

std::vector<ReportTarget> parse_report_targets(const std::vector<std::string>& values) {
  std::vector<ReportTarget> targets;
  for (const std::string& value : values) {
    const std::size_t colon = value.find(':');
    ReportTarget target{value.substr(0, colon),
                        colon == std::string::npos ? "-" : value.substr(colon + 1)};
    if (find_renderer(target.format) == nullptr)
      throw UsageError(
          fmt::format("--report: unknown format ({}) [{}]; write it like json, text or json:FILE",
                      target.format, fmt::join(renderer_names(), ", ")));
    if (target.path.empty())
      throw UsageError(fmt::format(
          "--report: no file behind the colon ({}) [FORMAT or FORMAT:FILE]; add a file name or "
          "leave the colon out",
          value));
    if (target.path == "/dev/stdout") target.path = "-";
    for (const ReportTarget& other : targets) {
      if (target.path == "-" && other.path == "-")
        throw UsageError(fmt::format(
            "--report: two reports for stdout ({} and {}) [one]; give one of them a file, like "
            "{}:FILE",
            other.format, target.format, target.format));
      if (target.path != "-" && other.path != "-" && place_of(target.path) == place_of(other.path))
        throw UsageError(fmt::format(
            "--report: two reports for one file ({}) [one each]; give them different names",
            target.path));
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

ReportOutputs::ReportOutputs(std::vector<ReportTarget> targets, bool quiet) {
  const bool has_stdout = std::any_of(targets.begin(), targets.end(),
                                      [](const ReportTarget& t) { return t.path == "-"; });
  if (!has_stdout && !quiet) targets.push_back({"text", "-"});
  for (ReportTarget& target : targets) {
    opened_.push_back({std::move(target), {}, {}, -1});
    if (opened_.back().target.path == "-") continue;
    try {
      open(opened_.back());
    } catch (...) {
      discard();
      throw;
    }
  }
}

void ReportOutputs::open(Opened& output) {
  const ReportTarget& target = output.target;
  const fs::path place = place_of(target.path);
  struct stat found {};
  if (::stat(place.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) fail(target, "cannot write", EISDIR);
    if (!S_ISREG(found.st_mode)) {
      output.fd = ::open(place.c_str(), O_WRONLY | O_CLOEXEC);
      if (output.fd < 0) fail(target, "cannot open", errno);
      return;
    }
    if (::access(place.c_str(), W_OK) != 0) fail(target, "cannot write", errno);
  }
  std::error_code error;
  fs::create_directories(place.parent_path(), error);
  if (error) fail(target, "cannot make its folder", error.value());
  NewFile file = create_beside(target, place);
  output.temporary = std::move(file.name);
  output.place = place.string();
  output.fd = file.fd;
}

void ReportOutputs::discard() {
  for (Opened& output : opened_) {
    if (output.fd >= 0) ::close(output.fd);
    if (!output.temporary.empty()) ::unlink(output.temporary.c_str());
    output.fd = -1;
    output.temporary.clear();
  }
}

ReportOutputs::~ReportOutputs() { discard(); }

void ReportOutputs::publish(const Report& report) {
  publish([&](const std::string& format) { return find_renderer(format)(report); });
}

void ReportOutputs::publish(const std::function<std::string(const std::string& format)>& render) {
  const NoBrokenPipeSignal guard;
  std::optional<RunError> first_failure;
  for (Opened& output : opened_) {
    try {
      publish_one(output, render(output.target.format));
    } catch (const RunError& e) {
      // The others are written all the same: one full disk must not cost every result.
      if (!first_failure) first_failure = e;
    }
  }
  discard();
  if (first_failure) throw RunError(*first_failure);
}

void ReportOutputs::publish_one(Opened& output, const std::string& text) {
  if (output.target.path == "-") {
    if (std::fflush(stdout) != 0) fail(output.target, "cannot write to stdout", errno);
    if (const auto error = write_all(STDOUT_FILENO, text))
      fail(output.target, "cannot write to stdout", *error);
    return;
  }
  if (const auto error = write_all(output.fd, text)) fail(output.target, "cannot write", *error);
  // A device or a pipe has nothing to sync and says so; that is no failure.
  if (::fsync(output.fd) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
    fail(output.target, "cannot write", errno);
  if (::close(std::exchange(output.fd, -1)) != 0) fail(output.target, "cannot write", errno);
  if (output.temporary.empty()) return;
  if (::rename(output.temporary.c_str(), output.place.c_str()) != 0)
    fail(output.target, "cannot rename the finished file into place", errno);
  output.temporary.clear();
}

}  // namespace volley
