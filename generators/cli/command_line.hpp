// From argv to a chosen subcommand: what CLI11 cannot say well is said here, as a UsageError.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace volley {

// Joins every option that takes a value with the argument behind it ("--flows" "-1" becomes
// "--flows=-1"), so that a value that looks like an option reaches the parser that refuses it.
// Throws UsageError when there is none, or another option in its place.
[[nodiscard]] std::vector<std::string> join_values(const CLI::App& app,
                                                   const std::vector<std::string>& arguments);

// Parses. Throws UsageError for unknown options and subcommands, missing and surplus values;
// CLI::Success (help and version) is let through.
void parse_command_line(CLI::App& app, const std::vector<std::string>& arguments);

// The help of the program, or of the command that was parsed.
[[nodiscard]] std::string help_text(const CLI::App& app);

// The candidate a typing error away from `word`; empty when none is close.
[[nodiscard]] std::string nearest(const std::string& word,
                                  const std::vector<std::string>& candidates);

}  // namespace volley
