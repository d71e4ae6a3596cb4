#include "reports/render/text_loss.hpp"

#include <fmt/format.h>

#include "reports/measure/units.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

// Why the target did not answer what it had read.
std::string reasons(const LossPlaces& places) {
  if (places.at(LossSite::target_application).value_or(0) == 0 || !places.unanswered) return {};
  std::string words;
  const auto say = [&](std::uint64_t n, const char* why) {
    if (n > 0) words += fmt::format("{}{} {}", words.empty() ? " (" : ", ", format_count(n), why);
  };
  say(places.unanswered->dropped, "dropped on purpose");
  say(places.unanswered->discarded, "without room to wait");
  say(places.unanswered->ignored, "by rule");
  return words.empty() ? words : words + ")";
}

// What the counts do not say by themselves.
std::string provisos(const LossPlaces& places) {
  std::string words;
  if (places.in_super_packets)
    words +=
        "; a counter counts datagrams that the kernel had joined as one (super-packets), so "
        "which of two places of one way lost them is not exact";
  if (places.bounded) words += "; copies of answers came, and a copy may have made up for a loss";
  if (places.other_traffic)
    words += "; more requests reached the target than this run sent, so its counts say nothing";
  else if (!places.target_heard && places.target_places > 0)
    words += "; the target did not say for all of its sockets what it counted";
  else if (!places.target_heard)
    words += "; the target says nothing of what it counted";
  return words;
}

}  // namespace

std::string loss_text(const RunReport& run) {
  if (!run.loss_places || run.loss_places->lost == 0) return {};
  const LossPlaces& places = *run.loss_places;
  std::string words;
  const auto say = [&](std::uint64_t n, const char* where) {
    if (n > 0) words += fmt::format("{}{} {}", words.empty() ? "" : ", ", format_count(n), where);
  };
  for (std::size_t i = 0; i < kLossSites; ++i) {
    const auto site = static_cast<LossSite>(i);
    say(places.sites[i].value_or(0), name_of(site).words);
    if (site == LossSite::target_application) words += reasons(places);
  }
  say(places.late, "nowhere: they came late");
  say(places.unattributed, "nobody knows where");
  const std::string_view warm_up = run.warm_up_s > 0 ? " (warm-up included)" : "";
  return wrapped("lost at   ", fmt::format("of {} lost{}: {}{}", format_count(places.lost), warm_up,
                                           words, provisos(places)));
}

}  // namespace volley
