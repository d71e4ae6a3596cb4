// A second look at how long requests were under way: what is in flight is counted, and the count
// added up over time. By Little's law that is the sum of their times, which the book of requests
// takes from two readings of the clock each; where the two disagree, one of them is wrong.
#pragma once

#include <cstdint>

#include "reports/measure/time.hpp"

namespace volley {

class InFlight {
 public:
  // `n` more (or fewer) from `at` on. Times may lie a little before an earlier one.
  void change(std::int64_t n, MonoTime at) {
    area_ns_ += static_cast<double>(count_) * static_cast<double>((at - last_).count());
    last_ = at;
    count_ += n;
  }
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] double area_ns() const { return area_ns_; }  // up to the last change

 private:
  MonoTime last_;
  std::int64_t count_ = 0;
  double area_ns_ = 0;
};

}  // namespace volley
