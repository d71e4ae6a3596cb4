// Where reports go: opened before the run, so that a bad path fails at once; written whole or not
// at all (a temporary file in the same folder, renamed at the end). What is appended is written at
// once.
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
  std::string path;     // "-": stdout
  bool append = false;  // to the end of what is there, and not in its place
};

// The name of one file of a format whose files are named after `path`: "out/bench.json" with the
// part "smaller" and the extension ".json" is "out/bench.smaller.json". Without either it is `path`
// itself. An extension that `path` has is not repeated.
[[nodiscard]] std::string file_name(const std::string& path, std::string_view part,
                                    std::string_view extension);

// Throws UsageError: unknown format, empty path, two reports for stdout or for one file, a format
// of several files for stdout. With a `summary_file` (GitHub's $GITHUB_STEP_SUMMARY), "markdown"
// without a file is appended to that, and stdout stays free; "markdown:-" is always stdout.
[[nodiscard]] std::vector<ReportTarget> parse_report_targets(const std::vector<std::string>& values,
                                                             const std::string& summary_file = {});

// Whether one of its files, or "-", is what `path` names.
[[nodiscard]] bool writes_to(const ReportTarget& target, const std::string& path);

class ReportOutputs {
 public:
  // Creates the temporary files. Missing folders are made. Throws RunError{"report_path",
  // "report"}. Without a target for stdout, text goes there, unless `quiet`.
  ReportOutputs(std::vector<ReportTarget> targets, bool quiet);
  ReportOutputs(const ReportOutputs&) = delete;
  ReportOutputs& operator=(const ReportOutputs&) = delete;
  ~ReportOutputs();  // removes temporary files that were not published

  // Renders and writes every target: files are renamed into place, stdout is flushed. Of a format
  // of several files, one that has nothing to say is not written,
  // and one of that name from before is removed. Throws RunError{"report_path",
  // "report"} when something could not be written (a full disk, a closed pipe).
  void publish(const Report& report);
  // The same for a result that is no Report: `render` gives its text in a format ("json").
  void publish(const std::function<std::string(const std::string& format)>& render);

 private:
  struct Opened {
    ReportTarget target;    // the path is that of this file
    std::size_t part = 0;   // which of the format's files
    std::string place;      // the file that `temporary` becomes
    std::string temporary;  // empty: stdout, a device or a pipe, written directly
    int fd = -1;
  };
  using Render = std::function<std::string(const Opened&)>;
  static void open(Opened& output);
  static void open_end_of(Opened& output);
  static void publish_one(Opened& output, const std::string& text);
  void publish_all(const Render& render);
  void discard();
  std::vector<Opened> opened_;
};

}  // namespace volley
