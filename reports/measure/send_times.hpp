// When requests were due and when they left: a sample of stretches of consecutive requests of one
// thread, from which can be told whether they left as a schedule of independent requests does.
// Requests are due in the order of the schedule and leave in that of their flows, those of one flow
// together: so the two are taken down apart, and the n-th of the one need not be that of the other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reports/measure/time.hpp"

namespace volley {

// 128 gaps between 129 requests: as many as an Anderson-Darling test takes without finding fault
// with every real clock (RFC 2330 section 11.4).
struct SendTimes {
  static constexpr std::size_t kRequests = 129;
  std::array<std::int64_t, kRequests> due{};   // ns, since any moment
  std::array<std::int64_t, kRequests> sent{};  // likewise, since the same
};

// The stretches of one thread. At most kMost, spread over the run however long it is: when there
// would be more, every second one is dropped, and from then on half as many are begun.
class SendSample {
 public:
  static constexpr std::size_t kMost = 64;

  // Whether times due, or sent, are being taken down.
  [[nodiscard]] bool wants_due() const { return due_ < SendTimes::kRequests; }
  [[nodiscard]] bool wants_sent() const { return sent_ < SendTimes::kRequests; }
  // Another part of the run begins: a stretch may.
  void begin() {
    if (wants_due() || wants_sent() || ++begun_ % stride_ != 0) return;
    if (stretches_.size() == kMost) thin_out();
    stretches_.emplace_back();
    due_ = sent_ = 0;
  }
  // While wanted: the next request of the schedule, and the next that left.
  void add_due(MonoTime due) { stretches_.back().due[due_++] = due.time_since_epoch().count(); }
  void add_sent(MonoTime sent) {
    stretches_.back().sent[sent_++] = sent.time_since_epoch().count();
  }
  // The whole stretches.
  [[nodiscard]] std::vector<SendTimes> take() && {
    if ((wants_due() || wants_sent()) && !stretches_.empty()) stretches_.pop_back();
    return std::move(stretches_);
  }

 private:
  void thin_out() {
    for (std::size_t i = 0; i < kMost / 2; ++i) stretches_[i] = stretches_[2 * i];
    stretches_.resize(kMost / 2);
    stride_ *= 2;
  }

  std::vector<SendTimes> stretches_;
  std::size_t due_ = SendTimes::kRequests;   // taken down of the last stretch
  std::size_t sent_ = SendTimes::kRequests;  // likewise
  std::uint64_t begun_ = 0;
  std::uint64_t stride_ = 1;
};

}  // namespace volley
