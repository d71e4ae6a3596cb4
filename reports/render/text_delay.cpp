#include "reports/render/text_delay.hpp"

#include <fmt/format.h>

#include <array>

#include "reports/measure/units.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

constexpr std::array<const char*, kDelayPlaces> kWords{
    "  send lag",       "  generator kernel", "  way there",        "  target queue",
    "  target service", "  way back",         "  generator wake-up"};

std::string time_text(Nanos time) {
  return time < Nanos(0) ? "-" + format_duration(-time) : format_duration(time);
}

std::string percentile_text(double p) { return fmt::format("p{:g}", p * 100); }

// Without kernel stamps the ways reach from one program to the other.
std::string waterfall_text(const DelayByPlace& delay) {
  std::vector<std::vector<std::string>> rows{{"by place"}, {"  response"}};
  for (const DelayAt& at : delay.waterfall) {
    rows[0].push_back(percentile_text(at.percentile));
    rows[1].push_back(time_text(at.response));
  }
  for (std::size_t i = 0; i < kDelayPlaces; ++i) {
    if (!delay.places[i]) continue;
    rows.push_back({kWords[i]});
    for (const DelayAt& at : delay.waterfall)
      rows.back().push_back(at.places[i] ? time_text(*at.places[i]) : "-");
  }
  return "\n" + columns(rows);
}

std::string sample_text(const DelayByPlace& delay) {
  std::string words = fmt::format("{} of {} requests that were to be stamped",
                                  format_count(delay.samples), format_count(delay.asked));
  if (delay.samples == 0) return words + ": only a target of ours stamps";
  if (delay.kernel_times && delay.complete < delay.samples)
    words += fmt::format("; {} with all stamps of both kernels", format_count(delay.complete));
  if (delay.clock_stepped)
    words += "; the host's time was set meanwhile, so no kernel stamp was used";
  else if (!delay.kernel_times)
    words += "; no kernel stamps, so the ways reach from program to program";
  if (delay.order_violations > 0)
    words += fmt::format("; {} went back in time, by {} at most: do not trust these times",
                         format_count(delay.order_violations), time_text(delay.worst_violation));
  return words;
}

std::string one_way_text(const DelayByPlace& delay) {
  if (!delay.one_way_forward || !delay.one_way_backward) return {};
  const std::string ways =
      fmt::format("there {} at p50, {} at p99; back {}, {}; ",
                  time_text(delay.one_way_forward->p50), time_text(delay.one_way_forward->p99),
                  time_text(delay.one_way_backward->p50), time_text(delay.one_way_backward->p99));
  if (delay.same_clock)
    return wrapped("one way   ",
                   ways + fmt::format("one clock, +- {}", time_text(delay.clock_error)));
  return wrapped("one way   ",
                 ways + fmt::format("the clocks differ (the target's is {} {}), so each is "
                                    "right within {} only: half the quickest round trip",
                                    time_text(delay.clock_offset < Nanos(0) ? -delay.clock_offset
                                                                            : delay.clock_offset),
                                    delay.clock_offset < Nanos(0) ? "behind" : "ahead",
                                    time_text(delay.clock_error)));
}

}  // namespace

std::string delay_text(const RunReport& run) {
  if (!run.delay_by_place) return {};
  const DelayByPlace& delay = *run.delay_by_place;
  std::string text;
  if (!delay.waterfall.empty()) text += waterfall_text(delay) + "\n";
  text += wrapped("stamped   ", sample_text(delay)) + one_way_text(delay);
  if (delay.calibration)
    text += wrapped(
        "clock     ",
        fmt::format("service times are {} longer than from wire to wire, +- {} (95 %)",
                    time_text(delay.calibration->systematic), time_text(delay.calibration->error)));
  return text;
}

}  // namespace volley
