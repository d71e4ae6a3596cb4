// The subcommands of `volley`: each file declares its options on its own CLI11 app and returns what
// carries it out after parsing. Only the files of this folder see CLI11.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

namespace volley {

// How the program was started.
struct Invocation {
  std::vector<std::string> argv;  // with the program's name
};

// Carries out a parsed subcommand; the result is the exit code. May throw UsageError and RunError.
using Action = std::function<int()>;

// Exit codes (docs/exit-codes.md). When several apply: usage, failed, signal, untrusted,
// threshold, regression.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUntrusted = 3;
inline constexpr int kExitRegression = 98;
inline constexpr int kExitThreshold = 99;
inline constexpr int kExitSignalBase = 128;  // 130 SIGINT, 143 SIGTERM

[[nodiscard]] Action add_target_command(CLI::App& app, const Invocation& invocation);
[[nodiscard]] Action add_run_command(CLI::App& app, const Invocation& invocation);
[[nodiscard]] Action add_duel_command(CLI::App& app, const Invocation& invocation);
[[nodiscard]] Action add_report_command(CLI::App& app, const Invocation& invocation);
[[nodiscard]] Action add_compare_command(CLI::App& app, const Invocation& invocation);
[[nodiscard]] Action add_merge_command(CLI::App& app, const Invocation& invocation);
[[nodiscard]] Action add_talk_command(CLI::App& app, const Invocation& invocation);
[[nodiscard]] Action add_doctor_command(CLI::App& app, const Invocation& invocation);
[[nodiscard]] Action add_completion_command(CLI::App& app, const Invocation& invocation);
[[nodiscard]] Action add_manual_command(CLI::App& app, const Invocation& invocation);

}  // namespace volley
