// The parsers of conditions and of compare's limits: any text is refused with UsageError in words
// that can be printed, or taken, and then what is kept of it is taken again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "reports/judge/compare.hpp"
#include "reports/judge/threshold_parser.hpp"
#include "reports/measure/ensure.hpp"

using namespace volley;

namespace {

void look_at(const UsageError& error) {
  const std::string_view said = error.what();
  ensure(said.starts_with("x"), "an error names its subject");
  ensure(std::all_of(said.begin(), said.end(),
                     [](char c) { return c == '\n' || c < 0 || (c >= ' ' && c <= '~'); }),
         "an error can be printed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  try {
    const Threshold threshold = parse_threshold("x", text);
    const Threshold again = parse_threshold("x", threshold.expr);
    ensure(again.expr == threshold.expr && again.metric.path == threshold.metric.path,
           "what is kept of a condition is the condition");
    RunReport run;
    run.protocol = "udp";
    Report report;
    report.runs.push_back(run);
    const ThresholdResult result = evaluate(threshold, report);
    ensure(result.value.has_value() == result.reason.empty(), "what is missing has a reason");
    ensure(result.value.has_value() || !result.pass, "what is missing does not pass");
    (void)result_text(result);
  } catch (const UsageError& error) {
    look_at(error);
  }
  try {
    for (const RegressionLimit& limit : parse_regression_limits("x", {text}))
      ensure(limit.most >= 0 && limit.most <= 100, "a limit is in its range");
  } catch (const UsageError& error) {
    look_at(error);
  }
  return 0;
}
