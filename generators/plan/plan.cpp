// From options to a plan: refuse what does not go together, then choose what was left open.
#include "generators/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "generators/plan/checks.hpp"
#include "generators/plan/payload.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"
#include "targets/wire/frame.hpp"

namespace volley {
namespace {

// A schedule this short may well miss the measure phase; a longer one cannot.
constexpr double kFewSlots = 50;
// So many slots are walked through at most to find the first measured one (a blink).
constexpr double kMostWalked = 2e6;

std::vector<SizeShare> effective_sizes(const RunOptions& options) {
  if (options.workload == Workload::connect) return {{0, 1}};
  if (options.request) return {{static_cast<std::uint32_t>(options.request->size()), 1}};
  if (!options.sizes.empty()) return options.sizes;
  const bool stream = options.workload == Workload::stream;
  return {{stream ? RunOptions::kDefaultStreamBytes : RunOptions::kDefaultBytes, 1}};
}

ExchangeKind exchange_of(const RunOptions& options, const std::vector<SizeShare>& sizes) {
  if (options.request) return ExchangeKind::scripted;
  if (options.workload == Workload::connect) return ExchangeKind::frame;
  return SizeChooser(sizes, 0).smallest() < kFrameBytes ? ExchangeKind::echo : ExchangeKind::frame;
}

Arrival effective_arrival(const RunOptions& options) {
  if (options.arrival) return *options.arrival;
  Arrival arrival;
  if (options.rate) arrival.kind = Arrival::Kind::poisson;
  return arrival;
}

std::optional<std::uint32_t> effective_depth(const RunOptions& options, const RunPlan& plan) {
  if (plan.workload == Workload::stream) return std::nullopt;
  if (plan.workload != Workload::rr && plan.workload != Workload::hold) return 1;
  if (options.depth) return options.depth;
  if (plan.open_loop() && plan.exchange == ExchangeKind::frame) return std::nullopt;
  return 1;
}

// Probes in flight at any time: the share asked for, rounded up, and each thread has at least one,
// or its connections would never see any.
std::uint32_t effective_probes(const RunOptions& options, const RunPlan& plan) {
  if (plan.workload != Workload::hold || plan.open_loop()) return 0;
  const double share = options.probe_share.value_or(RunOptions::kDefaultProbeShare);
  if (share <= 0.0) return 0;
  const auto probes = static_cast<std::uint32_t>(std::ceil(share * options.flows));
  return std::clamp(probes, options.threads, options.flows);
}

// An answer as large as every request needs no word about its size.
std::optional<std::uint32_t> effective_response_size(const RunOptions& options,
                                                     const std::vector<SizeShare>& sizes) {
  if (sizes.size() == 1 && options.response_size == sizes.front().bytes) return std::nullopt;
  return options.response_size;
}

// How long a plan lasts that says neither --duration nor --requests: a trace to its end, everything
// else the default.
void choose_extent(RunPlan& plan) {
  if (plan.duration || plan.requests) return;
  if (plan.arrival.kind != Arrival::Kind::trace) {
    plan.duration = RunOptions::kDefaultDuration;
    return;
  }
  const auto first = std::lower_bound(plan.trace->begin(), plan.trace->end(), plan.warm_up);
  plan.requests = static_cast<std::uint64_t>(plan.trace->end() - first);
}

void refuse_empty_schedule(const RunPlan& plan) {
  if (!plan.open_loop()) return;
  const bool is_trace = plan.arrival.kind == Arrival::Kind::trace;
  if (!is_trace) {
    if (!plan.duration) return;
    const double rate = plan.rate->per_second();
    if (rate * to_seconds(*plan.duration) > kFewSlots) return;
    if (rate * to_seconds(plan.warm_up) > kMostWalked) return;
  } else if (plan.requests == std::uint64_t{0}) {
    throw UsageError(fmt::format(
        "--arrival trace, --warm-up {}: no request is due after the warm-up; shorten the warm-up",
        format_duration_exact(plan.warm_up)));
  }
  Schedule schedule(schedule_of(plan));
  for (auto slot = schedule.next(); slot; slot = schedule.next())
    if (slot->measured) return;
  if (is_trace)
    throw UsageError(
        fmt::format("--arrival trace: no request is due in the measure phase (after "
                    "{} of warm-up); change --duration or --warm-up",
                    format_duration_exact(plan.warm_up)));
  throw UsageError(
      fmt::format("--rate {}, --duration {}: no request is due in the measure phase; "
                  "use a longer --duration or a higher --rate",
                  format_rate_exact(*plan.rate), format_duration_exact(*plan.duration)));
}

}  // namespace

std::string_view to_string(ExchangeKind kind) {
  switch (kind) {
    case ExchangeKind::frame:
      return "frame";
    case ExchangeKind::echo:
      return "echo";
    case ExchangeKind::scripted:
      return "scripted";
  }
  return "unknown";
}

std::shared_ptr<const std::vector<Nanos>> load_trace(const RunOptions& options) {
  if (!options.arrival || options.arrival->kind != Arrival::Kind::trace) return nullptr;
  const std::string& path = options.arrival->trace_file;
  const std::string subject = fmt::format("--arrival trace:{}", path);
  return std::make_shared<const std::vector<Nanos>>(parse_trace(subject, read_file(subject, path)));
}

namespace {

// To spin on a CPU that another thread wants is a disaster. A target on this host wants one, too;
// what else runs here nobody knows, so `auto` never spins for long.
Wait effective_wait(const RunOptions& options, const PlanLimits& limits) {
  if (options.wait != Wait::automatic) return options.wait;
  const bool target_is_here = !options.where || options.where->host == "localhost" ||
                              options.where->host == "::1" ||
                              options.where->host.starts_with("127.");
  const unsigned wanted = options.threads + (target_is_here ? 1 : 0);
  return limits.cpus >= wanted ? Wait::hybrid : Wait::block;
}

}  // namespace

RunPlan make_plan(const RunOptions& options, const PlanLimits& limits,
                  std::shared_ptr<const std::vector<Nanos>> trace) {
  check_workload(options);
  check_script(options);
  const std::vector<SizeShare> sizes = effective_sizes(options);
  check_sizes(options, sizes);
  check_arrival(options);
  const ExchangeKind exchange = exchange_of(options, sizes);
  check_concurrency(options, limits, exchange);
  check_stamps(options, sizes);
  check_extent(options);
  check_socket(options);

  RunPlan plan;
  plan.protocol = options.protocol;
  plan.where = options.where;
  plan.family = options.family;
  plan.workload = options.workload;
  plan.direction = options.direction;
  plan.exchange = exchange;
  plan.sizes = sizes;
  plan.response_size = effective_response_size(options, sizes);
  plan.request = options.request.value_or(std::string());
  plan.reply = options.reply.value_or(ReplyRule());
  plan.expect = options.expect;
  plan.close = options.close.value_or(Close::rst);
  plan.arrival = effective_arrival(options);
  plan.rate = options.rate;
  plan.flows = options.flows;
  plan.threads = options.threads;
  plan.pin = options.pin;
  plan.discard = options.discard;
  plan.stamps = options.stamps;
  plan.wait = effective_wait(options, limits);
  plan.wait_asked = options.wait;
  plan.offload = options.offload;
  plan.batch = options.batch;
  plan.duration = options.duration;
  plan.requests = options.requests;
  plan.warm_up = options.warm_up;
  plan.timeout = options.timeout;
  plan.seed = options.seed;
  plan.interval = options.interval;
  plan.socket = options.socket;
  plan.bottleneck_bits_per_s = options.bottleneck_bits_per_s;
  plan.source = options.source;
  // A name may stand for addresses of both families, of which only one goes with the source.
  if (plan.source) plan.family = plan.source->family() == AF_INET ? Family::v4 : Family::v6;
  plan.labels = options.labels;
  plan.depth = effective_depth(options, plan);
  plan.probes = effective_probes(options, plan);
  if (plan.arrival.kind == Arrival::Kind::trace) {
    if (!trace || trace->empty())
      throw UsageError("--arrival trace: there is no due time; give it a file with times");
    plan.trace = std::move(trace);
  }
  choose_extent(plan);
  refuse_empty_schedule(plan);
  return plan;
}

ScheduleSpec schedule_of(const RunPlan& plan) {
  ensure(plan.open_loop(), "a closed loop has no schedule");
  ScheduleSpec spec;
  spec.arrival = plan.arrival;
  spec.rate = plan.rate.value_or(Rate{});
  spec.seed = plan.seed;
  spec.trace = plan.trace;
  spec.warm_up = plan.warm_up;
  spec.duration = plan.duration;
  spec.requests = plan.requests;
  return spec;
}

Nanos late_beyond(const RunPlan& plan) {
  constexpr Nanos least = std::chrono::microseconds(10);
  if (!plan.open_loop()) return least;
  double between_ns = 0;  // two requests of the whole run
  if (plan.rate)
    between_ns = 1e9 / plan.rate->per_second();
  else if (plan.trace && plan.trace->size() > 1)
    between_ns = static_cast<double>((plan.trace->back() - plan.trace->front()).count()) /
                 static_cast<double>(plan.trace->size() - 1);
  const double half = std::min(between_ns * plan.threads / 2, 1e12);
  return std::max(least, Nanos(static_cast<std::int64_t>(half)));
}

}  // namespace volley
