// The options that say what to send: declared as plain text for CLI11 and converted by our own
// parsers, because CLI11's let "-1" and "010" through. Shared by run and duel.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generators/plan/options.hpp"
#include "generators/plan/plan.hpp"

namespace volley {

// As typed.
struct TypedRunOptions {
  std::optional<std::string> workload, direction, size, size_mix, response_size;
  std::optional<std::string> request, reply, expect, close;
  std::optional<std::string> rate, arrival, flows, depth, probe_share, threads, wait, batch,
      offload;
  std::optional<std::string> duration, requests, warm_up, timeout, seed, interval;
  std::optional<std::string> rcvbuf, sndbuf, congestion, nodelay, dscp, pacing_rate, bottleneck,
      source;
  std::vector<std::string> labels;
  bool pin = false;
  bool discard = false;
  bool stamps = false;
  bool v4 = false;
  bool v6 = false;
};

// Declares the options on a subcommand. `duration_help` says the default of --duration.
void declare_run_options(CLI::App& app, const std::shared_ptr<TypedRunOptions>& typed,
                         const std::string& default_duration);

// Everything but the endpoint. Throws UsageError with the flag's name; RunError for an unreadable
// file of --request @FILE.
[[nodiscard]] RunOptions convert(const TypedRunOptions& typed);

// What this machine allows a plan.
[[nodiscard]] PlanLimits plan_limits();

}  // namespace volley
