// Why a run has no such figure: what is missing is never 0, and never missing without a reason.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "reports/judge/metrics.hpp"

namespace volley {

enum class Missing : std::uint8_t {
  no_run,         // there is no run that could have it
  not_measured,   // this workload, loop or protocol has no such figure, or there was no sample
  not_judged,     // the run did not judge itself
  lost,           // it falls among the lost requests, which have no end
  not_claimable,  // too little stands behind it: withheld
  invalid,        // the generator spoiled it: withheld
};
// "no_run" "not_measured" …: for the JSON.
[[nodiscard]] std::string_view to_string(Missing reason);

// Why a metric that has no value in this run has none.
[[nodiscard]] Missing why_missing(const RunReport& run, const MetricKind& metric);

// For a person, of a reason in the words of the JSON: "response_p99 is withheld: …". A word that is
// none of them says only that the metric is missing.
[[nodiscard]] std::string missing_text(std::string_view metric, std::string_view reason);
// What to do about it: "measure longer, or …".
[[nodiscard]] std::string_view way_out(std::string_view reason);

}  // namespace volley
