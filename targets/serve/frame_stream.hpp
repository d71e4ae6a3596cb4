// An endless row of data frames as bytes: any part of it can be written at any time from a sequence
// number and an offset, so a source needs no buffer per connection. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "targets/wire/frame.hpp"

namespace volley {

class FrameStream {
 public:
  FrameStream() = default;
  FrameStream(std::uint32_t session, std::uint16_t flow, std::uint32_t message_bytes);

  // Writes the bytes that come next over the whole of `to`, without taking them.
  void peek(std::span<std::byte> to) const;
  // `bytes` of them have left. Returns how many frames thereby became whole.
  std::uint64_t take(std::size_t bytes);
  // Bytes of the current frame that are still to come; 0 between two frames.
  [[nodiscard]] std::size_t left_of_frame() const;
  [[nodiscard]] std::size_t frame_bytes() const { return kFrameBytes + frame_.length; }

 private:
  Frame frame_;
  std::size_t offset_ = 0;  // into the current frame
};

}  // namespace volley
