// For checks*.cpp only: a list of checks that is being made, and the numbers they decide on.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/judge/checks.hpp"

namespace volley {

// Up to `pass` it passes, up to `warn` it warns, above that it fails. With warn none it never
// fails.
struct Limits {
  double pass = 0;
  std::optional<double> warn;
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
};

// The share of samples beyond a percentile.
[[nodiscard]] inline double tail_share(Percentile p) {
  return static_cast<double>(1'000'000 - p.ppm) / 1e6;
}

// The distributions whose percentiles are published about the target.
struct Published {
  const char* name;
  LatencyFigures RunReport::*figures;
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
