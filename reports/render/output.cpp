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

std::vector<std::string> files_of(const ReportTarget& target) {
  std::vector<std::string> names;
  for (const FormatFile& file : find_format(target.format)->files)
    names.push_back(file_name(target.path, file.part, file.extension));
  return names;
}

void refuse_same(const ReportTarget& one, const ReportTarget& other) {
  if (one.path == "-" && other.path == "-")
    throw UsageError(fmt::format(
        "--report: two reports for stdout ({} and {}) [one]; give one of them a file, like {}:FILE",
        one.format, other.format, other.format));
  if (one.path == "-" || other.path == "-") return;
  for (const std::string& a : files_of(one))
    for (const std::string& b : files_of(other))
      if (place_of(a) == place_of(b))
        throw UsageError(fmt::format(
            "--report: two reports for one file ({}) [one each]; give them different names", b));
}

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

std::string file_name(const std::string& path, std::string_view part, std::string_view extension) {
  std::string name = path;
  if (!extension.empty() && name.size() > extension.size() && name.ends_with(extension))
    name.resize(name.size() - extension.size());
  if (!part.empty()) name += fmt::format(".{}", part);
  return name + std::string(extension);
}

bool writes_to(const ReportTarget& target, const std::string& path) {
  if (target.path == "-" || path == "-") return target.path == path;
  const std::vector<std::string> names = files_of(target);
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return place_of(name) == place_of(path); });
}

std::vector<ReportTarget> parse_report_targets(const std::vector<std::string>& values,
                                               const std::string& summary_file) {
  std::vector<ReportTarget> targets;
  for (const std::string& value : values) {
    const std::size_t colon = value.find(':');
    ReportTarget target{value.substr(0, colon),
                        colon == std::string::npos ? "-" : value.substr(colon + 1)};
    const Format* const format = find_format(target.format);
    if (format == nullptr)
      throw UsageError(
          fmt::format("--report: unknown format ({}) [{}]; write it like json, text or json:FILE",
                      target.format, fmt::join(format_names(), ", ")));
    if (target.path.empty())
      throw UsageError(fmt::format(
          "--report: no file behind the colon ({}) [FORMAT or FORMAT:FILE]; add a file name or "
          "leave the colon out",
          value));
    if (target.path == "/dev/stdout") target.path = "-";
    if (value == "markdown" && !summary_file.empty()) {
      target.path = summary_file;
      target.append = true;
    }
    if (target.path == "-" && format->files.size() > 1)
      throw UsageError(fmt::format(
          "--report: {} is {} files and cannot go to stdout ({}) [a file]; name them, like {}:FILE",
          target.format, format->files.size(), value, target.format));
    for (const ReportTarget& other : targets) refuse_same(other, target);
    targets.push_back(std::move(target));
  }
  return targets;
}

ReportOutputs::ReportOutputs(std::vector<ReportTarget> targets, bool quiet) {
  const bool has_stdout = std::any_of(targets.begin(), targets.end(),
                                      [](const ReportTarget& t) { return t.path == "-"; });
  if (!has_stdout && !quiet) targets.push_back({"text", "-"});
  try {
    for (const ReportTarget& target : targets) {
      const std::vector<FormatFile>& files = find_format(target.format)->files;
      for (std::size_t part = 0; part < files.size(); ++part) {
        opened_.push_back({target, part, {}, {}, -1});
        if (target.path == "-") continue;
        if (target.append) {
          open_end_of(opened_.back());
          continue;
        }
        opened_.back().target.path =
            file_name(target.path, files[part].part, files[part].extension);
        open(opened_.back());
      }
    }
  } catch (...) {
    discard();
    throw;
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

// Others write to it before and after: what they wrote stays.
void ReportOutputs::open_end_of(Opened& output) {
  output.fd = ::open(output.target.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (output.fd < 0) fail(output.target, "cannot open to append to", errno);
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
  publish_all([&](const Opened& output) {
    return find_format(output.target.format)->files[output.part].render(report);
  });
}

void ReportOutputs::publish(const std::function<std::string(const std::string& format)>& render) {
  publish_all([&](const Opened& output) { return render(output.target.format); });
}

void ReportOutputs::publish_all(const Render& render) {
  const NoBrokenPipeSignal guard;
  std::optional<RunError> first_failure;
  for (Opened& output : opened_) {
    try {
      const std::string text = render(output);
      if (text.empty()) {  // this report has nothing for that file, and an older one says nothing
        if (!output.temporary.empty()) ::unlink(output.place.c_str());
        continue;
      }
      publish_one(output, text);
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
