// volley: the program. A table of contents: which commands there are, and how errors end it.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "generators/cli/command.hpp"
#include "generators/cli/command_line.hpp"
#include "generators/cli/outcome.hpp"
#include "generators/cli/standard_streams.hpp"
#include "generators/cli/version.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

constexpr const char* kExamples =
    "Examples\n"
    "  volley run udp                                   our own target, closed loop\n"
    "  volley run tcp://192.0.2.7:2924 --rate 10k --flows 16 --report json:r.json\n"
    "  volley duel --rate 5k --duration 3s              UDP beside TCP, one method\n"
    "Exit: 0 done, 1 the run failed, 2 wrong use, 98 a regression, 99 a --fail-if.";

struct Command {
  const char* name;
  Action (*add)(CLI::App&, const Invocation&);
};
constexpr Command kCommands[]{{"target", add_target_command},
                              {"run", add_run_command},
                              {"duel", add_duel_command},
                              {"report", add_report_command},
                              {"compare", add_compare_command},
                              {"merge", add_merge_command},
                              {"talk", add_talk_command},
                              {"doctor", add_doctor_command},
                              {"completion", add_completion_command},
                              {"manual", add_manual_command}};

int dispatch(const Invocation& invocation) {
  CLI::App app("Load servers over UDP and TCP, and report how they answered.", "volley");
  app.set_help_flag("-h,--help", "show this and end");
  app.set_version_flag("--version", fmt::format("volley {} ({})", version(), commit()),
                       "show version and commit, and end");
  app.get_formatter()->column_width(26);
  app.get_formatter()->label("REQUIRED", "");
  app.footer(kExamples);
  std::vector<std::pair<CLI::App*, Action>> commands;
  for (const Command& command : kCommands) {
    CLI::App* sub = app.add_subcommand(command.name);
    commands.emplace_back(sub, command.add(*sub, invocation));
  }
  try {
    parse_command_line(app, {invocation.argv.begin() + 1, invocation.argv.end()});
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", help_text(app));
    return std::fflush(stdout) == 0 ? kExitDone : kExitFailed;
  } catch (const CLI::Success& version_asked) {
    return app.exit(version_asked);
  }
  for (const auto& [sub, action] : commands)
    if (sub->parsed()) return action();
  return kExitDone;
}

int fail(const Invocation& invocation, int code, const RunFailure& failure) {
  complain(failure.message);
  if (wants_json(invocation)) {
    const std::string json = render_json(failed_report(invocation, failure));
    std::fwrite(json.data(), 1, json.size(), stdout);
    if (std::fflush(stdout) != 0) return kExitFailed;
  }
  return code;
}

int guarded_main(const Invocation& invocation) {
  try {
    return dispatch(invocation);
  } catch (const UsageError& error) {
    return fail(invocation, kExitUsage, {"usage", error.what(), "usage"});
  } catch (const RunError& error) {
    return fail(invocation, kExitFailed, {error.code(), error.what(), error.phase()});
  } catch (const std::exception& error) {
    return fail(invocation, kExitFailed,
                {"internal",
                 fmt::format("volley: a mistake of the program itself ({}); please "
                             "report it",
                             error.what()),
                 "setup"});
  }
}

}  // namespace
}  // namespace volley

int main(int argc, char** argv) {
  volley::hold_standard_streams();
  std::vector<std::string> words(argv, argv + argc);
  if (words.empty()) words.emplace_back("volley");
  return volley::guarded_main({std::move(words)});
}
