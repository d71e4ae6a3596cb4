// Reports made of records, the way a run makes them.
#include "tests/samples/samples.hpp"

#include <algorithm>
#include <random>

#include "reports/judge/merge.hpp"

namespace volley::samples {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Puts every `slices`-th sample of `from`, in order of size, into `to`, beginning with `first`.
void every_so_many(Histogram& to, const Histogram& from, std::uint64_t first,
                   std::uint64_t slices) {
  if (from.empty()) return;
  std::uint64_t before = 0;
  const std::size_t last = Histogram::index_of(from.max()->count());
  for (std::size_t i = Histogram::index_of(from.min()->count()); i <= last; ++i) {
    const std::uint64_t times = from.counters()[i];
    if (times == 0) continue;
    const auto below = [&](std::uint64_t n) { return (n + slices - 1 - first) / slices; };
    to.record(Histogram::lowest_of(i), below(before + times) - below(before));
    before += times;
  }
}

// Lets the samples of the record fall on its slices as evenly as they can, neighbours in size
// apart.
void spread(RunRecord& r) {
  constexpr std::uint64_t slices = 64;
  constexpr std::uint64_t apart = 27;
  r.slices = Slices(Nanos(0));
  const Nanos length = slice_end(Nanos(0));  // that of any run, as far as claims go
  Latencies part;
  RequestCounters counters;
  for (std::uint64_t i = 0; i < slices; ++i) {
    const std::uint64_t first = i * apart % slices;
    part.clear();
    every_so_many(part.response, r.latencies.response, first, slices);
    every_so_many(part.service, r.latencies.service, first, slices);
    every_so_many(part.send_lag, r.latencies.send_lag, first, slices);
    every_so_many(part.connect, r.latencies.connect, first, slices);
    counters.sent = 1;
    counters.lost = (r.counters.lost + slices - 1 - first) / slices;
    r.slices.add(length * static_cast<std::int64_t>(i), part, counters);
  }
}

// Draws from one seeded stream.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t n) {
    return std::uniform_int_distribution<std::uint64_t>(0, n - 1)(engine_);
  }
  bool coin() { return below(2) == 0; }
  // Small numbers as often as the largest ones.
  std::uint64_t count(unsigned most_bits = 40) { return engine_() >> (63 - below(most_bits)); }
  double number() {
    if (coin()) return static_cast<double>(below(1000));
    return static_cast<double>(count(60)) / static_cast<double>(1 + count(30));
  }
  std::string text() {
    static const std::vector<std::string> pieces{
        "a",    "flow", " ",    "\"",   "\\",           "\n",           ",",
        "\x1b", "é",    "\xff", "\xc3", "\xe2\x82",     "\xed\xa0\x80", std::string(1, '\0'),
        "\x7f", "ü/~",  "日本", "𝄞",    "\xef\xbf\xbd", "[31m",         "\xc2\x85"};
    std::string text;
    for (std::uint64_t i = below(8); i > 0; --i) text += pieces[below(pieces.size())];
    return text;
  }
  template <typename Make>
  auto maybe(Make make) -> std::optional<decltype(make())> {
    return coin() ? std::optional(make()) : std::nullopt;
  }
  // Unlike keys, as config and labels have them.
  TextPairs pairs() {
    TextPairs pairs;
    for (std::uint64_t i = 0, n = below(4); i < n; ++i)
      pairs.emplace_back("key " + std::to_string(i), text());
    return pairs;
  }
  Histogram histogram(std::uint64_t samples) {
    Histogram h;
    for (std::uint64_t i = 0; i < samples; ++i)
      h.record(static_cast<std::int64_t>(engine_() >> (22 + below(42))), 1 + below(3));
    if (below(8) == 0) h.record(Histogram::kHighest, 1);
    return h;
  }

 private:
  std::mt19937_64 engine_;
};

ErrorKind any_kind(Dice& dice) { return static_cast<ErrorKind>(dice.below(kErrorKinds)); }

HoldSide any_hold(Dice& dice) {
  HoldSide hold;
  hold.wanted = dice.count();
  hold.opened = dice.count();
  if (dice.coin()) hold.failed.at(dice.below(kErrorKinds)) = 1 + dice.count(20);
  hold.open_duration = Nanos(static_cast<std::int64_t>(dice.count()));
  hold.held_at_end = dice.count();
  if (dice.coin()) hold.died.at(dice.below(kErrorKinds)) = 1 + dice.count(20);
  hold.probed = dice.count();
  if (dice.coin()) hold.memory.generator_bytes = dice.number();
  if (dice.coin()) hold.memory.target_bytes = dice.number();
  if (dice.coin()) hold.memory.kernel_bytes = dice.number();
  return hold;
}

// Requests that were stamped on their way; `kernel`: by the kernels too.
DelayByPlace any_delay(Dice& dice, bool kernel, std::size_t n) {
  std::vector<StampedRequest> samples;
  const Nanos ahead = dice.coin() ? Nanos(0) : seconds(dice.below(1000));
  for (std::size_t i = 0; i < n; ++i) {
    std::array<MonoTime, 8> at{};
    MonoTime next{seconds(1000)};
    for (MonoTime& time : at) time = next += Nanos(dice.below(1'000'000));
    StampedRequest r{.intended = at[0],
                     .sent = at[1],
                     .received = at[7],
                     .kernel_sent = {},
                     .kernel_received = {},
                     .target_kernel_received = {},
                     .target_received = at[4] + ahead,
                     .target_sent = at[5] + ahead};
    if (kernel) {
      r.kernel_sent = at[2];
      r.target_kernel_received = at[3] + ahead;
      r.kernel_received = at[6];
    }
    samples.push_back(r);
  }
  return delays_by_place(samples, {.asked = n + dice.below(9),
                                   .conversion_error = Nanos(dice.below(100)),
                                   .clock_stepped = dice.below(8) == 0});
}

LossPlaces any_loss_places(Dice& dice) {
  LossPlaces places;
  places.sent = dice.count();
  places.unsent = dice.count();
  places.answered = dice.count();
  places.lost = dice.count();
  places.late = dice.count();
  for (auto& site : places.sites) site = dice.maybe([&] { return dice.count(); });
  places.unattributed = dice.count();
  places.target_heard = dice.coin();
  places.other_traffic = dice.coin();
  places.bounded = dice.coin();
  places.in_super_packets = dice.coin();
  places.target_heard_places = static_cast<std::uint32_t>(dice.below(9));
  places.target_places = static_cast<std::uint32_t>(dice.below(9));
  if (dice.coin()) places.unanswered = Unanswered{dice.count(), dice.count(), dice.count()};
  return places;
}

std::vector<Condition> any_conditions(Dice& dice) {
  std::vector<Condition> conditions;
  for (const char* name : kConditionNames)
    conditions.push_back(
        {name, dice.maybe([&] { return dice.text(); }), dice.maybe([&] { return dice.text(); })});
  return conditions;
}

IntervalRecord any_interval(Dice& dice, std::uint32_t index) {
  IntervalRecord interval;
  interval.index = index;
  interval.begin = seconds(index);
  interval.end = seconds(index + 1);
  RequestCounters& c = interval.counters;
  interval.latencies.response = dice.histogram(dice.below(50));
  interval.latencies.service = dice.histogram(dice.below(50));
  interval.latencies.send_lag = dice.histogram(dice.below(dice.coin() ? 4 : 50));
  if (dice.coin()) interval.latencies.connect = dice.histogram(dice.below(50));
  c.completed = interval.latencies.response.count();
  c.lost = dice.below(4) == 0 ? dice.count(20) : 0;
  c.late = dice.below(c.lost + 1);
  if (dice.coin()) c.errors.at(dice.below(kErrorKinds)) = 1 + dice.count(20);
  if (dice.coin()) c.unsent.at(dice.below(kErrorKinds)) = 1 + dice.count(20);
  c.sent = c.completed + c.lost + total(c.errors) + dice.below(3);
  c.duplicates = dice.count(10);
  c.reordered = dice.count(10);
  c.held_back = dice.count(10);
  c.bytes_sent = dice.count();
  c.bytes_received = dice.count();
  return interval;
}

}  // namespace

RunRecord udp_open_loop() {
  RunRecord r;
  r.name = "udp rr";
  r.protocol = "udp";
  r.endpoint = "udp://127.0.0.1:2924";
  r.workload = "rr";
  r.arrival = "poisson";
  r.config = {{"workload", "rr"}, {"size", "64"}, {"flows", "8"}, {"threads", "2"}, {"seed", "1"}};
  r.conditions = {{"device", {}, "eth0"},
                  {"qdisc", {}, "fq_codel"},
                  {"mtu_bytes", {}, "1500"},
                  {"source", {}, "192.0.2.2"},
                  {"rcvbuf_bytes", "largest", "4194304"},
                  {"sndbuf_bytes", "8388608", "4194304"},
                  {"dscp", {}, "0"},
                  {"congestion", {}, {}},
                  {"pacing_rate", {}, {}},
                  {"offload_send", "auto", "divided by the kernel"},
                  {"offload_receive", "auto", "not used"},
                  {"wait", "block", "block"},
                  {"cpus", "pin on", "0 1"}};
  r.warm_up = seconds(1);
  r.duration = seconds(2);
  r.drain = milliseconds(2000);
  r.intended_per_s = 1000.0;
  r.planned = 2000;
  for (std::uint32_t i = 0; i < 2; ++i) {
    IntervalRecord interval;
    interval.index = i;
    interval.begin = seconds(i);
    interval.end = seconds(i + 1);
    RequestCounters& c = interval.counters;
    c.sent = 995;
    c.completed = 990;
    c.lost = 3;
    c.late = 1;
    c.errors[static_cast<std::size_t>(ErrorKind::malformed)] = 2;
    c.unsent[static_cast<std::size_t>(ErrorKind::no_buffers)] = 5;
    c.duplicates = 7;
    c.reordered = 4;
    c.bytes_sent = 63'680;  // 64 bytes each
    c.bytes_received = 63'360;
    for (std::int64_t n = 0; n < 990; ++n) {
      interval.latencies.response.record(60'000 + n * 100, 1);
      interval.latencies.service.record(50'000 + n * 100, 1);
    }
    for (std::int64_t n = 0; n < 995; ++n) interval.latencies.send_lag.record(1'000 + n * 9, 1);
    add_interval(r, interval);
  }
  spread(r);
  r.socket_events = {{ErrorKind::refused, 4, milliseconds(1500), milliseconds(2500)}};
  Dice dice(1);
  r.delay_by_place = any_delay(dice, true, 1000);
  r.conduct.late_beyond = std::chrono::microseconds(10);
  r.generator = {2,
                 0.5,
                 1.25,
                 3.5,
                 1234,
                 "block",
                 {"the clock is slow; choose tsc"},
                 1990,
                 1980,
                 Calibration{Nanos(1900), Nanos(650)}};
  r.loss_places = LossPlaces{.sent = 1990,
                             .unsent = 10,
                             .answered = 1984,
                             .lost = 6,
                             .late = 2,
                             .target_heard = true,
                             .target_heard_places = 1,
                             .target_places = 1};
  r.loss_places->sites.fill(0);
  r.loss_places->unanswered.emplace();
  r.loss_places->at(LossSite::target_socket) = 1;
  r.loss_places->at(LossSite::own_socket) = 2;
  r.loss_places->at(LossSite::device).reset();
  r.loss_places->unattributed = 1;
  r.protocol_figures = {{"rcvbuf_bytes", 425984.0}, {"rxq_drops", std::nullopt}};
  return r;
}

RunRecord tcp_closed_loop() {
  RunRecord r = udp_open_loop();
  r.name = "tcp rr";
  r.protocol = "tcp";
  r.loss_places.reset();
  r.endpoint = "tcp://127.0.0.1:2924";
  r.arrival = "closed";
  r.config = {{"workload", "rr"}, {"flows", "8"}, {"depth", "1"}};
  for (Condition& condition : r.conditions) {
    if (condition.name == "congestion") condition.effective = "cubic";
    if (condition.name == "pacing_rate") condition.effective = "unlimited";
    if (condition.name.starts_with("offload_")) condition = {condition.name, {}, {}};
  }
  r.intended_per_s.reset();
  r.planned.reset();
  r.counters.unsent = {};
  r.counters.errors = {};
  r.counters.lost = r.counters.late = r.counters.duplicates = r.counters.reordered = 0;
  r.counters.sent = r.counters.completed;
  spread(r);
  r.intervals.clear();
  r.socket_events.clear();
  r.protocol_figures = {{"retransmits", 0.0}, {"rtt_us", 41.5}};
  r.target_side = TargetSide{1980, 126720, 0, 0, 0.75};
  return r;
}

RunRecord long_run(RunRecord r) {
  constexpr int times = 200;
  const Latencies once = r.latencies;
  for (int i = 1; i < times; ++i) r.latencies.merge(once);
  RequestCounters& c = r.counters;
  for (std::uint64_t* n : {&c.sent, &c.completed, &c.lost, &c.late, &c.duplicates, &c.reordered,
                           &c.bytes_sent, &c.bytes_received})
    *n *= times;
  for (std::uint64_t& n : c.errors) n *= times;
  for (std::uint64_t& n : c.unsent) n *= times;
  if (r.planned) *r.planned *= times;
  r.duration *= times;
  r.intervals.clear();
  spread(r);
  return r;
}

RunRecord any_record(std::uint64_t seed) {
  Dice dice(seed);
  RunRecord r;
  r.name = dice.text();
  r.protocol = dice.coin() ? "udp" : "tcp";
  r.endpoint = dice.text();
  static const std::vector<std::string> workloads{"rr", "crr", "connect", "stream", "hold"};
  r.workload = workloads[dice.below(workloads.size())];
  static const std::vector<std::string> arrivals{"closed", "poisson", "burst:8", "trace"};
  r.arrival = arrivals[dice.below(arrivals.size())];
  r.config = dice.pairs();
  if (dice.coin()) r.conditions = any_conditions(dice);
  if (dice.coin()) r.config.emplace_back("flows", std::to_string(1 + dice.below(9)));
  if (dice.coin()) r.config.emplace_back("direction", dice.coin() ? "down" : "both");
  r.status = static_cast<RunStatus>(dice.below(3));
  r.warm_up = Nanos(static_cast<std::int64_t>(dice.count()));
  r.duration = Nanos(static_cast<std::int64_t>(dice.count()));
  r.drain = Nanos(static_cast<std::int64_t>(dice.count()));
  if (r.arrival != "closed") r.intended_per_s = dice.number();
  r.has_answers = dice.below(4) != 0;
  r.has_response = r.workload == "rr" || r.workload == "crr" || r.workload == "hold";
  if (r.workload == "hold") r.hold = any_hold(dice);
  if (r.workload == "rr" && dice.coin())
    r.delay_by_place = any_delay(dice, dice.coin(), dice.below(30));
  if (r.protocol == "udp" && dice.coin()) r.loss_places = any_loss_places(dice);
  for (std::uint32_t i = 0, n = static_cast<std::uint32_t>(dice.below(4)); i < n; ++i)
    add_interval(r, any_interval(dice, i));
  if (dice.coin()) spread(r);
  if (dice.coin()) r.planned = r.counters.sent + total(r.counters.unsent) + dice.count(20);
  r.socket_events.resize(dice.below(3));
  for (SocketEvent& event : r.socket_events)
    event = {any_kind(dice), 1 + dice.count(), Nanos(static_cast<std::int64_t>(dice.count())),
             Nanos(static_cast<std::int64_t>(dice.count()))};
  GeneratorSide& g = r.generator;
  g.threads = static_cast<unsigned>(dice.below(65));
  g.cpu_user_s = dice.number();
  g.cpu_system_s = dice.number();
  g.wall_s = dice.number();
  g.context_switches = dice.count(63);
  g.wait = dice.coin() ? "block" : "spin";
  for (std::uint64_t i = dice.below(3); i > 0; --i) g.warnings.push_back(dice.text());
  g.send_calls = dice.maybe([&] { return dice.count(63); });
  g.receive_calls = dice.maybe([&] { return dice.count(63); });
  g.calibration = dice.maybe([&] {
    return Calibration{Nanos(static_cast<std::int64_t>(dice.count()) - 1000),
                       Nanos(static_cast<std::int64_t>(dice.count()))};
  });
  if (dice.coin()) {
    TargetSide& t = r.target_side.emplace();
    t.received_messages = dice.maybe([&] { return dice.count(); });
    t.received_bytes = dice.maybe([&] { return dice.count(); });
    t.duplicates = dice.maybe([&] { return dice.count(); });
    t.reordered = dice.maybe([&] { return dice.count(); });
    t.cpu_s = dice.maybe([&] { return dice.number(); });
  }
  for (std::uint64_t i = 0, n = dice.below(4); i < n; ++i)
    r.protocol_figures.emplace_back("figure_" + std::to_string(i),
                                    dice.maybe([&] { return dice.number(); }));
  return r;
}

Report report_of(std::vector<RunReport> runs) {
  Report report;
  report.tool_version = "0.1.0";
  report.tool_commit = "0123abcd";
  report.started_at = "2026-11-22T13:12:58.123Z";
  report.host = {{"kernel", "Linux 6.1.0"}, {"cpus", "2"}};
  report.argv = {"volley", "run", "udp://127.0.0.1:2924", "--rate", "1k"};
  report.labels = {{"branch", "main"}};
  report.runs = std::move(runs);
  return report;
}

Report any_report(std::uint64_t seed) {
  Dice dice(seed);
  std::vector<RunReport> runs;
  for (std::uint64_t i = 0, n = dice.below(4); i < n; ++i)
    runs.push_back(summarize(any_record(seed * 16 + i)));
  Report report = report_of(std::move(runs));
  static const std::vector<std::string> states{"ok", "interrupted", "failed"};
  report.status = states[dice.below(states.size())];
  report.tool_commit = dice.text();
  report.host = dice.pairs();
  report.labels = dice.pairs();
  report.argv.push_back(dice.text());
  if (dice.coin()) report.error = {dice.text(), dice.text(), dice.text()};
  if (dice.coin()) report.comparison = compare_protocols(report.runs);
  static const std::vector<std::string> units{"ns", "per_s", "ratio", "count", "bits_per_s"};
  static const std::vector<std::string> reasons{"", "no_run", "not_claimable", "lost"};
  for (std::uint64_t i = dice.below(3); i > 0; --i)
    report.thresholds.push_back({dice.text(), dice.maybe([&] { return dice.number(); }),
                                 dice.maybe([&] { return dice.number(); }),
                                 units[dice.below(units.size())], dice.coin(), dice.text(),
                                 dice.text(), dice.maybe([&] { return dice.below(9) + 1; }),
                                 reasons[dice.below(reasons.size())], dice.text()});
  return report;
}

Report merged(Report report) {
  Report other = report;
  other.host = {{"kernel", "Linux 6.1.0"}, {"cpus", "8"}};
  other.labels.emplace_back("who", "the other");
  other.tool_commit = "89abcdef";
  for (RunReport& run : other.runs) run.generator.warnings.emplace_back("a | b\n");
  return merge_reports(
      std::vector{NamedReport{"a", std::move(report)}, NamedReport{"b", std::move(other)}});
}

std::vector<std::pair<std::string, Report>> all() {
  const RunReport udp = summarize(udp_open_loop());
  const RunReport tcp = summarize(tcp_closed_loop());
  std::vector<std::pair<std::string, Report>> named;
  named.emplace_back("udp", report_of({udp}));
  named.emplace_back("tcp", report_of({tcp}));

  Report duel = report_of({udp, tcp, tcp, udp});
  duel.comparison = compare_protocols(duel.runs);
  const std::string p99 = "latency_ns.response.p99";
  duel.thresholds = {
      {"p99>2ms", 158'000.0, 2e6, "ns", true, p99, "udp rr", 1, "", ""},
      {"loss>0", 0.003, 0.0, "ratio", false, "requests.loss_ratio", "tcp rr", 2, "", ""},
      {"p99_9>1s", std::nullopt, 1e9, "ns", false, p99 + "_9", "udp rr", 1, "not_claimable",
       p99 + "_9"}};
  named.emplace_back("duel", duel);

  const RunReport long_udp = summarize(long_run(udp_open_loop()));
  named.emplace_back("long_udp", report_of({long_udp}));
  Report long_duel = report_of({long_udp, summarize(long_run(tcp_closed_loop()))});
  long_duel.comparison = compare_protocols(long_duel.runs);
  named.emplace_back("long_duel", long_duel);

  RunRecord connects = tcp_closed_loop();
  connects.workload = "connect";
  connects.latencies.connect = connects.latencies.service;
  connects.latencies.response = connects.latencies.service = Histogram();
  connects.has_response = false;
  named.emplace_back("long_connect", report_of({summarize(long_run(connects))}));

  Report failed = report_of({});
  failed.status = "failed";
  failed.error = {"refused",
                  "tcp://127.0.0.1:1: connection refused; is a target listening? start one with: "
                  "volley target",
                  "setup"};
  named.emplace_back("failed", failed);

  RunRecord cut = udp_open_loop();
  cut.status = RunStatus::interrupted;
  cut.planned = 60'000;
  Report interrupted = report_of({summarize(cut)});
  interrupted.status = "interrupted";
  named.emplace_back("interrupted", interrupted);

  RunRecord into_sink = udp_open_loop();
  into_sink.name = "udp stream up";
  into_sink.workload = "stream";
  into_sink.has_answers = into_sink.has_response = false;
  into_sink.delay_by_place.reset();
  named.emplace_back("foreign_sink", report_of({summarize(into_sink)}));

  named.emplace_back("empty", report_of({summarize(any_record(0))}));
  for (const char* name : {"udp", "tcp", "long_duel", "long_connect", "interrupted"}) {
    const auto found = std::find_if(named.begin(), named.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    named.emplace_back(std::string("merged_") + name, merged(found->second));
  }
  return named;
}

}  // namespace volley::samples
