// What the relay does to the datagrams of one direction: a seeded plan that is a pure function of
// how many have come and when. Shares nothing with volley, so that it can judge it.
//
// The words of a plan, in any order, times in microseconds:
//   drop=SHARE            consumed in silence, by dice
//   drop-every=N          and each N-th
//   drop-from=N           and all from number N on
//   duplicate=SHARE:N     N more copies follow at once
//   reorder=SHARE:K       held until K others have passed
//   corrupt=SHARE         its first byte is inverted
//   delay=T               leaves so much later
//   service=exp:T|fixed:T one virtual server with a queue: departure i is at
//                         max(arrival i, departure i-1) + service i
//   stall=AT:FOR          that server (or what stands in its place) stands still
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lab {

using Nanos = std::int64_t;
inline constexpr Nanos kMicro = 1'000;
inline constexpr double kMost = 1e12;  // of any number in a plan

struct Plan {
  double drop = 0, duplicate = 0, reorder = 0, corrupt = 0;
  std::int64_t drop_every = 0, drop_from = -1;
  int copies = 1, passers = 1;
  Nanos delay = 0, stall_at = 0, stall_for = 0;
  double service_mean = 0;
  bool service_exponential = false;
};

inline double number_of(std::string_view text) {
  double value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !(value >= 0 && value <= kMost))
    throw std::invalid_argument("not a number: " + std::string(text));
  return value;
}

inline Nanos nanos_of(std::string_view micros) {
  return static_cast<Nanos>(number_of(micros) * kMicro);
}

inline void read_word(Plan& plan, std::string_view key, std::string_view value) {
  const auto colon = value.find(':');
  const auto left = value.substr(0, colon);
  const auto right = colon == value.npos ? std::string_view("1") : value.substr(colon + 1);
  if (key == "drop") {
    plan.drop = number_of(value);
  } else if (key == "drop-every") {
    plan.drop_every = static_cast<std::int64_t>(number_of(value));
  } else if (key == "drop-from") {
    plan.drop_from = static_cast<std::int64_t>(number_of(value));
  } else if (key == "duplicate") {
    plan.duplicate = number_of(left);
    plan.copies = static_cast<int>(std::min(8.0, number_of(right)));
  } else if (key == "reorder") {
    plan.reorder = number_of(left);
    plan.passers = static_cast<int>(std::min(1000.0, number_of(right)));
  } else if (key == "corrupt") {
    plan.corrupt = number_of(value);
  } else if (key == "delay") {
    plan.delay = nanos_of(value);
  } else if (key == "service" && (left == "exp" || left == "fixed")) {
    plan.service_mean = number_of(right) * kMicro;
    plan.service_exponential = left == "exp";
  } else if (key == "stall") {
    plan.stall_at = nanos_of(left);
    plan.stall_for = nanos_of(right);
  } else {
    throw std::invalid_argument("no such word of a plan: " + std::string(key));
  }
}

inline Plan read_plan(std::string_view text) {
  Plan plan;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const auto equals = word.find('=');
    if (equals == word.npos) throw std::invalid_argument("no value: " + std::string(word));
    read_word(plan, word.substr(0, equals), word.substr(equals + 1));
  }
  return plan;
}

struct Fate {
  bool drop = false, hold = false, corrupt = false;
  int copies = 0;  // besides the first
  Nanos release = 0;
};

// The plan of one direction, carried out arrival by arrival.
class Fates {
 public:
  Fates(const Plan& plan, std::uint64_t seed) : plan_(plan), dice_(seed) {}

  // Each arrival takes the same number of dice, so its fate depends on its number alone.
  Fate next(Nanos arrival) {
    if (count_ == 0) first_ = arrival;
    const auto number = count_++;
    Fate fate;
    fate.drop = chance(plan_.drop) |
                (plan_.drop_every > 0 && (number + 1) % plan_.drop_every == 0) |
                (plan_.drop_from >= 0 && number >= plan_.drop_from);
    fate.copies = chance(plan_.duplicate) ? plan_.copies : 0;
    fate.hold = chance(plan_.reorder);
    fate.corrupt = chance(plan_.corrupt);
    const double service = service_time();
    if (!fate.drop) fate.release = served(arrival, static_cast<Nanos>(service)) + plan_.delay;
    return fate;
  }

  [[nodiscard]] const Plan& plan() const { return plan_; }

 private:
  double uniform() { return static_cast<double>(dice_() >> 11U) * 0x1p-53; }  // in [0, 1)
  bool chance(double share) { return uniform() < share; }
  double service_time() {
    const double u = uniform();
    return plan_.service_exponential ? -plan_.service_mean * std::log1p(-u) : plan_.service_mean;
  }

  // When the server is done with it; without a server: when what comes may leave. What would begin
  // in a stall begins at its end, and what a stall interrupts takes so much longer.
  Nanos served(Nanos arrival, Nanos service) {
    const bool queue = plan_.service_mean > 0;
    Nanos begin = queue ? std::max(arrival, departure_) : arrival;
    const Nanos from = first_ + plan_.stall_at;
    const Nanos to = from + plan_.stall_for;
    if (begin >= from && begin < to) begin = to;
    Nanos end = begin + service;
    if (begin < from && end > from) end += plan_.stall_for;
    departure_ = end;
    return end;
  }

  Plan plan_;
  std::mt19937_64 dice_;
  std::int64_t count_ = 0;
  Nanos first_ = 0;
  Nanos departure_ = 0;
};

}  // namespace lab
