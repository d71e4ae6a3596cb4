// When requests were due and when they left: a sample of stretches of consecutive requests of one
// thread, from which can be told whether they left as a schedule of independent requests does.
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

  // Whether a stretch is being taken down.
  [[nodiscard]] bool active() const { return at_ < SendTimes::kRequests; }
  // Another part of the run begins: a stretch may.
  void begin() {
    if (active() || ++begun_ % stride_ != 0) return;
    if (stretches_.size() == kMost) thin_out();
    stretches_.emplace_back();
    at_ = 0;
  }
  // While active: the next request.
  void add(MonoTime due, MonoTime sent) {
    SendTimes& stretch = stretches_.back();
    stretch.due[at_] = due.time_since_epoch().count();
    stretch.sent[at_] = sent.time_since_epoch().count();
    ++at_;
  }
  // The whole stretches.
  [[nodiscard]] std::vector<SendTimes> take() && {
    if (active() && !stretches_.empty()) stretches_.pop_back();
    return std::move(stretches_);
  }

 private:
  void thin_out() {
    for (std::size_t i = 0; i < kMost / 2; ++i) stretches_[i] = stretches_[2 * i];
    stretches_.resize(kMost / 2);
    stride_ *= 2;
  }

  std::vector<SendTimes> stretches_;
  std::size_t at_ = SendTimes::kRequests;
  std::uint64_t begun_ = 0;
  std::uint64_t stride_ = 1;
};

}  // namespace volley
