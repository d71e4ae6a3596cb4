// --live: the lines of ndjson while a run is still going. Each is written whole as soon as it is
// known, so that what reads along, or what is left after a crash, holds everything until then.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generators/engine/run.hpp"
#include "reports/judge/summary.hpp"

namespace volley {

class LiveStream {
 public:
  // `path`: a file, which is emptied, a pipe or a device; "-": stdout; none: nothing is written
  // anywhere. `before_complaint`: clears what is drawn on stderr. Throws RunError{"report_path",
  // "report"}.
  explicit LiveStream(const std::optional<std::string>& path,
                      std::function<void()> before_complaint = {});
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;
  ~LiveStream();

  // In this order: begin; for each run start, its intervals and warnings, end; end.
  void begin(const Report& report);
  void start(const RunRecord& record);     // as far as it is known before the load
  void interval(const RunRecord& record);  // the last one
  void warn(const std::string& text);
  // A run that never started gets its start now; warnings that were not given yet come before it.
  void end(const RunReport& run);
  // Whether everything has been written.
  [[nodiscard]] bool end(const Report& report);

  // Hooks that tell this stream of a run; it must outlive them.
  [[nodiscard]] RunHooks hooks();

 private:
  void write(std::string_view line);
  void give_up(std::string_view why);

  std::string path_;
  std::function<void()> before_complaint_;
  Nanos waited_{0};  // for its reader
  int fd_ = -1;      // -1: not asked for, or given up
  bool failed_ = false;
  std::size_t run_ = 0;              // the number of the last one that started
  bool has_begun_ = false;           // and has not ended
  std::vector<std::string> warned_;  // in this run
};

}  // namespace volley
