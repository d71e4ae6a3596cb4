// What GitHub's runner shows beside a job: lines like "::error title=volley::…" in what a step
// prints. It obeys any line that looks like that, so nothing else that we print may begin a line so
// (without_commands in reports/render/words.hpp).
#pragma once

#include <string>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley {

// Whether that runner reads our output ($GITHUB_ACTIONS is "true").
[[nodiscard]] bool annotations_wanted();

// The lines for a report, without their line feeds. Errors: a failed run, each threshold that did
// not hold. Warnings: a verdict INVALID or DEGRADED, which alone fails no job. At most ten of a
// level (the runner drops more): nine and one that says how many there are besides. Pure.
[[nodiscard]] std::vector<std::string> annotation_lines(const Report& report);

// Prints the lines on stderr, where a result on stdout stays whole, if they are wanted.
void annotate(const Report& report);

}  // namespace volley
