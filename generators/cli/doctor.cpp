// volley doctor: what on this machine will spoil numbers, and the fix.
#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "generators/cli/command.hpp"
#include "generators/engine/doctor.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/doctor_json.hpp"

namespace volley {
namespace {

// Long enough for 20 clock ticks of every CPU, short enough not to be noticed.
constexpr Nanos kSample = std::chrono::milliseconds(200);

struct Typed {
  std::string report = "text";
  bool strict = false;
};

std::size_t count_of(const std::vector<Finding>& findings, FindingLevel level) {
  std::size_t count = 0;
  for (const Finding& finding : findings) count += finding.level == level ? 1 : 0;
  return count;
}

std::string text_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += fmt::format("{:<5} {:<15} {}\n", to_string(finding.level), finding.id, finding.found);
    if (!finding.spoils.empty()) text += fmt::format("{:<22}spoils: {}\n", "", finding.spoils);
    if (!finding.fix.empty()) text += fmt::format("{:<22}fix:    {}\n", "", finding.fix);
  }
  text += fmt::format("\n{} warnings, {} notes\n", count_of(findings, FindingLevel::warn),
                      count_of(findings, FindingLevel::note));
  return text;
}

int carry_out(const Typed& typed) {
  const bool json = typed.report == "json" || typed.report == "json:-";
  if (!json && typed.report != "text" && typed.report != "text:-") {
    throw UsageError(fmt::format(
        "--report: not a report of doctor ({}) [text json]; both go to stdout", typed.report));
  }
  const std::vector<Finding> findings = judge_machine(examine_machine(kSample));
  std::cout << (json ? render_findings_json(findings) : text_of(findings)) << std::flush;
  if (!std::cout) {
    throw RunError("report_path", "report", "stdout: takes no more output; was it closed?");
  }
  return typed.strict && count_of(findings, FindingLevel::warn) != 0 ? kExitUntrusted : kExitDone;
}

}  // namespace

Action add_doctor_command(CLI::App& app, const Invocation& /*invocation*/) {
  auto typed = std::make_shared<Typed>();
  app.description("Say what on this machine spoils numbers, and the fix.");
  app.add_option("--report", typed->report, "text or json")
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_flag("--strict", typed->strict, "exit 3 when there is a warning");
  app.footer(
      "warn  spoils results    note  changes them, and may be as it should    ok  fine\n"
      "\n"
      "Examples\n"
      "  volley doctor\n"
      "  volley doctor --strict --report json\n"
      "\n"
      "Exit: 0 done, 1 it cannot look, 2 wrong use, 3 a warning (with --strict).");
  return [typed] { return carry_out(*typed); };
}

}  // namespace volley
