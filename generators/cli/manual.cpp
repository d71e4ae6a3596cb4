// volley manual: the manual page, written from the option tree itself.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "generators/cli/command.hpp"
#include "generators/cli/described.hpp"
#include "generators/cli/standard_streams.hpp"
#include "generators/cli/version.hpp"

namespace volley {
namespace {

// Text that groff takes for text: no requests, no escapes, and a "-" that can be copied.
std::string roff(std::string_view text) {
  std::string safe;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) safe += "\\&";
    if (c == '\\')
      safe += "\\e";
    else if (c == '-')
      safe += "\\-";
    else
      safe += c;
    at_start = c == '\n';
  }
  return safe;
}

// Lines that stand in columns stay as they are; others are one paragraph.
std::string set(std::string_view text) {
  if (text.find("  ") == std::string_view::npos) return roff(text) + '\n';
  return fmt::format(".nf\n{}\n.fi\n", roff(text));
}

std::string options_of(const DescribedCommand& command) {
  std::string text;
  std::string group;
  for (const DescribedOption& option : command.options) {
    if (option.group != group && option.group != "Options")
      text += fmt::format(".SS {}\n", roff(option.group));
    group = option.group;
    text += fmt::format(".TP\n.B {}\n{}", roff(option.heading()), set(option.text));
  }
  return text;
}

std::string page(const std::vector<DescribedCommand>& commands) {
  std::string text = fmt::format(
      ".TH VOLLEY 1 \"\" \"volley {}\" \"User Commands\"\n"
      ".SH NAME\n"
      "volley \\- load servers over UDP and TCP, and report how they answered\n"
      ".SH SYNOPSIS\n"
      ".B volley\n"
      ".I COMMAND\n"
      "[options]\n"
      ".SH DESCRIPTION\n"
      "Sends configurable traffic to servers, its own or others', counts every response time from\n"
      "when the request was due, accounts for every datagram, and says whether its own numbers "
      "may\n"
      "be believed. Each command prints its options with\n"
      ".BR \\-\\-help .\n",
      version());
  for (const DescribedCommand& command : commands)
    text += fmt::format(".TP\n.B volley {}\n{}\n", command.name, roff(command.text));
  for (const DescribedCommand& command : commands) {
    text += fmt::format(".SH VOLLEY {}\n{}\n", command.name, roff(command.text));
    text += options_of(command);
    text += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(command.footer));
  }
  return text +
         ".SH EXIT STATUS\n"
         "0 done; 1 the run failed; 2 wrong use; 3 not trusted, and \\-\\-strict was given; 98 a\n"
         "regression; 99 a \\-\\-fail\\-if was met; 130 and 143 interrupted.\n";
}

}  // namespace

Action add_manual_command(CLI::App& app, const Invocation&) {
  app.description("Print the manual page.");
  app.footer(
      "Examples\n"
      "  volley manual | man -l -\n"
      "\n"
      "Exit: 0 done, 1 it could not be written, 2 wrong use.");
  return [&app] { return print_all(page(commands_of(app))) ? kExitDone : kExitFailed; };
}

}  // namespace volley
