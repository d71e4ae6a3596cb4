#include "targets/serve/event_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "reports/measure/ensure.hpp"

namespace volley {

std::string_view to_string(Event event) {
  switch (event) {
    case Event::received:
      return "received";
    case Event::dropped:
      return "dropped";
    case Event::answered:
      return "answered";
    case Event::held:
      return "held";
    case Event::released:
      return "released";
    case Event::stall_begin:
      return "stall_begin";
    case Event::stall_end:
      return "stall_end";
  }
  return "unknown";
}

EventLog::EventLog(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (!file_.is_open()) {
    throw RunError(
        "report_path", "setup",
        fmt::format("--event-log {}: cannot be created: {}; give a path in a folder that "
                    "exists and may be written",
                    path, error_text(errno)));
  }
  append("time_ns,peer,session,flow,sequence,event\n");
}

void EventLog::append(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  while (!lines.empty() && error_ == 0) {
    const ssize_t n = ::write(file_.get(), lines.data(), lines.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      error_ = errno;
      return;
    }
    lines.remove_prefix(static_cast<std::size_t>(n));
  }
}

void EventWriter::write(MonoTime time, const RequestName& request, Event event) {
  if (log_ == nullptr) return;
  const auto to = std::back_inserter(lines_);
  fmt::format_to(to, "{},{},", time.time_since_epoch().count(), request.peer.text());
  if (request.framed) {
    fmt::format_to(to, "{},{},", request.session, request.flow);
  } else {
    lines_ += ",,";
  }
  fmt::format_to(to, "{},{}\n", request.sequence, to_string(event));
  if (lines_.size() >= kFlushBytes) flush();
}

void EventWriter::write(MonoTime time, Event event) {
  if (log_ == nullptr) return;
  fmt::format_to(std::back_inserter(lines_), "{},,,,,{}\n", time.time_since_epoch().count(),
                 to_string(event));
}

void EventWriter::flush() {
  if (log_ == nullptr || lines_.empty()) return;
  log_->append(lines_);
  lines_.clear();
}

}  // namespace volley
