#include "reports/measure/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

__extension__ using Wide = unsigned __int128;

// A decimal number as typed: whole.fraction, where `places` digits stand behind the point.
struct Decimal {
  Wide whole = 0;  // at most kMostWhole: what is larger is out of every range anyway
  std::uint64_t fraction = 0;
  unsigned places = 0;
  std::string_view unit;
};
constexpr Wide kMostWhole = static_cast<Wide>(10'000'000'000) * 10'000'000'000;  // 10^20 > 2^64
constexpr unsigned kMostPlaces = 18;  // so that a fraction fits 64 bits

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr Wide power_of_ten(unsigned exponent) {
  Wide power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

std::optional<Decimal> split_decimal(std::string_view text) {
  Decimal d;
  std::size_t i = 0;
  for (; i < text.size() && is_digit(text[i]); ++i)
    d.whole = std::min(kMostWhole, d.whole * 10 + static_cast<unsigned>(text[i] - '0'));
  const bool leading_zero = i > 1 && text[0] == '0';
  if (i == 0 || leading_zero) return std::nullopt;
  if (i < text.size() && text[i] == '.') {
    for (++i; i < text.size() && is_digit(text[i]); ++i) {
      if (++d.places > kMostPlaces) return std::nullopt;
      d.fraction = d.fraction * 10 + static_cast<std::uint64_t>(text[i] - '0');
    }
    if (d.places == 0) return std::nullopt;
  }
  d.unit = text.substr(i);
  return d;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// The number times its unit, when that is a whole number: at most 10^20 * 10^15, far below 2^128.
std::optional<Wide> scale(const Decimal& d, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (unit.name != d.unit) continue;
    const Wide divisor = power_of_ten(d.places);
    const Wide rest = static_cast<Wide>(d.fraction) * unit.factor;
    if (rest % divisor != 0) return std::nullopt;
    return d.whole * unit.factor + rest / divisor;
  }
  return std::nullopt;
}

constexpr std::array kTimeUnits{Unit{"ns", 1},
                                Unit{"us", 1'000},
                                Unit{"ms", 1'000'000},
                                Unit{"s", 1'000'000'000},
                                Unit{"m", 60'000'000'000},
                                Unit{"h", 3'600'000'000'000}};
constexpr std::array kSizeUnits{Unit{"", 1},
                                Unit{"B", 1},
                                Unit{"k", 1'000},
                                Unit{"kB", 1'000},
                                Unit{"KB", 1'000},
                                Unit{"KiB", 1'024},
                                Unit{"M", 1'000'000},
                                Unit{"MB", 1'000'000},
                                Unit{"MiB", 1'048'576},
                                Unit{"G", 1'000'000'000},
                                Unit{"GB", 1'000'000'000},
                                Unit{"GiB", 1'073'741'824}};
constexpr std::array kCountUnits{Unit{"", 1}, Unit{"k", 1'000}, Unit{"M", 1'000'000},
                                 Unit{"G", 1'000'000'000}};
// Factors are micro-events per second.
constexpr std::array kRateUnits{Unit{"", 1'000'000},
                                Unit{"/s", 1'000'000},
                                Unit{"k", 1'000'000'000},
                                Unit{"k/s", 1'000'000'000},
                                Unit{"M", 1'000'000'000'000},
                                Unit{"M/s", 1'000'000'000'000},
                                Unit{"G", 1'000'000'000'000'000},
                                Unit{"G/s", 1'000'000'000'000'000}};

// Factors are bits per second.
constexpr std::array kBitRateUnits{Unit{"bit/s", 1},
                                   Unit{"kbit/s", 1'000},
                                   Unit{"Mbit/s", 1'000'000},
                                   Unit{"Gbit/s", 1'000'000'000},
                                   Unit{"B/s", 8},
                                   Unit{"kB/s", 8'000},
                                   Unit{"MB/s", 8'000'000},
                                   Unit{"GB/s", 8'000'000'000},
                                   Unit{"KiB/s", 8'192},
                                   Unit{"MiB/s", 8'388'608},
                                   Unit{"GiB/s", 8'589'934'592}};

std::optional<Wide> parse_with(std::string_view text, std::span<const Unit> units) {
  const auto decimal = split_decimal(text);
  return decimal ? scale(*decimal, units) : std::nullopt;
}

// The lowest time a user may ask for is never negative.
Wide unsigned_count(Nanos t) { return static_cast<Wide>(std::max<std::int64_t>(0, t.count())); }

[[noreturn]] void refuse(std::string_view subject, std::string_view what, std::string_view text,
                         std::string_view allowed, std::string_view advice) {
  throw UsageError(fmt::format("{}: {} ({}) [{}]; {}", subject, what, text, allowed, advice));
}

std::string with_point(Wide value, unsigned places, std::string_view unit) {
  const Wide divisor = power_of_ten(places);
  const auto whole = static_cast<std::uint64_t>(value / divisor);
  auto rest = static_cast<std::uint64_t>(value % divisor);
  if (rest == 0) return fmt::format("{}{}", whole, unit);
  while (rest % 10 == 0) {
    rest /= 10;
    --places;
  }
  return fmt::format("{}.{:0{}}{}", whole, rest, places, unit);
}

std::string exact_nanoseconds(std::uint64_t ns) {
  constexpr std::uint64_t hour = 3'600'000'000'000;
  constexpr std::uint64_t minute = 60'000'000'000;
  if (ns % hour == 0) return fmt::format("{}h", ns / hour);
  if (ns % minute == 0) return fmt::format("{}m", ns / minute);
  if (ns >= 1'000'000'000) return with_point(ns, 9, "s");
  if (ns >= 1'000'000) return with_point(ns, 6, "ms");
  if (ns >= 1'000) return with_point(ns, 3, "us");
  return fmt::format("{}ns", ns);
}

std::string three_digits(double value, std::string_view unit) {
  const double size = std::abs(value);
  const int places = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}", value, places, unit);
}

}  // namespace

Nanos parse_duration(std::string_view subject, std::string_view text, Nanos min, Nanos max) {
  const std::string allowed =
      fmt::format("{} to {}", format_duration_exact(min), format_duration_exact(max));
  const auto value = text == "0" ? std::optional<Wide>(0) : parse_with(text, kTimeUnits);
  if (!value) refuse(subject, "not a time", text, allowed, "write it like 90us, 1.5ms, 10s or 2m");
  if (*value < unsigned_count(min) || *value > unsigned_count(max))
    refuse(subject, "time out of range", text, allowed, "choose a time in that range");
  return Nanos(static_cast<std::int64_t>(*value));
}

std::uint64_t parse_size(std::string_view subject, std::string_view text, std::uint64_t min,
                         std::uint64_t max) {
  const std::string allowed = fmt::format("{} to {} bytes", min, max);
  const auto value = parse_with(text, kSizeUnits);
  if (!value) refuse(subject, "not a size", text, allowed, "write it like 64, 4KiB or 1MB");
  if (*value < min || *value > max)
    refuse(subject, "size out of range", text, allowed, "choose a size in that range");
  return static_cast<std::uint64_t>(*value);
}

Rate parse_rate(std::string_view subject, std::string_view text) {
  constexpr std::uint64_t highest = 1'000'000'000'000'000;  // 1G/s
  constexpr std::string_view allowed = "0.000001/s to 1G/s";
  const auto value = parse_with(text, kRateUnits);
  if (!value) refuse(subject, "not a rate", text, allowed, "write it like 500/s, 10k or 1.5M/s");
  if (*value == 0 || *value > highest)
    refuse(subject, "rate out of range", text, allowed, "choose a rate in that range");
  return Rate{static_cast<std::uint64_t>(*value)};
}

std::uint64_t parse_bit_rate(std::string_view subject, std::string_view text) {
  constexpr std::uint64_t lowest = 1'000;
  constexpr std::uint64_t highest = 1'000'000'000'000;
  constexpr std::string_view allowed = "1kbit/s to 1000Gbit/s";
  const auto value = parse_with(text, kBitRateUnits);
  if (!value)
    refuse(subject, "not a rate of bits", text, allowed, "write it like 100Mbit/s or 12.5MB/s");
  if (*value < lowest || *value > highest)
    refuse(subject, "rate out of range", text, allowed, "choose a rate in that range");
  return static_cast<std::uint64_t>(*value);
}

std::uint64_t parse_count(std::string_view subject, std::string_view text, std::uint64_t min,
                          std::uint64_t max) {
  const std::string allowed = max == std::numeric_limits<std::uint64_t>::max()
                                  ? fmt::format("{} or more", min)
                                  : fmt::format("{} to {}", min, max);
  const auto value = parse_with(text, kCountUnits);
  if (!value) refuse(subject, "not a whole number", text, allowed, "write it like 8, 20000 or 20k");
  if (*value < min || *value > max)
    refuse(subject, "number out of range", text, allowed, "choose a number in that range");
  return static_cast<std::uint64_t>(*value);
}

double parse_ratio(std::string_view subject, std::string_view text) {
  constexpr std::string_view allowed = "0% to 100%, or 0 to 1";
  const auto decimal = split_decimal(text);
  if (!decimal || (!decimal->unit.empty() && decimal->unit != "%"))
    refuse(subject, "not a share", text, allowed, "write it like 1%, 0.5% or 0.01");
  // One division of whole numbers, so that 0.1% is the double nearest to 0.001.
  const Wide divisor = power_of_ten(decimal->places);
  const Wide hundred = decimal->unit == "%" ? 100 : 1;
  const double value = static_cast<double>(decimal->whole * divisor + decimal->fraction) /
                       static_cast<double>(divisor * hundred);
  if (value > 1.0) refuse(subject, "share out of range", text, allowed, "choose one in that range");
  return value;
}

std::string format_duration(Nanos t) {
  const auto ns = static_cast<double>(t.count());
  const double size = std::abs(ns);
  if (size < 1e3) return fmt::format("{} ns", t.count());
  if (size < 999.5e3) return three_digits(ns * 1e-3, "us");
  if (size < 999.5e6) return three_digits(ns * 1e-6, "ms");
  return three_digits(ns * 1e-9, "s");
}

std::string format_duration_exact(Nanos t) {
  const std::int64_t count = t.count();
  if (count == 0) return "0";
  // Negated as unsigned: the lowest 64-bit number has no positive twin.
  const std::uint64_t ns =
      count < 0 ? 0U - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  const std::string sign = count < 0 ? "-" : "";
  return sign + exact_nanoseconds(ns);
}

std::string format_rate(double per_second) {
  if (per_second >= 9'999'500) return fmt::format("{:.2f}M/s", per_second * 1e-6);
  if (per_second >= 99.95)
    return format_count(static_cast<std::uint64_t>(std::llround(per_second))) + "/s";
  return fmt::format("{:.{}f}/s", per_second, per_second >= 9.995 ? 1 : 2);
}

std::string format_rate_exact(Rate rate) { return with_point(rate.micro_per_s, 6, "/s"); }

std::string format_bit_rate_exact(std::uint64_t bits_per_s) {
  if (bits_per_s >= 1'000'000'000) return with_point(bits_per_s, 9, "Gbit/s");
  if (bits_per_s >= 1'000'000) return with_point(bits_per_s, 6, "Mbit/s");
  if (bits_per_s >= 1'000) return with_point(bits_per_s, 3, "kbit/s");
  return fmt::format("{}bit/s", bits_per_s);
}

std::string format_count(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::pair<std::uint64_t, const char*>, 3> steps{
      {{1'073'741'824, "GiB"}, {1'048'576, "MiB"}, {1'024, "KiB"}}};
  for (const auto& [step, name] : steps) {
    if (bytes < step) continue;
    if (bytes % step == 0) return fmt::format("{} {}", bytes / step, name);
    return fmt::format("{:.1f} {}", static_cast<double>(bytes) / static_cast<double>(step), name);
  }
  return fmt::format("{} B", bytes);
}

std::string format_bits_per_s(double bits_per_s) {
  if (bits_per_s >= 999.5e6) return three_digits(bits_per_s * 1e-9, "Gbit/s");
  if (bits_per_s >= 999.5e3) return three_digits(bits_per_s * 1e-6, "Mbit/s");
  if (bits_per_s >= 999.5) return three_digits(bits_per_s * 1e-3, "kbit/s");
  return fmt::format("{:.0f} bit/s", bits_per_s);
}

std::string format_ratio(double ratio) {
  const double percent = ratio * 100.0;
  if (percent == 0.0) return "0 %";
  if (percent < 0.001) return "< 0.001 %";
  if (percent < 1.0) return fmt::format("{:.3f} %", percent);
  return fmt::format("{:.2f} %", percent);
}

}  // namespace volley
