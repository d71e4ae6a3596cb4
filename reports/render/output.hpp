// Where reports go: opened before the run, so that a bad path fails at once; written whole or not
// at all (a temporary file in the same folder, renamed at the end).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley {

// One --report value: "json", "json:-" and "text" go to stdout, "csv:out/r.csv" to a file.
struct ReportTarget {
  std::string format;
  std::string path;  // "-": stdout
};

// Throws UsageError: unknown format, empty path, two reports for stdout or for one file.
[[nodiscard]] std::vector<ReportTarget> parse_report_targets(
    const std::vector<std::string>& values);

class ReportOutputs {
 public:
  // Creates the temporary files. Missing folders are made. Throws RunError{"report_path",
  // "report"}. Without a target for stdout, text goes there, unless `quiet`.
  ReportOutputs(std::vector<ReportTarget> targets, bool quiet);
  ReportOutputs(const ReportOutputs&) = delete;
  ReportOutputs& operator=(const ReportOutputs&) = delete;
  ~ReportOutputs();  // removes temporary files that were not published

  // Renders and writes every target: files are renamed into place, stdout is flushed. Throws
  // RunError{"report_path", "report"} when something could not be written (a full disk, a closed
  // pipe).
  void publish(const Report& report);
  // The same for a result that is no Report: `render` gives its text in a format ("json").
  void publish(const std::function<std::string(const std::string& format)>& render);

 private:
  struct Opened {
    ReportTarget target;
    std::string place;      // the file that `temporary` becomes
    std::string temporary;  // empty: stdout, a device or a pipe, written directly
    int fd = -1;
  };
  static void open(Opened& output);
  static void publish_one(Opened& output, const std::string& text);
  void discard();
  std::vector<Opened> opened_;
};

}  // namespace volley
