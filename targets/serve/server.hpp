// A whole target: binds, starts its threads, waits for a signal or another end, adds up.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reports/measure/target_record.hpp"
#include "targets/serve/options.hpp"

namespace volley {

struct ServeHooks {
  // Called once, when every socket is bound, with "udp://127.0.0.1:2924" and so on.
  std::function<void(const std::vector<std::string>& listening)> on_ready;
  // A sentence for a person; may be called from several threads, never at once.
  std::function<void(const std::string& sentence)> on_note;
};

// Serves until SIGINT, SIGTERM, --max-duration or (with stop_on_empty) an empty datagram, and tells
// what was counted. What peers say is printed on stdout where the options ask for it. SIGPIPE is
// ignored from then on. Throws UsageError, and RunError: unresolvable, address_in_use, permission,
// address_not_available, too_many_files, report_path (the event log), internal.
[[nodiscard]] TargetRecord serve(const ServeOptions& options, const ServeHooks& hooks);

}  // namespace volley
