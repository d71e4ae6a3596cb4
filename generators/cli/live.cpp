// One idea: the thread that keeps the time of a run writes, so a reader that takes nothing must not
// hold it: a pipe is only written to where it has room. It is given up when it has been waited for
// a second since a line last found it with room.
#include "generators/cli/live.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <utility>

#include "generators/cli/outcome.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/ndjson.hpp"

namespace volley {
namespace {

constexpr std::chrono::milliseconds kMostWait{1000};

std::string subject(std::string_view path) { return fmt::format("--live {}", path); }

}  // namespace

LiveStream::LiveStream(const std::optional<std::string>& path,
                       std::function<void()> before_complaint)
    : path_(path.value_or("")), before_complaint_(std::move(before_complaint)) {
  if (!path) return;
  if (path_ == "-") {
    fd_ = STDOUT_FILENO;
    return;
  }
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd_ < 0)
    throw RunError("report_path", "report",
                   fmt::format("{}: cannot be opened: {}; choose a file that can be written",
                               subject(path_), std::strerror(errno)));
}

LiveStream::~LiveStream() {
  if (fd_ > STDERR_FILENO) ::close(fd_);
}

void LiveStream::begin(const Report& report) { write(ndjson_start(report)); }

void LiveStream::start(const RunRecord& record) {
  has_begun_ = true;
  write(ndjson_start(++run_, {record.name, record.protocol, record.endpoint, record.workload,
                              record.arrival, record.intended_per_s, record.config}));
}

void LiveStream::interval(const RunRecord& record) {
  const IntervalSummary& last = record.intervals.back();
  // Of a stream its receiver tells at the end, and only then, if it is ours.
  const bool told = record.has_answers || last.counters.completed + last.counters.lost > 0;
  write(ndjson_interval(run_, interval_figures(last, told)));
}

void LiveStream::warn(const std::string& text) {
  write(ndjson_warning(run_, text));
  warned_.push_back(text);
}

void LiveStream::end(const RunReport& run) {
  if (!std::exchange(has_begun_, false))
    write(ndjson_start(++run_, {run.name, run.protocol, run.endpoint, run.workload, run.arrival,
                                run.load.intended_per_s, run.config}));
  // Some are known only when a run is looked back on.
  for (const std::string& warning : run.generator.warnings)
    if (std::find(warned_.begin(), warned_.end(), warning) == warned_.end()) warn(warning);
  warned_.clear();
  write(ndjson_end(run_, run));
}

bool LiveStream::end(const Report& report) {
  write(ndjson_end(report));
  return !failed_;
}

RunHooks LiveStream::hooks() {
  RunHooks hooks;
  if (fd_ < 0) return hooks;
  hooks.on_start = [this](const RunRecord& record) { start(record); };
  hooks.on_measured = [this](const RunRecord& record) { interval(record); };
  hooks.on_warning = [this](const std::string& text) { warn(text); };
  return hooks;
}

void LiveStream::write(std::string_view line) {
  pollfd room{fd_, POLLOUT, 0};
  if (fd_ >= 0 && ::poll(&room, 1, 0) > 0) waited_ = {};
  while (fd_ >= 0 && !line.empty()) {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(kMostWait - waited_);
    const MonoTime began = mono_now();
    const int ready = ::poll(&room, 1, static_cast<int>(rest.count()));
    waited_ += mono_now() - began;
    const bool interrupted = ready < 0 && errno == EINTR;
    // Before another look: with less than nothing left it would have no end.
    if (ready == 0 || waited_ > kMostWait) return give_up("its reader has held it up for a second");
    if (interrupted) continue;
    // A pipe that has room has it for so much at least.
    const ssize_t n = ::write(fd_, line.data(), std::min<std::size_t>(line.size(), PIPE_BUF));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return give_up(std::strerror(n < 0 ? errno : EIO));
    line.remove_prefix(static_cast<std::size_t>(n));
  }
}

// The run goes on: its figures are worth more than who reads along.
void LiveStream::give_up(std::string_view why) {
  if (before_complaint_) before_complaint_();
  complain(fmt::format("{}: {}; nothing more is written there", subject(path_), why));
  if (fd_ > STDERR_FILENO) ::close(fd_);
  fd_ = -1;
  failed_ = true;
}

}  // namespace volley
