#include "generators/cli/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "reports/judge/spelling.hpp"
#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

// The subcommand named by the first argument; null without one.
const CLI::App* chosen(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty()) return nullptr;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (sub->get_name() == arguments.front()) return sub;
  return nullptr;
}

bool takes_a_value(const CLI::App& app, const std::string& name) {
  const CLI::Option* option = app.get_option_no_throw(name);
  return option != nullptr && option->get_items_expected_max() > 0;
}

bool is_long_option(const CLI::App& app, const std::string& word) {
  return word.rfind("--", 0) == 0 && app.get_option_no_throw(word) != nullptr;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  return names;
}

// "volley run --help"
std::string help_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? "volley --help" : fmt::format("volley {} --help", app.get_name());
}

std::string or_guess(const std::string& guess, const std::string& advice) {
  return guess.empty() ? advice : fmt::format("did you mean {}? {}", guess, advice);
}

void refuse_extra_of_subcommand(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return;
  // Positional arguments do not stay behind; what does is an option, or one argument too many.
  for (const std::string& extra : extras) {
    if (extra.empty() || extra.front() != '-') continue;
    const std::string name = extra.substr(0, extra.find('='));
    throw UsageError(
        fmt::format("{}: volley {} has no such option; {}", name, app.get_name(),
                    or_guess(nearest(name, option_names(app)), "see " + help_of(app))));
  }
  throw UsageError(fmt::format("{}: one argument too many for volley {}; see {}", extras.front(),
                               app.get_name(), help_of(app)));
}

void refuse_extra_of_program(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return;
  const std::string& extra = extras.front();
  if (!extra.empty() && extra.front() == '-')
    throw UsageError(fmt::format("{}: volley has no such option before a command; {}", extra,
                                 or_guess(nearest(extra, option_names(app)), "see volley --help")));
  throw UsageError(fmt::format(
      "{}: volley has no such command [{}]; {}", extra, fmt::join(subcommand_names(app), " "),
      or_guess(nearest(extra, subcommand_names(app)), "see volley --help")));
}

const CLI::App& deepest(const CLI::App& app) {
  const auto chosen_ones = app.get_subcommands();
  return chosen_ones.empty() ? app : *chosen_ones.front();
}

}  // namespace

std::vector<std::string> join_values(const CLI::App& app,
                                     const std::vector<std::string>& arguments) {
  const CLI::App* sub = chosen(app, arguments);
  if (sub == nullptr) return arguments;
  std::vector<std::string> joined;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word.size() <= 2 || word.rfind("--", 0) != 0 || !takes_a_value(*sub, word)) {
      joined.push_back(word);
      continue;
    }
    if (i + 1 == arguments.size() || is_long_option(*sub, arguments[i + 1]))
      throw UsageError(fmt::format("{}: its value is missing; see {}", word, help_of(*sub)));
    const std::string& value = arguments[++i];
    // An empty value stays apart: CLI11 takes "--expect=" for an option without one.
    if (value.empty()) {
      joined.push_back(word);
      joined.push_back(value);
    } else {
      joined.push_back(fmt::format("{}={}", word, value));
    }
  }
  return joined;
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  if (word.size() > 64) return best;            // no typing error, and dear to compare
  std::size_t least = word.size() < 6 ? 2 : 3;  // closer than this
  for (const std::string& candidate : candidates) {
    const std::size_t d = edit_distance(word, candidate);
    if (d >= least) continue;
    least = d;
    best = candidate;
  }
  return best;
}

std::string help_text(const CLI::App& app) {
  // CLI11 sets two empty lines between groups.
  std::string text = app.help();
  for (auto at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n", at))
    text.erase(at, 1);
  return text;
}

void parse_command_line(CLI::App& app, const std::vector<std::string>& arguments) {
  // Unknown words are collected and named here; CLI11 would stop at them with a text of its own.
  app.allow_extras();
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) sub->allow_extras();
  std::vector<std::string> backwards = join_values(app, arguments);
  std::reverse(backwards.begin(), backwards.end());
  try {
    app.parse(std::move(backwards));
  } catch (const CLI::Success&) {
    throw;
  } catch (const CLI::RequiredError& error) {
    const CLI::App& at = deepest(app);
    refuse_extra_of_subcommand(at);
    const std::string what = error.what();
    throw UsageError(
        fmt::format("{}: it is missing; see {}", what.substr(0, what.find(' ')), help_of(at)));
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("command line: {}; see {}", error.what(), help_of(deepest(app))));
  }
  const CLI::App& at = deepest(app);
  if (&at == &app) {
    refuse_extra_of_program(app);
    throw UsageError(fmt::format("volley: a command is missing [{}]; see volley --help",
                                 fmt::join(subcommand_names(app), " ")));
  }
  refuse_extra_of_program(app);
  refuse_extra_of_subcommand(at);
}

}  // namespace volley
