// The readers of one run and of what several objects share. `later`: the file is of a later minor
// version, whose unknown keys are passed over.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "reports/judge/summary.hpp"
#include "reports/render/json_node.hpp"

namespace volley {

[[nodiscard]] RunReport read_run(const JsonNode& node, bool later);
// A run's "checks" and "verdict", when everything else of it has been read.
void read_judgement(RunReport& run, const JsonNode& checks, const JsonNode& verdict, bool later);
// The verdict of a whole report follows from its runs: it is looked at, but not taken over.
void look_at_overall(const JsonNode& node, bool later);
[[nodiscard]] TextPairs read_text_map(const JsonNode& node);
// One of a few words.
[[nodiscard]] std::string read_word(const JsonNode& node,
                                    std::initializer_list<std::string_view> words);

}  // namespace volley
