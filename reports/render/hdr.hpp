// A histogram as text that other tools read: HdrHistogram's V2 compressed encoding in base64.
//
//   base64(cookie 0x1c849314, length, zlib(cookie 0x1c849313, payload length, normalizing offset 0,
//          significant digits 3, lowest 1, highest 1 h, ratio 1.0, payload))
//
// with big-endian numbers. The payload holds the counters up to the last one in use as ZigZag
// LEB128 numbers of at most 9 bytes; a negative number -n stands for n zero counters.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "reports/measure/histogram.hpp"

namespace volley {

[[nodiscard]] std::string encode_hdr(const Histogram& histogram);

// What is wrong with an encoded histogram, for a person.
class BadHdr : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The counters of an encoded histogram, as many as are in use: ours, or any other's with 3
// significant digits from 1. Hostile input is expected: at most 300 KiB are ever allocated, and
// BadHdr is thrown for anything but a whole histogram between 0 and 1 h whose sum fits 64 bits.
[[nodiscard]] std::vector<std::uint64_t> decode_hdr(std::string_view base64);

}  // namespace volley
