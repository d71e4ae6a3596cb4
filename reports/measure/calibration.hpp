// How well a program's own readings of the clock tell when a datagram was on the wire (RFC 7679,
// section 3.7): they lie outside of the kernel's stamps, so times from wire to wire are shorter.
#pragma once

#include <vector>

#include "reports/measure/time.hpp"

namespace volley {

struct Calibration {
  Nanos systematic{0};  // the median: what service times are too long by
  Nanos error{0};  // at least 95 % lie within ± this of it, conversion between clocks included
};

// `outside`: for each datagram sent and one received what the readings lie outside of the kernel's
// stamps, on both ends together; at least one. `conversion`: what a stamp's conversion to the clock
// of the readings may be off by.
[[nodiscard]] Calibration calibrate(std::vector<Nanos> outside, Nanos conversion);

}  // namespace volley
