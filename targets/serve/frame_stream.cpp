#include "targets/serve/frame_stream.hpp"

#include <algorithm>
#include <array>

namespace volley {
namespace {
constexpr std::byte kFiller{'v'};
}

FrameStream::FrameStream(std::uint32_t session, std::uint16_t flow, std::uint32_t message_bytes)
    : frame_{.kind = FrameKind::data, .session = session, .length = message_bytes, .flow = flow} {}

void FrameStream::peek(std::span<std::byte> to) const {
  Frame frame = frame_;
  std::size_t offset = offset_;
  while (!to.empty()) {
    if (offset < kFrameBytes) {
      std::array<std::byte, kFrameBytes> header{};
      write_frame(frame, header);
      const std::size_t n = std::min(to.size(), kFrameBytes - offset);
      std::copy_n(header.begin() + static_cast<std::ptrdiff_t>(offset), n, to.begin());
      to = to.subspan(n);
      offset += n;
    }
    const std::size_t n = std::min(to.size(), frame_bytes() - offset);
    std::fill_n(to.begin(), n, kFiller);
    to = to.subspan(n);
    offset += n;
    if (offset < frame_bytes()) return;
    offset = 0;
    frame.sequence = (frame.sequence + 1) & kLastSequence;
  }
}

std::uint64_t FrameStream::take(std::size_t bytes) {
  const std::size_t end = offset_ + bytes;
  const std::uint64_t frames = end / frame_bytes();
  offset_ = end % frame_bytes();
  frame_.sequence = (frame_.sequence + frames) & kLastSequence;
  return frames;
}

std::size_t FrameStream::left_of_frame() const {
  return offset_ == 0 ? 0 : frame_bytes() - offset_;
}

}  // namespace volley
