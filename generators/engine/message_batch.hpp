// The messages of one system call: they lie in a row, so that a stream takes them as they are and
// the kernel can divide them into datagrams of one size.
//
// Where all messages have one size, what never changes of them (the filler) is laid out once.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "generators/engine/sent_batches.hpp"
#include "generators/plan/payload.hpp"
#include "reports/measure/ensure.hpp"

namespace volley {

class MessageBatch {
 public:
  // At most `most` messages (1 to 64) and, unless it is one, kMostBytes. `sample`: what a message
  // of the largest size is before anything is written into it; `one_size`: all are as large.
  MessageBatch(std::uint32_t most, std::span<const std::byte> sample, bool one_size)
      : sample_(sample.begin(), sample.end()), one_size_(one_size) {
    const std::size_t largest = std::max<std::size_t>(sample.size(), 1);
    most_ = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(kMostBytes / largest, 1, std::min(most, kMostInBatch)));
    memory_.resize(most_ * largest);
    if (!one_size_) return;
    for (std::uint32_t i = 0; i < most_; ++i)
      std::copy(sample_.begin(), sample_.end(),
                memory_.begin() + static_cast<std::ptrdiff_t>(i * sample_.size()));
  }

  void clear() {
    count_ = 0;
    bytes_ = 0;
  }
  // Room for `n` more messages of `bytes` each, in a row; each begins as the sample does.
  std::span<std::byte> add(std::uint32_t bytes, std::uint32_t n = 1) {
    ensure(count_ + n <= most_ && bytes <= sample_.size(), "a message has room in its batch");
    const auto room = std::span(memory_).subspan(bytes_, std::size_t{bytes} * n);
    if (!one_size_ || bytes != sample_.size() || sizes_[0] != bytes) lay_out(room, bytes, n);
    count_ += n;
    bytes_ += room.size();
    return room;
  }

  [[nodiscard]] std::uint32_t most() const { return most_; }
  [[nodiscard]] bool one_size() const { return one_size_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return std::span(memory_).first(bytes_);
  }
  [[nodiscard]] std::span<const std::uint32_t> sizes() const {
    return std::span(sizes_).first(count_);
  }
  // The i-th message, to be changed.
  [[nodiscard]] std::span<std::byte> at(std::uint32_t i) {
    std::size_t before = 0;
    for (const std::uint32_t size : sizes().first(i)) before += size;
    return std::span(memory_).subspan(before, sizes_[i]);
  }
  // All messages are as large as the first, so that the kernel can divide them.
  [[nodiscard]] bool is_even() const {
    return one_size_ || std::all_of(sizes_.begin(), sizes_.begin() + count_,
                                    [&](std::uint32_t size) { return size == sizes_[0]; });
  }

  static constexpr std::size_t kMostBytes = 65'507;  // what the kernel divides at once

 private:
  // What is not so already: the sample's bytes, and of what size messages are.
  void lay_out(std::span<std::byte> room, std::uint32_t bytes, std::uint32_t n) {
    ensure(!one_size_ || count_ == 0 || sizes_[0] == bytes, "messages of one size");
    if (!one_size_ || bytes != sample_.size())
      for (std::uint32_t i = 0; i < n; ++i)
        std::copy_n(sample_.begin(), bytes,
                    room.begin() + static_cast<std::ptrdiff_t>(std::size_t{bytes} * i));
    if (!one_size_)
      std::fill_n(sizes_.begin() + count_, n, bytes);
    else
      sizes_.fill(bytes);  // once: it stays so
  }

  std::vector<std::byte> sample_;
  std::vector<std::byte> memory_;
  std::array<std::uint32_t, kMostInBatch> sizes_{};
  bool one_size_;
  std::uint32_t most_ = 1;
  std::uint32_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace volley
