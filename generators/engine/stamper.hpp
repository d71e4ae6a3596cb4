// Which requests of a thread ask to be stamped on their way (--stamps), and what came of it.
//
// About a thousand a second do, at random times: the first request that leaves then, or another of
// its call. Each costs about a microsecond and a half: two calls for the kernel's stamp of its
// sending and some readings of clocks. However long an answer takes, the next one asks in its time,
// so that a stall has as many samples as any other time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "generators/engine/link.hpp"
#include "reports/measure/delay_places.hpp"
#include "targets/wire/datagrams.hpp"
#include "targets/wire/frame.hpp"

namespace volley {

class Stamper {
 public:
  // Requests are given up after `timeout`.
  Stamper(std::uint64_t seed, Nanos timeout);

  // Which of the next call's `n` requests shall ask, if it is time for one.
  [[nodiscard]] std::optional<std::uint32_t> choose(MonoTime now, std::uint32_t n) {
    if (now < next_) return std::nullopt;
    return choose_one(now, n);
  }
  // Turns a request frame into one that asks.
  static void ask(std::span<std::byte> request);
  // It has left. `kernel`: the kernel was asked when.
  struct Asked {
    std::uint32_t slot = 0;
    std::uint64_t sequence = 0;
    MonoTime intended, sent;
    bool measured = false;
  };
  void on_sent(Flow& flow, const Asked& asked, bool kernel);
  // The kernel's stamps that wait at the flow's socket.
  void take_send_stamps(const Flow& flow);

  // A datagram came; perhaps it is a stamped answer. `received`: after the call that brought it.
  void on_datagram(const Flow& flow, std::span<const std::byte> datagram, Nanos kernel_time,
                   MonoTime received);
  void on_stamps(const Flow& flow, std::uint32_t slot, std::uint64_t sequence,
                 const TargetStamps& stamps, Nanos kernel_time, MonoTime received);

  [[nodiscard]] StampingResult result() && { return std::move(result_); }

  // Beyond, every second sample goes, and half as many requests ask.
  static constexpr std::size_t kMostSamples = 65'536;

 private:
  struct Pending {
    Asked asked;
    std::uint32_t flow = 0;    // within the thread
    std::uint32_t number = 0;  // of the flow's sends that asked the kernel
    std::optional<MonoTime> kernel_sent;
  };

  [[nodiscard]] std::optional<std::uint32_t> choose_one(MonoTime now, std::uint32_t n);
  // By CLOCK_MONOTONIC.
  [[nodiscard]] MonoTime converted(Nanos wall);
  void keep(const StampedRequest& sample);

  std::uint64_t seed_;
  std::uint64_t chosen_ = 0;
  Nanos timeout_;
  Nanos gap_ = std::chrono::milliseconds(1);
  MonoTime next_{};
  std::deque<Pending> pending_;                    // in the order they left
  std::optional<Nanos> least_ahead_, most_ahead_;  // of CLOCK_REALTIME, as it was read
  StampingResult result_;
};

// What all the threads' samples say, into the record.
void add_delays(RunRecord& record, const std::vector<std::unique_ptr<Worker>>& workers);

}  // namespace volley
