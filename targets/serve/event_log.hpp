// The event log: what a target did with every request, in the order it did it, as CSV lines
//
//   time_ns,peer,session,flow,sequence,event
//
// time_ns is the monotonic clock's. session and flow are empty for a plain payload, whose sequence
// is its place among its peer's requests. An answer that left twice has two `answered` lines. Lines
// of one flow stand in their order, because the kernel gives a flow to one thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "reports/measure/time.hpp"
#include "targets/wire/address.hpp"
#include "targets/wire/frame.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

enum class Event : std::uint8_t {
  received,
  dropped,   // consumed in silence, or no room was left for its answer
  answered,  // a copy of its answer left
  held,      // its answer waits to be overtaken
  released,  // and waits no longer
  stall_begin,
  stall_end,
};
[[nodiscard]] std::string_view to_string(Event event);

// Which request an event is about.
struct RequestName {
  Address peer;
  bool framed = false;
  std::uint32_t session = 0;
  std::uint16_t flow = 0;
  std::uint64_t sequence = 0;
};

// The file, shared by the threads of a target.
class EventLog {
 public:
  // Creates the file and writes the header. Throws RunError{"report_path", "setup"}.
  explicit EventLog(const std::string& path);
  // Appends whole lines. Any thread.
  void append(std::string_view lines);
  // 0, or the errno value of the first write that failed.
  [[nodiscard]] int error() const { return error_; }

 private:
  std::mutex mutex_;
  Descriptor file_;
  int error_ = 0;
};

// One thread's end of the log: lines are gathered and handed over in large pieces.
class EventWriter {
 public:
  explicit EventWriter(EventLog* log) : log_(log) {}
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;
  ~EventWriter() { flush(); }

  [[nodiscard]] bool on() const { return log_ != nullptr; }
  // Nothing happens when no log was asked for.
  void write(MonoTime time, const RequestName& request, Event event);
  // stall_begin and stall_end concern no request.
  void write(MonoTime time, Event event);
  void flush();

 private:
  static constexpr std::size_t kFlushBytes = std::size_t{64} << 10U;
  EventLog* log_;
  std::string lines_;
};

}  // namespace volley
