// --metrics-listen: what a run has counted so far, for a Prometheus that scrapes while it goes on.
// The names are those of the format prometheus (docs/prometheus.md).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "generators/engine/run.hpp"
#include "reports/judge/summary.hpp"
#include "targets/wire/endpoint.hpp"

namespace volley {

class MetricsEndpoint {
 public:
  // Serves http://HOST:PORT/metrics from now on, until it is destroyed; none: nothing is served.
  // `report`: of which version, date and labels are shown. Throws RunError{"metrics_listen",
  // "setup"}.
  MetricsEndpoint(const std::optional<HostPort>& where, const Report& report);
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;
  ~MetricsEndpoint();

  // Where it is, with the port that the kernel chose; empty: nowhere.
  [[nodiscard]] std::string url() const;

  // Hooks that keep it up to date, to a tenth of a second; it must outlive them.
  [[nodiscard]] RunHooks hooks();
  // The final figures of a run.
  void end(const RunReport& run);

 private:
  struct Server;
  std::unique_ptr<Server> server_;  // null: not asked for
};

}  // namespace volley
