#include "reports/measure/sequence.hpp"

#include <algorithm>
#include <bit>

#include "reports/measure/ensure.hpp"

namespace volley {

SequenceTracker::SequenceTracker(std::uint64_t window) : most_words_(window / 64) {
  ensure(window >= 64 && std::has_single_bit(window), "the window is a power of two from 64");
}

// Makes `word` the newest one: grows the ring while it has never wrapped (so that every word keeps
// its place), then wipes the words between the old newest one and the new.
void SequenceTracker::move_to(std::uint64_t word) {
  if (word >= words_.size() && words_.size() < most_words_) {
    words_.resize(std::min(most_words_, std::bit_ceil(std::min(word, most_words_ - 1) + 1)), 0);
    mask_ = words_.size() - 1;
  }
  const std::uint64_t steps = std::min<std::uint64_t>(word - newest_word_, words_.size());
  for (std::uint64_t i = 0; i < steps; ++i) words_[(word - i) & mask_] = 0;
  newest_word_ = word;
}

bool SequenceTracker::row_arrives_in_order(std::uint64_t first, std::uint64_t n) {
  if (first < next_) return false;
  const std::uint64_t end = first + n;
  for (std::uint64_t at = first; at < end;) {
    const std::uint64_t word = at / 64;
    const std::uint64_t in_word = std::min(end - at, 64 - at % 64);
    if (word != newest_word_) move_to(word);
    words_[word & mask_] |= (~std::uint64_t{0} >> (64 - in_word)) << (at % 64);
    at += in_word;
  }
  next_ = end;
  unique_ += n;
  return true;
}

}  // namespace volley
