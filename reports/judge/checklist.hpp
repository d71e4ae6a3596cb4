// For checks*.cpp only: a list of checks that is being made, and the numbers they decide on.
#pragma once

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/judge/checks.hpp"

namespace volley {

// The share of samples beyond a percentile.
[[nodiscard]] inline double tail_share(Percentile p) {
  return static_cast<double>(1'000'000 - p.ppm) / 1e6;
}

// Up to `pass` it passes, up to `warn` it warns, above that it fails. With warn none it never
// fails.
struct Limits {
  double pass = 0;
  std::optional<double> warn;
};

// A distribution whose percentiles are published about the target.
struct Published {
  const char* name;
  LatencyFigures RunReport::*figures;
};

struct Checklist {
  const RunRecord& record;
  const RunReport& run;
  std::vector<Check> done{};

  // Of a figure, by its limits; without one: unknown.
  void add(std::string id, std::string name, std::optional<double> value, const Limits& limits,
           std::string unit, std::vector<std::string> affects, std::string text) {
    CheckStatus status = CheckStatus::unknown;
    if (value)
      status = *value <= limits.pass                    ? CheckStatus::pass
               : !limits.warn || *value <= *limits.warn ? CheckStatus::warn
                                                        : CheckStatus::fail;
    done.push_back({std::move(id), std::move(name), status, value, limits.pass, std::move(unit),
                    std::move(affects), std::move(text)});
  }
  void add(std::string id, std::string name, CheckStatus status, std::vector<std::string> affects,
           std::string text) {
    done.push_back(
        {std::move(id), std::move(name), status, {}, {}, {}, std::move(affects), std::move(text)});
  }
  void not_applicable(std::string id, std::string name, std::string why) {
    add(std::move(id), std::move(name), CheckStatus::not_applicable, {}, std::move(why));
  }

  [[nodiscard]] bool open_loop() const { return record.arrival != "closed"; }
  [[nodiscard]] double sent() const { return static_cast<double>(record.counters.sent); }

  // Whether so many samples lie beyond the percentile that it could be claimed at all. Where they
  // do not it is withheld whatever the generator did, and a check of it would decide on nothing.
  [[nodiscard]] bool has_tail(const Published& published, const PercentileKey& key) const {
    const LatencyFigures& figures = run.*published.figures;
    const bool with_lost = published.figures == &RunReport::response;
    const std::uint64_t samples = figures.count + (with_lost ? record.counters.lost : 0);
    return figures.claims &&
           static_cast<double>(samples) * tail_share(key.percentile) >= kFewestTailSamples;
  }
  [[nodiscard]] static std::string no_tail(const PercentileKey& key) {
    return fmt::format("Fewer than {:.0f} samples lie beyond {}, which is withheld for that.",
                       kFewestTailSamples, key.words);
  }
};

inline constexpr std::array<Published, 3> kPublished{{{"response", &RunReport::response},
                                                      {"service", &RunReport::service},
                                                      {"connect", &RunReport::connect}}};

// "response.p99"
[[nodiscard]] std::string number_name(std::string_view distribution, const PercentileKey& key);
// Those of the percentiles from `least` on.
[[nodiscard]] std::vector<std::string> percentiles_of(const RunReport& run, Percentile least);
// The same of one distribution.
[[nodiscard]] std::vector<std::string> percentiles_of(const RunReport& run,
                                                      std::string_view distribution);
// The smallest figure that any of them has at p, of what was answered; none: nothing was.
[[nodiscard]] std::optional<Nanos> least_at(const Latencies& latencies, Percentile p);
// The distribution that a reader looks at first: the response, or where a request is a handshake
// that.
[[nodiscard]] const Published* main_distribution(const RunReport& run);

void check_sending(Checklist& list);   // C1, C9
void check_arrivals(Checklist& list);  // C2
void check_course(Checklist& list);    // C3, C5, C12
void check_counts(Checklist& list);    // C6, C10, C11, C14
void check_tcp(Checklist& list);       // C18
void check_machine(Checklist& list);   // C7, C8, C16

}  // namespace volley
