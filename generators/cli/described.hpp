// The commands and options of the program as plain values, read off CLI11's tree: what completions
// and the manual page are written from.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace volley {

struct DescribedOption {
  std::string long_name, short_name;  // "--flows" "-h"; both empty: positional
  std::string value;                  // "N"; empty: a flag
  std::string text;                   // lines
  std::string group;                  // "How much, and when"

  // "--flows N", "-h, --help" or "ENDPOINT".
  [[nodiscard]] std::string heading() const;
  // The text as one line.
  [[nodiscard]] std::string summary() const;
};

struct DescribedCommand {
  std::string name, text, footer;
  std::vector<DescribedOption> options;  // in the order of the help
};

// The commands of the program that `app` or its parent is.
[[nodiscard]] std::vector<DescribedCommand> commands_of(const CLI::App& app);

}  // namespace volley
