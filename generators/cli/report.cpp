// volley report: a saved JSON report rendered again, to the same text as after its run.
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "generators/cli/command.hpp"
#include "generators/cli/outcome.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/output.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostBytes = std::size_t{256} << 20U;

struct Typed {
  std::string file;
  std::vector<std::string> reports;
};

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw RunError("bad_report", "report", file + ": " + what);
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// Read up to the limit and no further: the file may be a device that never ends.
std::string read_whole(const std::string& name) {
  std::unique_ptr<std::FILE, CloseFile> opened;
  if (name != "-") opened.reset(std::fopen(name.c_str(), "rbe"));
  std::FILE* const file = name == "-" ? stdin : opened.get();
  if (file == nullptr)
    refuse(name, std::string("cannot open: ") + std::strerror(errno) +
                     "; give a file that --report json:FILE wrote");
  std::string text;
  std::vector<char> block(std::size_t{1} << 16U);
  while (const std::size_t n = std::fread(block.data(), 1, block.size(), file)) {
    text.append(block.data(), n);
    if (text.size() > kMostBytes)
      refuse(name, "too large (more than 256 MiB) [at most 256 MiB]; take a report of fewer runs");
  }
  if (std::ferror(file) != 0)
    refuse(name, std::string("cannot read: ") + std::strerror(errno) +
                     "; give a file that --report json:FILE wrote");
  return text;
}

Report read_report(const std::string& file) {
  try {
    return parse_report(read_whole(file));
  } catch (const RunError& e) {
    const std::string text = e.what();
    if (text.starts_with(file + ": ")) throw;
    refuse(file, text);
  }
}

int carry_out(const Typed& typed) {
  ReportOutputs outputs(parse_report_targets(typed.reports), false);
  return publish(outputs, read_report(typed.file), kExitDone);
}

}  // namespace

Action add_report_command(CLI::App& app, const Invocation& /*invocation*/) {
  auto typed = std::make_shared<Typed>();
  app.description("Render a saved JSON report again.");
  app.add_option("FILE", typed->file, "a report written by --report json:FILE; -: stdin")
      ->required();
  app.add_option("--report", typed->reports,
                 "text (default), json or csv, to stdout or into FILE; may be repeated")
      ->type_name("FORMAT[:FILE]")
      ->allow_extra_args(false);
  app.footer(
      "Examples\n"
      "  volley report out/report.json\n"
      "  volley report out/report.json --report csv:out/report.csv\n"
      "\n"
      "Exit: 0 done, 1 the file is no report or cannot be written, 2 wrong use.");
  return [typed] { return carry_out(*typed); };
}

}  // namespace volley
