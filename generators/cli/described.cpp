#include "generators/cli/described.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace volley {
namespace {

const CLI::App& program_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app : program_of(*app.get_parent());
}

DescribedOption described(const CLI::Option& option) {
  DescribedOption to;
  if (!option.get_lnames().empty()) to.long_name = "--" + option.get_lnames().front();
  if (!option.get_snames().empty()) to.short_name = "-" + option.get_snames().front();
  if (option.get_items_expected_max() > 0) to.value = option.get_type_name();
  const bool is_positional = to.long_name.empty() && to.short_name.empty();
  if (is_positional) to.value = option.get_name(true);
  to.text = option.get_description();
  to.group = option.get_group();
  return to;
}

}  // namespace

std::string DescribedOption::heading() const {
  if (long_name.empty() && short_name.empty()) return value;
  std::string names = short_name.empty() ? long_name : fmt::format("{}, {}", short_name, long_name);
  if (!value.empty()) names += " " + value;
  return names;
}

std::string DescribedOption::summary() const {
  std::string line;
  for (const char c : text)
    if (const char shown = c == '\n' ? ' ' : c; shown != ' ' || !line.ends_with(' ')) line += shown;
  return line;
}

std::vector<DescribedCommand> commands_of(const CLI::App& app) {
  std::vector<DescribedCommand> commands;
  for (const CLI::App* sub :
       program_of(app).get_subcommands([](const CLI::App*) { return true; })) {
    DescribedCommand command{sub->get_name(), sub->get_description(), sub->get_footer(), {}};
    for (const CLI::Option* option : sub->get_options())
      command.options.push_back(described(*option));
    // CLI11 shows what stands at a place before what has a name.
    std::stable_partition(command.options.begin(), command.options.end(),
                          [](const DescribedOption& o) { return o.heading() == o.value; });
    commands.push_back(std::move(command));
  }
  return commands;
}

}  // namespace volley
