// What a run says about its own numbers: the checks it made of itself, and what follows for each
// number it publishes. Values only; judge/checks makes the checks, judge/verdicts draws the
// conclusions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace volley {

enum class CheckStatus : std::uint8_t {
  pass,
  warn,
  fail,
  unknown,         // what it rests on could not be had; never as good as pass
  not_applicable,  // this run has nothing that it could find
};
[[nodiscard]] std::string_view to_string(CheckStatus status);
[[nodiscard]] std::optional<CheckStatus> check_status_from(std::string_view word);

// One check of the list in docs/method.md.
struct Check {
  std::string id;    // stable: "C1a"
  std::string name;  // what is looked at, in a few words
  CheckStatus status = CheckStatus::unknown;
  std::optional<double> value;       // in `unit`, never negative; none: unknown, or no number
  std::optional<double> threshold;   // up to which it passes
  std::string unit;                  // "ratio", "ns", "count", "ppm", or empty
  std::vector<std::string> affects;  // the published numbers it decides on
  std::string text;                  // what was found and what it means, for a person
};

// Of one published number. From good to bad.
enum class Verdict : std::uint8_t {
  trusted,
  degraded,       // something may be in it that is not the target's
  not_claimable,  // too little stands behind it: withheld (judge/claims)
  invalid,        // the generator spoiled it: withheld
};
[[nodiscard]] std::string_view to_string(Verdict verdict);  // "TRUSTED" "DEGRADED" …
[[nodiscard]] std::optional<Verdict> verdict_from(std::string_view word);

struct NumberVerdict {
  std::string number;  // "response.p99", "loss_ratio", "achieved_per_s"
  Verdict verdict = Verdict::trusted;
  std::vector<std::string> decided_by;  // ids of the checks that did not pass
};

struct RunVerdict {
  // The worst of the numbers one looks at first: the loads, the loss, p50 and p99 of the response
  // (connect: of the handshake), as far as there are any.
  Verdict overall = Verdict::trusted;
  std::string headline;  // a sentence
  std::vector<NumberVerdict> numbers;
};

}  // namespace volley
