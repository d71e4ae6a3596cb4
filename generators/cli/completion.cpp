// volley completion: the commands and options for a shell, written from the option tree itself, so
// that they are those of this very program.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generators/cli/command.hpp"
#include "generators/cli/described.hpp"
#include "generators/cli/standard_streams.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

using Commands = std::vector<DescribedCommand>;

std::vector<std::string> names_of(const DescribedCommand& command) {
  std::vector<std::string> names;
  for (const DescribedOption& option : command.options)
    if (!option.long_name.empty()) names.push_back(option.long_name);
  return names;
}

std::vector<std::string> names_of(const Commands& commands) {
  std::vector<std::string> names;
  for (const DescribedCommand& command : commands) names.push_back(command.name);
  return names;
}

// What --report takes: where it is about runs, every format; elsewhere two.
std::vector<std::string> formats_of(const DescribedCommand& command) {
  constexpr std::array about_runs{"run", "duel", "report", "merge"};
  const bool any = std::any_of(about_runs.begin(), about_runs.end(),
                               [&](const char* name) { return command.name == name; });
  return any ? format_names() : std::vector<std::string>{"text", "json"};
}

std::vector<std::string> values_of(const DescribedCommand& command, const DescribedOption& option) {
  if (option.long_name == "--report") return formats_of(command);
  return {};
}

// Puts `with` before each of the characters.
std::string escaped(std::string_view text, std::string_view characters, std::string_view with) {
  std::string safe;
  for (const char c : text) {
    if (characters.find(c) != std::string_view::npos) safe += with;
    safe += c;
  }
  return safe;
}

// Between single quotes of a shell.
std::string in_quotes(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\'')
      safe += "'\\''";
    else
      safe += c;
  }
  return safe;
}

std::string for_bash(const Commands& commands) {
  std::string text = fmt::format(
      "# bash completion of volley:  source <(volley completion bash)\n"
      "_volley() {{\n"
      "  local cur=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words= "
      "formats=\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    words='{} --help --version'\n"
      "  else\n"
      "    case ${{COMP_WORDS[1]}} in\n",
      fmt::join(names_of(commands), " "));
  for (const DescribedCommand& command : commands)
    text += fmt::format("      {}) words='{}' formats='{}' ;;\n", command.name,
                        fmt::join(names_of(command), " "), fmt::join(formats_of(command), " "));
  return text +
         "    esac\n"
         "    if [[ $before == --report ]]; then\n"
         "      words=$formats\n"
         "    elif [[ $cur != -* ]]; then\n"
         "      words=\n"
         "    fi\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -o default -F _volley volley\n";
}

std::string for_zsh(const Commands& commands) {
  std::string text =
      "#compdef volley\n"
      "# zsh completion of volley: put it as _volley into a folder of $fpath\n"
      "_volley() {\n"
      "  local -a commands=(\n";
  for (const DescribedCommand& command : commands)
    text += fmt::format("    '{}:{}'\n", command.name, in_quotes(escaped(command.text, ":", "\\")));
  text +=
      "  )\n"
      "  if ((CURRENT == 2)); then\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  local command=$words[2]\n"
      "  shift words\n"
      "  ((CURRENT--))\n"
      "  case $command in\n";
  for (const DescribedCommand& command : commands) {
    text += fmt::format("    {}) _arguments", command.name);
    for (const DescribedOption& option : command.options) {
      if (option.long_name.empty()) continue;
      const std::vector<std::string> values = values_of(command, option);
      const std::string value =
          option.value.empty()
              ? ""
              : fmt::format(
                    ":{}:{}", in_quotes(escaped(option.value, ":", "\\")),
                    values.empty() ? "_files" : fmt::format("({})", fmt::join(values, " ")));
      text += fmt::format(" \\\n      '*{}[{}]{}'", option.long_name,
                          in_quotes(escaped(option.summary(), "[]:", "\\")), value);
    }
    text += " \\\n      '*:file:_files' ;;\n";
  }
  return text +
         "  esac\n"
         "}\n"
         "_volley \"$@\"\n";
}

std::string for_fish(const Commands& commands) {
  std::string text =
      "# fish completion of volley:  volley completion fish | source\n"
      "complete -c volley -n __fish_use_subcommand -f\n";
  const auto fish_quoted = [](std::string_view t) { return escaped(t, "\\'", "\\"); };
  for (const DescribedCommand& command : commands)
    text += fmt::format("complete -c volley -n __fish_use_subcommand -a {} -d '{}'\n", command.name,
                        fish_quoted(command.text));
  for (const DescribedCommand& command : commands)
    for (const DescribedOption& option : command.options) {
      if (option.long_name.empty()) continue;
      text += fmt::format("complete -c volley -n '__fish_seen_subcommand_from {}' -l {}{} -d '{}'",
                          command.name, option.long_name.substr(2),
                          option.value.empty() ? "" : " -r", fish_quoted(option.summary()));
      if (const auto values = values_of(command, option); !values.empty())
        text += fmt::format(" -a '{}'", fmt::join(values, " "));
      text += '\n';
    }
  return text;
}

std::string completion(const std::string& shell, const Commands& commands) {
  if (shell == "bash") return for_bash(commands);
  if (shell == "zsh") return for_zsh(commands);
  if (shell == "fish") return for_fish(commands);
  throw UsageError(
      fmt::format("SHELL: no such choice ({}) [bash zsh fish]; choose one of these", shell));
}

}  // namespace

Action add_completion_command(CLI::App& app, const Invocation&) {
  auto shell = std::make_shared<std::string>();
  app.description("Print what a shell needs to complete options.");
  app.add_option("SHELL", *shell, "bash, zsh or fish")->type_name("")->required();
  app.footer(
      "Examples\n"
      "  source <(volley completion bash)\n"
      "  volley completion zsh > ~/.zfunc/_volley\n"
      "  volley completion fish | source\n"
      "\n"
      "Exit: 0 done, 1 it could not be written, 2 wrong use.");
  return [shell, &app] {
    return print_all(completion(*shell, commands_of(app))) ? kExitDone : kExitFailed;
  };
}

}  // namespace volley
