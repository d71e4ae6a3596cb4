// The unit parsers: any text is refused with UsageError or taken, and what is taken lies in its
// range and is printed so that it parses back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"

using namespace volley;

namespace {

// Runs `attempt`; a refusal in the right words is as good as success.
template <typename Attempt>
void taken_or_refused(Attempt attempt) {
  try {
    attempt();
  } catch (const UsageError& error) {
    ensure(std::string_view(error.what()).starts_with("x: "), "an error names its subject");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  taken_or_refused([&] {
    const Nanos t = parse_duration("x", text, Nanos(0), Nanos::max());
    ensure(t >= Nanos(0), "a duration is in its range");
    ensure(parse_duration("x", format_duration_exact(t), t, t) == t, "a duration parses back");
    (void)format_duration(t);
  });
  taken_or_refused([&] {
    const Rate rate = parse_rate("x", text);
    ensure(rate.micro_per_s > 0, "a rate is above zero");
    ensure(parse_rate("x", format_rate_exact(rate)) == rate, "a rate parses back");
    (void)format_rate(rate.per_second());
  });
  taken_or_refused([&] {
    const std::uint64_t n = parse_count("x", text, 3);
    ensure(n >= 3, "a count is in its range");
    ensure(parse_count("x", std::to_string(n), n, n) == n, "a count parses back");
    (void)format_count(n);
  });
  taken_or_refused([&] {
    const std::uint64_t bytes = parse_size("x", text, 1, 65'507);
    ensure(bytes >= 1 && bytes <= 65'507, "a size is in its range");
    (void)format_size(bytes);
  });
  taken_or_refused([&] {
    const double share = parse_ratio("x", text);
    ensure(share >= 0.0 && share <= 1.0, "a share is from 0 to 1");
    (void)format_ratio(share);
  });
  return 0;
}
