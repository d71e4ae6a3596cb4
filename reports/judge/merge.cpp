// Which reports belong together, and the frame of their union. A refusal names the report that does
// not fit and what it should have been.
#include "reports/judge/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "reports/judge/merge_pieces.hpp"
#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

using Reports = std::span<const NamedReport>;

// Far more than there are, so that a file cannot make merging take for ever.
constexpr std::size_t kMostChecks = 1'000;

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw RunError("unmergeable", "report", fmt::format("{}: {}", name, what));
}

// Of a run among its report's: the same again in every part.
struct RunKey {
  std::string name, protocol, workload;
  std::size_t round = 0;  // among the runs of that name, from 0
  friend bool operator==(const RunKey&, const RunKey&) = default;
};

std::vector<RunKey> keys_of(const Report& report) {
  std::vector<RunKey> keys;
  keys.reserve(report.runs.size());
  for (const RunReport& run : report.runs) {
    RunKey key{run.name, run.protocol, run.workload, 0};
    key.round =
        static_cast<std::size_t>(std::count_if(keys.begin(), keys.end(), [&](const RunKey& before) {
          return before.name == key.name && before.protocol == key.protocol &&
                 before.workload == key.workload;
        }));
    keys.push_back(std::move(key));
  }
  return keys;
}

std::string words_of(const RunKey& key) {
  return fmt::format("\"{}\" ({} over {}, number {} of that name)", key.name, key.workload,
                     key.protocol, key.round + 1);
}

void require_whole(const NamedReport& named) {
  const Report& report = named.report;
  if (report.status == "failed")
    refuse(named.name, fmt::format("its run failed ({}) [ok, interrupted]; leave it out",
                                   report.error ? report.error->code : "no reason given"));
  if (report.runs.empty()) refuse(named.name, "it has no runs (0) [1 or more]; leave it out");
  for (const RunReport& run : report.runs) {
    if (run.status == "failed")
      refuse(named.name,
             fmt::format("its run \"{}\" failed [ok, interrupted]; leave it out", run.name));
    if (!run.checks || run.checks->empty())
      refuse(named.name, fmt::format("its run \"{}\" has no checks, so nobody knows whether to "
                                     "trust it; measure again with this volley",
                                     run.name));
    if (run.checks->size() > kMostChecks)
      refuse(named.name,
             fmt::format("its run \"{}\" has too many checks ({}) [at most {}]; take a report as "
                         "volley wrote it",
                         run.name, run.checks->size(), kMostChecks));
    if (const std::string broken = broken_identity(run.requests); !broken.empty())
      refuse(named.name,
             fmt::format("its run \"{}\": {}; take a report as volley wrote it", run.name, broken));
  }
}

// The same runs as the first report, each of the same requests. For each of the first's runs the
// place of its like.
std::vector<std::size_t> match(const NamedReport& first, const NamedReport& other) {
  const std::vector<RunKey> wanted = keys_of(first.report);
  const std::vector<RunKey> own = keys_of(other.report);
  for (const RunKey& key : own)
    if (std::find(wanted.begin(), wanted.end(), key) == wanted.end())
      refuse(other.name, fmt::format("the run {} is not in {}; give reports of the same runs",
                                     words_of(key), first.name));
  std::vector<std::size_t> places;
  places.reserve(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto found = std::find(own.begin(), own.end(), wanted[i]);
    if (found == own.end())
      refuse(other.name, fmt::format("the run {} is missing, {} has it; give reports of the same "
                                     "runs",
                                     words_of(wanted[i]), first.name));
    places.push_back(static_cast<std::size_t>(found - own.begin()));
    const std::string differs =
        other_requests(first.report.runs[i], other.report.runs[places.back()]);
    if (!differs.empty())
      refuse(other.name, fmt::format("other requests than those of {}: {}; merge reports of the "
                                     "same requests",
                                     first.name, differs));
  }
  return places;
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t n) {
  int value = 0;
  const char* const begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + n, value);
  return error == std::errc() && end == begin + n && value >= 0 ? std::optional(value)
                                                                : std::nullopt;
}

// What format_utc wrote, in seconds since 1970.
std::optional<double> seconds_of(std::string_view utc) {
  constexpr std::string_view form = "0000-00-00T00:00:00.000Z";
  if (utc.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] != '0' && utc[i] != form[i]) return std::nullopt;
  const auto year = digits(utc, 0, 4), month = digits(utc, 5, 2), day = digits(utc, 8, 2);
  const auto hour = digits(utc, 11, 2), minute = digits(utc, 14, 2), second = digits(utc, 17, 2);
  const auto milli = digits(utc, 20, 3);
  if (!year || !month || !day || !hour || !minute || !second || !milli) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(*year),
                            std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto days = sys_days(date).time_since_epoch().count();
  return static_cast<double>(days) * 86'400.0 + *hour * 3'600.0 + *minute * 60.0 + *second +
         *milli / 1e3;
}

// A part and the report it came in.
struct OwnedPart {
  MergedPart part;
  const NamedReport* from = nullptr;
};

MergedPart part_of(const Report& report) {
  MergedPart part;
  part.started_at = report.started_at;
  part.status = report.status;
  part.tool_version = report.tool_version;
  part.tool_commit = report.tool_commit;
  part.host = report.host;
  part.argv = report.argv;
  part.labels = report.labels;
  part.runs.reserve(report.runs.size());
  for (const RunReport& run : report.runs) {
    for (const double phase : {run.warm_up_s, run.duration_s, run.drain_s})
      add(part.lasted_s, phase);
    MergedRun merged{run.name, run.requests.sent, run.requests.completed, run.requests.lost, 0, {}};
    add(merged.cpu_s, run.generator.cpu_user_s);
    add(merged.cpu_s, run.generator.cpu_system_s);
    if (run.verdict) merged.verdict = run.verdict->overall;
    part.runs.push_back(std::move(merged));
  }
  return part;
}

std::vector<OwnedPart> parts_of(Reports reports) {
  std::vector<OwnedPart> parts;
  for (const NamedReport& named : reports) {
    if (named.report.parts.empty()) parts.push_back({part_of(named.report), &named});
    for (const MergedPart& part : named.report.parts) parts.push_back({part, &named});
    if (parts.size() > kMostParts)
      refuse(named.name, fmt::format("with it there are too many parts ({}) [at most {}]; leave "
                                     "some out",
                                     parts.size(), kMostParts));
  }
  return parts;
}

void refuse_twice(const std::vector<OwnedPart>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (parts[i].part == parts[j].part)
        refuse(parts[i].from->name,
               fmt::format("the report of {} is in {} already (same start, command line, host and "
                           "counts) [each generator once]; leave one out",
                           parts[i].part.started_at, parts[j].from->name));
}

// A warning where the parts did not run together for most of their time; refused where they did not
// at all: what was never there at once is not one load.
std::string judge_times(const std::vector<OwnedPart>& parts) {
  constexpr double kMostOfIt = 0.9;
  struct Span {
    double begin = 0, end = 0;
  };
  Span together{-1e300, 1e300};
  const OwnedPart* started_last = &parts.front();
  const OwnedPart* ended_first = &parts.front();
  double longest = 0;
  for (const OwnedPart& owned : parts) {
    const auto begin = seconds_of(owned.part.started_at);
    if (!begin)
      refuse(
          owned.from->name,
          fmt::format("its start is no time (started_at \"{}\") [like 2026-11-22T13:12:58.123Z]; "
                      "take a report as volley wrote it",
                      owned.part.started_at.substr(0, 40)));
    if (*begin > together.begin) {
      together.begin = *begin;
      started_last = &owned;
    }
    if (*begin + owned.part.lasted_s < together.end) {
      together.end = *begin + owned.part.lasted_s;
      ended_first = &owned;
    }
    longest = std::max(longest, owned.part.lasted_s);
  }
  const double shared = together.end - together.begin;
  if (shared <= 0)
    refuse(started_last->from->name,
           fmt::format("it started {:.3f} s after that of {} had ended: never at once, so not one "
                       "load [generators that ran at the same time]; start them together",
                       -shared, ended_first->from->name));
  if (shared >= kMostOfIt * longest) return {};
  return fmt::format(
      "the generators ran together for {:.3g} s only, the longest of them for {:.3g} s: the loads "
      "were the sum of theirs in that time only",
      shared, longest);
}

std::string judge_versions(const std::vector<OwnedPart>& parts) {
  std::vector<std::string> all;
  for (const OwnedPart& owned : parts) {
    std::string version = fmt::format("{} ({})", owned.part.tool_version, owned.part.tool_commit);
    if (std::find(all.begin(), all.end(), version) == all.end()) all.push_back(std::move(version));
  }
  if (all.size() < 2) return {};
  return fmt::format("the generators were different versions of volley: {}", fmt::join(all, ", "));
}

TextPairs shared_pairs(const std::vector<OwnedPart>& parts, TextPairs MergedPart::*member) {
  TextPairs shared = parts.front().part.*member;
  for (const OwnedPart& owned : parts) {
    const TextPairs& own = owned.part.*member;
    shared.erase(std::remove_if(shared.begin(), shared.end(),
                                [&](const auto& pair) {
                                  return std::find(own.begin(), own.end(), pair) == own.end();
                                }),
                 shared.end());
  }
  return shared;
}

// What all parts share, and the earliest start.
Report frame_of(const std::vector<OwnedPart>& parts) {
  const MergedPart& first = parts.front().part;
  Report report;
  report.started_at = first.started_at;
  report.tool_version = first.tool_version;
  report.tool_commit = first.tool_commit;
  report.argv = first.argv;
  report.host = shared_pairs(parts, &MergedPart::host);
  report.labels = shared_pairs(parts, &MergedPart::labels);
  report.parts.reserve(parts.size());
  for (const OwnedPart& owned : parts) {
    const MergedPart& part = owned.part;
    report.started_at = std::min(report.started_at, part.started_at);
    if (part.argv != first.argv) report.argv.clear();
    if (part.tool_version != first.tool_version || part.tool_commit != first.tool_commit) {
      report.tool_version.clear();
      report.tool_commit.clear();
    }
    if (part.status == "interrupted") report.status = part.status;
    report.parts.push_back(part);
  }
  return report;
}

}  // namespace

Report merge_reports(Reports reports) {
  if (reports.size() < 2)
    throw RunError("unmergeable", "report",
                   fmt::format("FILE: too few reports to merge ({}) [2 or more]; give one of each "
                               "generator",
                               reports.size()));
  std::vector<std::vector<std::size_t>> places;
  places.reserve(reports.size());
  for (const NamedReport& named : reports) {
    require_whole(named);
    places.push_back(match(reports.front(), named));
  }
  const std::vector<OwnedPart> parts = parts_of(reports);
  refuse_twice(parts);
  std::vector<std::string> warnings{judge_times(parts), judge_versions(parts)};
  std::erase(warnings, "");

  Report report = frame_of(parts);
  for (std::size_t i = 0; i < reports.front().report.runs.size(); ++i) {
    std::vector<RunPart> run;
    run.reserve(reports.size());
    std::size_t before = 0;
    for (std::size_t j = 0; j < reports.size(); ++j) {
      const Report& of = reports[j].report;
      run.push_back({&of.runs[places[j][i]], before, !of.parts.empty()});
      before += std::max<std::size_t>(1, of.parts.size());
    }
    report.runs.push_back(merge_run(run));
    std::vector<std::string>& told = report.runs.back().generator.warnings;
    for (const std::string& warning : warnings)
      if (std::find(told.begin(), told.end(), warning) == told.end()) told.push_back(warning);
  }
  if (std::all_of(reports.begin(), reports.end(),
                  [](const NamedReport& named) { return named.report.comparison.has_value(); }))
    report.comparison = compare_protocols(report.runs);
  return report;
}

}  // namespace volley
