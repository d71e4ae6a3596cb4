#include "generators/engine/outcome.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "generators/engine/preflight.hpp"
#include "generators/engine/tcp_quality.hpp"
#include "generators/engine/udp_quality.hpp"

namespace volley {
namespace {

using Workers = std::vector<std::unique_ptr<Worker>>;

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

std::string advice_for(int error, const Endpoint& endpoint) {
  switch (error) {
    case ECONNREFUSED:
      return fmt::format("is a target listening there? start one with: volley target --listen {}",
                         to_string(endpoint.where));
    case ETIMEDOUT:
      return "wrong address, or a firewall in between; --timeout waits longer";
    case EMFILE:
    case ENFILE:
      return "use fewer flows, or raise the limit with: ulimit -n";
    case ENETUNREACH:
    case EHOSTUNREACH:
      return "no route leads there; check the address and the network";
    case EADDRNOTAVAIL:
      return "local ports are used up; use more source addresses with --source ADDR/BITS, fewer "
             "flows, or wait a minute for those in TIME_WAIT";
    default:
      return "check the address and what the system log says";
  }
}

void add_events(std::vector<SocketEvent>& to, const std::vector<SocketEvent>& from) {
  for (const SocketEvent& event : from) {
    const auto same = std::find_if(to.begin(), to.end(),
                                   [&](const SocketEvent& e) { return e.kind == event.kind; });
    if (same == to.end()) {
      to.push_back(event);
    } else {
      same->count += event.count;
      same->first = std::min(same->first, event.first);
      same->last = std::max(same->last, event.last);
    }
  }
}

// The kind that happened most, when anything went wrong at all.
std::optional<ErrorKind> main_trouble(const RunRecord& record) {
  ErrorCounts all = record.counters.errors;
  for (std::size_t i = 0; i < kErrorKinds; ++i) all[i] += record.counters.unsent[i];
  for (const SocketEvent& event : record.socket_events)
    all[static_cast<std::size_t>(event.kind)] += event.count;
  // What happened to the flow is the trouble; what that left unsent is its consequence.
  all[static_cast<std::size_t>(ErrorKind::flow_dead)] = 0;
  const auto most = std::max_element(all.begin(), all.end());
  if (*most == 0) return std::nullopt;
  return static_cast<ErrorKind>(most - all.begin());
}

bool was_refused(const RunRecord& record) {
  return std::any_of(record.socket_events.begin(), record.socket_events.end(),
                     [](const SocketEvent& e) { return e.kind == ErrorKind::refused; });
}

// A closed loop sends when an answer has come. A stream does not, and what a schedule has made due
// is sent late rather than not at all.
bool waits_for_answers(const RunPlan& plan) {
  return plan.workload != Workload::stream && !plan.open_loop();
}

void judge_success(RunRecord& record, const RunPlan& plan, std::uint32_t dead) {
  const auto fail = [&](std::string code, const std::string& text) {
    record.status = RunStatus::failed;
    record.failure = RunFailure{std::move(code), record.endpoint + ": " + text, "measure"};
  };
  const bool standing = plan.workload == Workload::rr || plan.workload == Workload::stream ||
                        plan.workload == Workload::hold;
  const bool only_holds = plan.workload == Workload::hold && !plan.open_loop() && plan.probes == 0;
  if (standing && dead >= plan.flows) {
    const auto trouble = main_trouble(record);
    fail("all_flows_dead",
         fmt::format("every flow was dead at the end of the run ({} of {}, {}); {}", dead,
                     plan.flows, trouble ? to_string(*trouble) : "closed",
                     trouble == ErrorKind::malformed
                         ? "what came back is no answer to what was sent: give a --reply that fits "
                           "this server"
                         : "the server closed the connections or went away"));
  } else if (only_holds) {
    // That they stayed open is all that was asked.
  } else if (record.has_answers ? record.counters.completed == 0
                                : record.counters.sent == 0 || was_refused(record)) {
    const auto trouble = main_trouble(record);
    if (trouble && *trouble == ErrorKind::refused)
      fail("refused",
           "connection refused, nothing was answered; " +
               advice_for(ECONNREFUSED, Endpoint{plan.protocol, plan.where.value_or(HostPort{})}));
    else if (waits_for_answers(plan) && record.counters.sent == 0 && !trouble)
      fail(
          "nothing_sent",
          fmt::format("nothing was sent in the measure phase of {}: every flow still waited for an "
                      "answer of the warm-up, from a server that does not answer, or the "
                      "generator got no CPU; give a longer --duration, or --requests instead",
                      format_duration(record.duration)));
    else
      fail("nothing_answered",
           fmt::format("nothing was answered in the measure phase ({} sent, {} lost, {} errors{}); "
                       "wrong port, a firewall, or a server that does not answer this request",
                       record.counters.sent, record.counters.lost, total(record.counters.errors),
                       trouble ? fmt::format(", mostly {}", to_string(*trouble)) : ""));
  }
}

// How long the measure phase was: as planned, or until nothing more was due, or until it was cut
// or its last flow died. A generator that fell behind its schedule by more than 1 % took longer,
// and the loads are over that time.
Nanos measured_for(const RunPlan& plan, const Workers& workers, const RunTimes& times, bool cut,
                   bool all_dead) {
  MonoTime ended = times.measure_begin;
  for (const auto& worker : workers)
    ended = std::max(ended, cut ? worker->result().ended : worker->result().sending_ended);
  const bool whole = plan.duration && !plan.requests && !cut;
  const bool early = ended < times.measure_end && (!plan.open_loop() || all_dead);
  const bool overran =
      plan.open_loop() && whole && ended > times.measure_end + *plan.duration / 100;
  if (overran) return ended - times.measure_begin;
  if (whole && !early) return *plan.duration;
  return std::max(Nanos(0), std::min(ended, times.measure_end) - times.measure_begin);
}

void add_worker(RunRecord& record, const WorkerResult& result, TargetSide& receiver) {
  add_events(record.socket_events, result.socket_events);
  record.generator.send_calls = record.generator.send_calls.value_or(0) + result.send_calls;
  record.generator.receive_calls =
      record.generator.receive_calls.value_or(0) + result.receive_calls;
  if (!result.receiver_known) record.has_answers = false;
  const auto add = [](std::optional<std::uint64_t>& to, std::optional<std::uint64_t> from) {
    if (from) to = to.value_or(0) + *from;
  };
  add(receiver.received_messages, result.receiver.received_messages);
  add(receiver.received_bytes, result.receiver.received_bytes);
  add(receiver.duplicates, result.receiver.duplicates);
  add(receiver.reordered, result.receiver.reordered);
}

void add_protocol_figures(RunRecord& record, const RunPlan& plan, const Workers& workers) {
  std::optional<BufferSizes> buffers;
  std::uint64_t drops = 0;
  OffloadFigures offload;
  for (const auto& worker : workers) {
    if (worker->result().buffers) buffers = worker->result().buffers;
    drops += worker->result().socket_drops;
    offload += worker->result().offload;
  }
  auto& figures = record.protocol_figures;
  const auto size = [&](auto member) {
    return buffers ? std::optional(static_cast<double>((*buffers).*member)) : std::nullopt;
  };
  figures.emplace_back("rcvbuf_bytes", size(&BufferSizes::receive_bytes));
  figures.emplace_back("sndbuf_bytes", size(&BufferSizes::send_bytes));
  const auto calls = static_cast<double>(record.generator.send_calls.value_or(0));
  const auto sent = static_cast<double>(record.counters.sent);
  const auto per_call = calls > 0 && sent > 0 ? std::optional(sent / calls) : std::nullopt;
  figures.emplace_back("requests_per_send_call", per_call);
  // The part of the schedule that one call serves, on average.
  figures.emplace_back("pacing_quantum_ns",
                       per_call && record.intended_per_s.value_or(0) > 0
                           ? std::optional(*per_call / *record.intended_per_s * 1e9)
                           : std::nullopt);
  if (plan.protocol == Protocol::tcp) {
    add_tcp_quality(record, plan, workers);
    return;
  }
  record.config.emplace_back("congestion_in_use", "-");
  figures.emplace_back("socket_drops", static_cast<double>(drops));
  figures.emplace_back("gso_sends", static_cast<double>(offload.divided_sends));
  figures.emplace_back("gso_segments", static_cast<double>(offload.divided_datagrams));
  figures.emplace_back("gro_receives", static_cast<double>(offload.joined_receives));
  figures.emplace_back("gro_segments", static_cast<double>(offload.joined_datagrams));
  add_udp_quality(record, plan, workers);
}

}  // namespace

ProcessUsage process_usage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {seconds_of(usage.ru_utime), seconds_of(usage.ru_stime),
          static_cast<std::uint64_t>(usage.ru_nvcsw) + static_cast<std::uint64_t>(usage.ru_nivcsw),
          mono_now()};
}

RunRecord blank_record(const RunPlan& plan, const HostPort& where, const Address& peer) {
  RunRecord record;
  record.name = run_name(plan);
  record.protocol = to_string(plan.protocol);
  record.endpoint = to_string(Endpoint{plan.protocol, where});
  record.workload = to_string(plan.workload);
  record.arrival = arrival_text(plan.arrival);
  record.config = effective_values(plan);
  record.config.emplace_back("peer", peer.text());
  record.warm_up = plan.warm_up;
  record.timeout = plan.timeout;
  if (plan.rate) record.intended_per_s = plan.rate->per_second();
  // Of a stream only its receiver can tell, at the end.
  record.has_answers = plan.workload != Workload::stream;
  record.has_response = plan.workload == Workload::rr || plan.workload == Workload::crr ||
                        plan.workload == Workload::hold;
  record.slices = Slices(plan.timeout);
  record.generator.threads = plan.threads;
  record.generator.wait = to_string(plan.wait);
  return record;
}

std::optional<RunError> set_up_error(const RunPlan& plan, const Workers& workers) {
  std::uint64_t opened = 0;
  const SetUpFailure* failure = nullptr;
  for (const auto& worker : workers) {
    opened += worker->result().flows_opened;
    const auto& found = worker->result().set_up_failure;
    if (!found) continue;
    const bool out_of_files = found->error == EMFILE || found->error == ENFILE;
    if (failure == nullptr || out_of_files) failure = &*found;
    if (out_of_files) opened = 0;
  }
  if (opened > 0 || failure == nullptr) return std::nullopt;
  const Endpoint endpoint{plan.protocol, plan.where.value_or(HostPort{})};
  return RunError(std::string(to_string(error_kind_of(failure->error))), "setup",
                  fmt::format("{}: {}; {}", to_string(endpoint), error_text(failure->error),
                              advice_for(failure->error, endpoint)));
}

std::vector<std::string> set_up_warnings(const Workers& workers) {
  std::uint64_t wanted = 0;
  std::uint64_t opened = 0;
  const SetUpFailure* failure = nullptr;
  for (const auto& worker : workers) {
    wanted += worker->result().flows_wanted;
    opened += worker->result().flows_opened;
    if (worker->result().set_up_failure) failure = &*worker->result().set_up_failure;
  }
  if (failure == nullptr) return {};
  return {fmt::format("{} of {} flows could not be set up ({}); the run goes on with the rest",
                      wanted - opened, wanted, error_text(failure->error))};
}

namespace {

void warn_of_division(RunRecord& record, const Workers& workers) {
  for (const auto& worker : workers) {
    const int error = worker->result().offload.refused;
    if (error == 0) continue;
    record.generator.warnings.push_back(
        fmt::format("the route refused to divide what was sent ({}): datagrams went out one by one "
                    "(--offload off asks for that)",
                    error_text(error)));
    return;
  }
}

void warn_of_silence(RunRecord& record, const RunPlan& plan, const Workers& workers) {
  const bool silent = std::any_of(workers.begin(), workers.end(), [](const auto& worker) {
    return worker->result().receiver_silent;
  });
  if (!silent) return;
  record.generator.warnings.push_back(fmt::format(
      "the target gave no count of what had reached it: how much was completed and lost "
      "is unknown (it hung up, or was silent for --timeout, {}; a longer one waits "
      "longer)",
      format_duration(plan.timeout)));
}

}  // namespace

void fill_record(RunRecord& record, const RunPlan& plan, const Workers& workers,
                 const RunTimes& times, int signal, const ProcessUsage& before) {
  TargetSide receiver;
  record.has_answers = true;
  std::uint32_t dead = 0;
  std::optional<std::uint64_t> planned = 0;
  MonoTime ended = times.measure_begin;
  for (const auto& worker : workers) {
    const WorkerResult& result = worker->result();
    add_worker(record, result, receiver);
    dead += result.flows_dead;
    planned = planned && result.planned_open_loop
                  ? std::optional(*planned + *result.planned_open_loop)
                  : std::nullopt;
    ended = std::max(ended, result.ended);
  }
  if (signal != 0) {
    record.status = RunStatus::interrupted;
    record.signal = signal;
  }
  const bool began = times.start != MonoTime{};
  record.duration =
      began ? measured_for(plan, workers, times, signal != 0, dead >= plan.flows) : Nanos(0);
  if (plan.open_loop() && plan.duration && record.duration > *plan.duration)
    record.generator.warnings.push_back(
        fmt::format("the generator fell behind its schedule: the last request left {} after the "
                    "measure phase; the loads are over the time it took (give a lower --rate, or "
                    "more --flows, --depth or --threads)",
                    format_duration(record.duration - *plan.duration)));
  record.drain =
      began ? std::max(Nanos(0), ended - times.measure_begin - record.duration) : Nanos(0);
  if (plan.open_loop())
    record.planned = planned;
  else if (plan.requests && plan.direction != Direction::both)
    record.planned = *plan.requests;
  if (!record.intended_per_s && plan.open_loop() && planned && record.duration > Nanos(1))
    record.intended_per_s = static_cast<double>(*planned) / to_seconds(record.duration);
  if (receiver.received_messages && record.has_answers) record.target_side = receiver;
  add_protocol_figures(record, plan, workers);
  const std::uint64_t portless =
      record.counters.unsent[static_cast<std::size_t>(ErrorKind::no_ports)];
  warn_of_division(record, workers);
  if (signal == 0) warn_of_silence(record, plan, workers);
  if (portless > 0) record.generator.warnings.push_back(port_warning(plan, portless));

  const ProcessUsage after = process_usage();
  record.generator.cpu_user_s = after.user_s - before.user_s;
  record.generator.cpu_system_s = after.system_s - before.system_s;
  record.generator.context_switches = after.context_switches - before.context_switches;
  record.generator.wall_s = to_seconds(after.at - before.at);
  if (signal == 0) judge_success(record, plan, dead);
}

void fill_hold(RunRecord& record, const Workers& workers, const std::vector<MemorySample>& memory) {
  HoldSide hold;
  std::optional<MonoTime> began;
  MonoTime ended{};
  const auto add = [](ErrorCounts& to, const ErrorCounts& from) {
    for (std::size_t i = 0; i < kErrorKinds; ++i) to[i] += from[i];
  };
  for (const auto& worker : workers) {
    const WorkerResult& result = worker->result();
    hold.wanted += result.flows_wanted;
    hold.opened += result.flows_opened;
    if (!result.hold) continue;
    began = std::min(began.value_or(result.hold->opening_began), result.hold->opening_began);
    ended = std::max(ended, result.hold->opening_ended);
    add(hold.failed, result.hold->failed);
    add(hold.died, result.hold->died);
    hold.held_at_end += result.hold->held_at_end;
    hold.probed += result.hold->probed;
  }
  if (began) hold.open_duration = ended - *began;
  // What is kept for all is made before they are opened: of a part of them it says nothing.
  const bool all_tried = hold.opened + total(hold.failed) == hold.wanted;
  if (memory.size() >= 2 && all_tried)
    hold.memory = memory_per_connection(
        memory[0], memory[1], memory.size() >= 3 ? std::optional(memory[2]) : std::nullopt,
        hold.opened, hold.held_at_end);
  record.hold = hold;
}

}  // namespace volley
