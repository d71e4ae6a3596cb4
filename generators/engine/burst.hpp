// The messages that a stream sends with one system call, each in a place of its own, laid out once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "generators/plan/payload.hpp"
#include "generators/plan/plan.hpp"
#include "targets/wire/frame.hpp"

namespace volley {

// At most kMost messages: our data frames, or the bytes of --request.
class Burst {
 public:
  Burst(const RunPlan& plan, std::uint32_t session)
      : sizes_(plan.sizes, plan.seed),
        session_(session),
        scripted_(plan.exchange != ExchangeKind::frame) {
    messages_.resize(kMost);
    const std::size_t bytes = scripted_ ? std::max<std::size_t>(plan.request.size(), 1)
                                        : std::max<std::size_t>(sizes_.largest(), kFrameBytes);
    for (std::vector<std::byte>& message : messages_) {
      message.resize(bytes);
      fill_payload(message, plan.seed);
      if (plan.exchange == ExchangeKind::scripted)
        std::transform(plan.request.begin(), plan.request.end(), message.begin(),
                       [](char c) { return static_cast<std::byte>(c); });
    }
    request_bytes_ = plan.exchange == ExchangeKind::scripted ? plan.request.size() : 0;
  }

  // Message i of the burst, as number `sequence` of its kind.
  std::span<const std::byte> make(std::size_t i, std::uint32_t flow, bool measured,
                                  std::uint64_t sequence) {
    std::vector<std::byte>& message = messages_[i];
    if (request_bytes_ > 0) return std::span<const std::byte>(message).first(request_bytes_);
    const std::uint32_t bytes = sizes_.size_of(flow, sequence);
    if (!scripted_) {
      Frame frame;
      frame.kind = measured ? FrameKind::data : FrameKind::data_warm_up;
      frame.session = session_;
      frame.flow = static_cast<std::uint16_t>(flow);
      frame.sequence = sequence;
      frame.length = bytes - static_cast<std::uint32_t>(kFrameBytes);
      write_frame(frame, message);
    }
    return std::span<const std::byte>(message).first(bytes);
  }
  [[nodiscard]] std::uint32_t largest() const { return sizes_.largest(); }
  static constexpr std::size_t kMost = 32;

 private:
  SizeChooser sizes_;
  std::uint32_t session_;
  bool scripted_;
  std::size_t request_bytes_ = 0;
  std::vector<std::vector<std::byte>> messages_;
};

}  // namespace volley
