// What the tests of plans share: a plan from the defaults with a change, or the words of its
// refusal.
#pragma once

#include <functional>
#include <string>

#include "generators/plan/plan.hpp"
#include "reports/measure/ensure.hpp"

namespace volley::tests {

using Change = std::function<void(RunOptions&)>;

inline constexpr PlanLimits kTwoCpus{.cpus = 2};

inline RunPlan plan_with(const Change& change) {
  RunOptions options;
  change(options);
  return make_plan(options, kTwoCpus);
}

inline std::string refusal(const Change& change) {
  try {
    (void)plan_with(change);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

inline Arrival arrival(Arrival::Kind kind) {
  Arrival result;
  result.kind = kind;
  return result;
}

inline ReplyRule reply(ReplyRule::Kind kind) {
  ReplyRule rule;
  rule.kind = kind;
  rule.length = 5;
  rule.text = "\n";
  return rule;
}

inline void tcp(RunOptions& o) { o.protocol = Protocol::tcp; }

}  // namespace volley::tests
