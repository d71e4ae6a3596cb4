// Which numbers of one flow have arrived: loss, duplicates and reordering from sequence numbers
// alone, in constant time and bounded memory.
//
// Duplicates after RFC 5560: every copy after the first. Reordering after RFC 4737 section 3.4: a
// first copy is reordered when its number is smaller than the next expected one, and the next
// expected number never decreases; duplicates do not count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace volley {

class SequenceTracker {
 public:
  enum class Arrival : std::uint8_t {
    in_order,   // first copy, at or above the next expected number
    reordered,  // first copy, below it
    duplicate,  // seen before
    too_old,    // below the window: cannot be told apart any more
  };

  // Remembers the last `window` numbers or so below the highest one seen (a power of two, at least
  // 64; up to 63 fewer where the newest word of the bitmap is not full). The bitmap starts small
  // and grows as numbers come in. Numbers lie below 2^63.
  explicit SequenceTracker(std::uint64_t window = kDefaultWindow);

  Arrival arrive(std::uint64_t sequence) {
    const std::uint64_t word = sequence / 64;
    const std::uint64_t bit = std::uint64_t{1} << (sequence % 64);
    if (sequence >= next_) {
      if (word != newest_word_) move_to(word);
      words_[word & mask_] |= bit;
      next_ = sequence + 1;
      ++unique_;
      return Arrival::in_order;
    }
    if (newest_word_ - word >= words_.size()) return Arrival::too_old;
    std::uint64_t& seen = words_[word & mask_];
    if ((seen & bit) != 0) {
      ++duplicates_;
      return Arrival::duplicate;
    }
    seen |= bit;
    ++unique_;
    ++reordered_;
    return Arrival::reordered;
  }

  // The numbers first … first + n - 1 arrive one after another. True: all of them in order, and
  // that has been taken down. False: nothing has; let each arrive by itself.
  [[nodiscard]] bool arrive_in_order(std::uint64_t first, std::uint64_t n) {
    if (n != 1) return row_arrives_in_order(first, n);
    if (first < next_) return false;
    (void)arrive(first);
    return true;
  }

  [[nodiscard]] std::uint64_t next_expected() const { return next_; }
  [[nodiscard]] std::uint64_t unique() const { return unique_; }
  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }
  [[nodiscard]] std::uint64_t reordered() const { return reordered_; }

  static constexpr std::uint64_t kDefaultWindow = std::uint64_t{1} << 22U;  // 512 KiB at most

 private:
  void move_to(std::uint64_t word);
  bool row_arrives_in_order(std::uint64_t first, std::uint64_t n);

  std::vector<std::uint64_t> words_{0};  // ring of bits; number s is in word (s / 64) & mask
  std::uint64_t mask_ = 0;
  std::uint64_t most_words_;
  std::uint64_t newest_word_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t unique_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t reordered_ = 0;
};

}  // namespace volley
