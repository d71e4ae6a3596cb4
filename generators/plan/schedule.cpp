// Due times in whole numbers, so that the same seed gives the same nanoseconds everywhere and a
// constant rate does not drift however long it runs.
#include "generators/plan/schedule.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

__extension__ using Wide = unsigned __int128;

// No schedule goes on for longer than this (146 years): sums of two such times still fit.
constexpr std::uint64_t kLastNanos =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 2;
// Nanoseconds times micro-events per event: 10^9 * 10^6.
constexpr std::uint64_t kNanosPerMicroEvent = 1'000'000'000'000'000;

// A trace of more lines than this is surely not a trace; it bounds the memory a file can take.
constexpr std::size_t kMostTraceLines = 50'000'000;

std::optional<Nanos> constant_due(std::uint64_t slot, Rate rate) {
  const Wide due = static_cast<Wide>(slot) * kNanosPerMicroEvent / rate.micro_per_s;
  if (due > kLastNanos) return std::nullopt;
  return Nanos(static_cast<std::int64_t>(due));
}

// The gap before a slot, in ns: -ln(u) / rate with u in (0, 1], never infinite.
double poisson_gap(std::uint64_t seed, std::uint64_t slot, Rate rate) {
  constexpr double unit = 0x1p-53;
  const double u = static_cast<double>((seeded(seed, slot) >> 11U) + 1) * unit;
  return -std::log(u) * (1e15 / static_cast<double>(rate.micro_per_s));
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

}  // namespace

Schedule::Schedule(const ScheduleSpec& spec) : spec_(spec) {
  const auto kind = spec_.arrival.kind;
  ensure(kind != Arrival::Kind::closed, "a closed loop has no schedule");
  ensure(kind == Arrival::Kind::trace ? spec_.trace != nullptr : spec_.rate.micro_per_s > 0,
         "a schedule needs a rate or a trace");
  ensure(kind == Arrival::Kind::trace || spec_.duration || spec_.requests,
         "a schedule needs an end");
  ensure(spec_.arrival.burst > 0, "a burst has at least one request");
}

std::optional<Nanos> Schedule::due_of_next() {
  switch (spec_.arrival.kind) {
    case Arrival::Kind::closed:
      break;
    case Arrival::Kind::constant:
      return constant_due(index_, spec_.rate);
    case Arrival::Kind::burst:
      return constant_due(index_ - index_ % spec_.arrival.burst, spec_.rate);
    case Arrival::Kind::trace:
      if (index_ >= spec_.trace->size()) return std::nullopt;
      return (*spec_.trace)[index_];
    case Arrival::Kind::poisson: {
      const double gap = poisson_gap(spec_.seed, index_, spec_.rate);
      const double whole = std::floor(gap);
      const std::uint64_t fraction =
          sum_fraction_ + static_cast<std::uint64_t>((gap - whole) * 0x1p32);
      sum_fraction_ = static_cast<std::uint32_t>(fraction);
      sum_ns_ += static_cast<std::uint64_t>(whole) + (fraction >> 32U);
      if (sum_ns_ > kLastNanos) return std::nullopt;
      return Nanos(static_cast<std::int64_t>(sum_ns_));
    }
  }
  return std::nullopt;
}

std::optional<Slot> Schedule::next() {
  if (spec_.requests && measured_ >= *spec_.requests) return std::nullopt;
  const auto due = due_of_next();
  if (!due) return std::nullopt;
  const bool measured = *due >= spec_.warm_up;
  if (measured && spec_.duration && *due - spec_.warm_up >= *spec_.duration) return std::nullopt;
  if (measured) ++measured_;
  return Slot{index_++, *due, measured};
}

ThreadSchedule::ThreadSchedule(const ScheduleSpec& spec, std::uint32_t flows, std::uint32_t threads,
                               std::uint32_t thread)
    : all_(spec), flows_(flows), threads_(threads), thread_(thread) {
  ensure(thread < threads && threads <= flows, "every thread of a schedule owns a flow");
  do {
    slot_ = all_.next();
  } while (slot_ && flow_of(*slot_) % threads_ != thread_);
}

void ThreadSchedule::pop() {
  if (!slot_) return;
  if (slot_->measured) ++measured_taken_;
  do {
    slot_ = all_.next();
  } while (slot_ && flow_of(*slot_) % threads_ != thread_);
}

std::optional<std::uint64_t> ThreadSchedule::measured_left(std::uint64_t most) const {
  ThreadSchedule rest = *this;
  const std::uint64_t last = slot_ ? slot_->index + most : 0;
  while (rest.slot_ && rest.slot_->index <= last) rest.pop();
  if (rest.slot_) return std::nullopt;
  return rest.measured_taken_ - measured_taken_;
}

std::vector<Nanos> parse_trace(std::string_view subject, std::string_view text) {
  std::vector<Nanos> due;
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto whole = text.substr(0, end);
    const auto line = trimmed(whole.substr(0, whole.find('#')));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty()) continue;
    const std::string place = fmt::format("{}, line {}", subject, number);
    if (line.size() > 64)
      throw UsageError(
          fmt::format("{}: not a time ({}…) [at most 64 characters]; write one time "
                      "a line, like 1.5ms",
                      place, line.substr(0, 16)));
    const Nanos time = parse_duration(place, line, Nanos(0), std::chrono::hours(24));
    if (!due.empty() && time < due.back())
      throw UsageError(
          fmt::format("{}: earlier than the line before it ({}) [{} or later]; sort "
                      "the times",
                      place, line, format_duration_exact(due.back())));
    if (due.size() == kMostTraceLines)
      throw UsageError(fmt::format("{}: too many times (more than {}) [at most {}]; split the file",
                                   place, kMostTraceLines, kMostTraceLines));
    due.push_back(time);
  }
  if (due.empty())
    throw UsageError(
        fmt::format("{}: no time in it (0 lines) [1 or more]; write one time a line, "
                    "like 1.5ms",
                    subject));
  return due;
}

}  // namespace volley
