// Numbers with units, as people type and read them. What is printed here parses back here.
//
// Every parser takes the `subject` that an error names ("--timeout"), and throws UsageError for
// anything but a plain decimal number with an allowed unit: no sign, no exponent, no leading zero
// ("010" means ten to one reader and eight to another), no nan or inf, no trailing text.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "reports/measure/time.hpp"

namespace volley {

// Events per second, exact to a millionth: 1..1e12 micro-events cover one event in 11 days up to
// 1e12/s, and integer arithmetic keeps a schedule free of drift.
struct Rate {
  std::uint64_t micro_per_s = 0;
  [[nodiscard]] double per_second() const { return static_cast<double>(micro_per_s) * 1e-6; }
  friend bool operator==(Rate, Rate) = default;
};

// "90us" "1.5ms" "10s" "2m" "1h" "250ns"; the unit is required, except for "0". Whole nanoseconds.
[[nodiscard]] Nanos parse_duration(std::string_view subject, std::string_view text, Nanos min,
                                   Nanos max);
// "64" "4KiB" "1MB" "2GiB": bytes; k, kB, MB, GB are powers of 1000, KiB, MiB, GiB of 1024.
[[nodiscard]] std::uint64_t parse_size(std::string_view subject, std::string_view text,
                                       std::uint64_t min, std::uint64_t max);
// "500/s" "10k" "1.5M/s" "0.5/s": above zero, at most 1G/s.
[[nodiscard]] Rate parse_rate(std::string_view subject, std::string_view text);
// "100Mbit/s" "12.5MB/s" "1Gbit/s" "64KiB/s": bits per second, from 1kbit/s to 1000Gbit/s; the unit
// is required.
[[nodiscard]] std::uint64_t parse_bit_rate(std::string_view subject, std::string_view text);
// "8" "20000" "20k" "1M": a whole number.
[[nodiscard]] std::uint64_t parse_count(
    std::string_view subject, std::string_view text, std::uint64_t min,
    std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
// "1%" "0.5%" "0.01": a share from 0 to 1.
[[nodiscard]] double parse_ratio(std::string_view subject, std::string_view text);

// "412 ns" "12.3 us" "1.84 ms" "2.00 s": three significant digits.
[[nodiscard]] std::string format_duration(Nanos t);
// "90us" "1.5ms" "10s": exact and without a space, so that it parses back to the same value.
[[nodiscard]] std::string format_duration_exact(Nanos t);
// "0.50/s" "17,512/s" "12.50M/s"
[[nodiscard]] std::string format_rate(double per_second);
// "500/s" "0.5/s": exact, parses back.
[[nodiscard]] std::string format_rate_exact(Rate rate);
// "100Mbit/s" "1.5Gbit/s": exact, parses back.
[[nodiscard]] std::string format_bit_rate_exact(std::uint64_t bits_per_s);
// "20,000"
[[nodiscard]] std::string format_count(std::uint64_t n);
// "64 B" "4 KiB" "1.5 MiB"
[[nodiscard]] std::string format_size(std::uint64_t bytes);
// "9.2 Mbit/s"
[[nodiscard]] std::string format_bits_per_s(double bits_per_s);
// "0 %" "0.013 %" "12.50 %"
[[nodiscard]] std::string format_ratio(double ratio);

}  // namespace volley
