#include "generators/engine/loss_places.hpp"

#include <poll.h>

#include <algorithm>
#include <map>

#include "generators/engine/handshakes.hpp"
#include "targets/wire/datagrams.hpp"

namespace volley {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostFlowsAsked = 256;

std::vector<std::byte> question_of(std::uint32_t session) {
  std::vector<std::byte> bytes(kControlBytes);
  write_frame({.kind = FrameKind::socket_counters,
               .session = session,
               .length = static_cast<std::uint32_t>(kControlBytes - kFrameBytes)},
              bytes);
  return bytes;
}

// Asks on one flow after the other, and counts the answers to requests that come in meanwhile.
class Questioner {
 public:
  explicit Questioner(Worker& worker)
      : worker_(worker),
        question_(question_of(worker.session())),
        batch_(8, 65'536, Details::segments) {}

  // What the target's socket says within `patience`; asked again every 100 ms.
  std::optional<SocketCounters> ask(const Descriptor& socket, Nanos patience) {
    constexpr Nanos kAgain = milliseconds(100);
    const MonoTime deadline = mono_now() + patience;
    MonoTime send_at = mono_now();
    answer_.reset();
    is_hopeless_ = false;
    bool refused = false;
    std::size_t asked = 0;
    answers_ = 0;
    for (MonoTime now = send_at; now < deadline && !worker_.stopped(); now = mono_now()) {
      if (now >= send_at) {
        (void)send_datagram(socket, question_, nullptr);
        send_at = now + kAgain;
        ++asked;
      }
      pollfd waiting{socket.get(), POLLIN, 0};
      const Nanos left = std::min(deadline, send_at) - now;
      (void)::poll(&waiting, 1, static_cast<int>(left / milliseconds(1)) + 1);
      if (take(socket) == -ECONNREFUSED) {
        ++worker_.result().inquiry.refused;
        // The first one may be of a request.
        if (std::exchange(refused, true)) return std::nullopt;
        send_at = now;
      }
      if (is_hopeless_) return std::nullopt;
      if (!answer_) continue;
      await_others(socket, asked);
      return answer_;
    }
    return std::nullopt;
  }
  // Takes in what lies in a socket. How many slots came, or a negative errno value.
  int take(const Descriptor& socket) {
    const int n = batch_.receive(socket);
    for (int i = 0; i < n; ++i) {
      const Received slot = batch_.at(static_cast<std::size_t>(i));
      const std::size_t each = slot.segment_bytes == 0 ? slot.bytes.size() : slot.segment_bytes;
      std::span<const std::byte> rest = slot.bytes;
      while (!rest.empty()) {
        const std::size_t size = std::min(each, rest.size());
        look_at(rest.first(size));
        rest = rest.subspan(size);
      }
    }
    return n;
  }
  // Answers to requests that came in so far.
  [[nodiscard]] std::uint64_t strays() const { return strays_; }

 private:
  // The answers to questions that were repeated too early; they would be noise among those to
  // requests.
  void await_others(const Descriptor& socket, std::size_t asked) {
    const MonoTime deadline = mono_now() + milliseconds(100);
    for (MonoTime now = mono_now(); answers_ < asked && now < deadline; now = mono_now()) {
      pollfd waiting{socket.get(), POLLIN, 0};
      (void)::poll(&waiting, 1, static_cast<int>((deadline - now) / milliseconds(1)) + 1);
      (void)take(socket);
    }
  }

  void look_at(std::span<const std::byte> datagram) {
    const auto frame = read_datagram(datagram);
    if (!frame || frame->session != worker_.session()) return;
    if (frame->kind == FrameKind::socket_counters_ack) {
      answer_ = read_socket_counters(datagram.subspan(kFrameBytes));
      ++answers_;
    }
    // An echo server returns the question itself.
    is_hopeless_ |= frame->kind == FrameKind::socket_counters;
    // An echo server returns requests.
    if (frame->kind < FrameKind::hello) ++strays_;
  }

  Worker& worker_;
  std::vector<std::byte> question_;
  ReceiveBatch batch_;
  std::optional<SocketCounters> answer_;
  std::size_t answers_ = 0;  // to the questions on this flow
  bool is_hopeless_ = false;
  std::uint64_t strays_ = 0;
};

// One of the target's places as all threads together saw it: read first, and read last.
struct Reading {
  SocketCounters before, after;
};

// The difference; none: a counter ran backwards, so it was another target.
std::optional<TargetAccount> difference_of(const Reading& reading) {
  const SocketCounters& a = reading.before;
  const SocketCounters& b = reading.after;
  if (b.taken < a.taken || b.answered < a.answered || b.duplicated < a.duplicated ||
      b.send_errors < a.send_errors || b.kernel_drops < a.kernel_drops || b.dropped < a.dropped ||
      b.discarded < a.discarded || b.ignored < a.ignored)
    return std::nullopt;
  return TargetAccount{.taken = b.taken - a.taken,
                       .answered = b.answered - a.answered,
                       .duplicated = b.duplicated - a.duplicated,
                       .send_errors = b.send_errors - a.send_errors,
                       .socket_drops = b.kernel_drops - a.kernel_drops,
                       .socket_joins = b.joins,
                       .unanswered = {.dropped = b.dropped - a.dropped,
                                      .discarded = b.discarded - a.discarded,
                                      .ignored = b.ignored - a.ignored}};
}

// What the target did with the run; none unless all of its places were heard twice.
std::optional<TargetAccount> account_of(const std::vector<std::unique_ptr<Worker>>& workers,
                                        LossPlaces& places) {
  std::map<std::uint16_t, Reading> readings;
  bool whole = true;
  for (const auto& worker : workers) {
    const LossInquiry& inquiry = worker->result().inquiry;
    if (worker->result().requests_sent > 0) whole = whole && inquiry.complete;
    for (const HeardPlace& heard : inquiry.heard) {
      places.target_places = heard.before.places;
      if (!heard.after) {
        whole = false;
        continue;
      }
      const auto [known, is_new] =
          readings.try_emplace(heard.before.place, Reading{heard.before, *heard.after});
      Reading& reading = known->second;
      if (heard.before.taken < reading.before.taken) reading.before = heard.before;
      if (heard.after->taken > reading.after.taken) reading.after = *heard.after;
    }
  }
  places.target_heard_places = static_cast<std::uint32_t>(readings.size());
  if (!whole || readings.empty()) return std::nullopt;
  TargetAccount sum;
  for (const auto& [place, reading] : readings) {
    const auto one = difference_of(reading);
    if (!one) return std::nullopt;
    sum.taken += one->taken;
    sum.answered += one->answered;
    sum.duplicated += one->duplicated;
    sum.send_errors += one->send_errors;
    sum.socket_drops += one->socket_drops;
    sum.socket_joins |= one->socket_joins;
    sum.unanswered.dropped += one->unanswered.dropped;
    sum.unanswered.discarded += one->unanswered.discarded;
    sum.unanswered.ignored += one->unanswered.ignored;
  }
  return sum;
}

std::uint64_t refusals_of(const RunRecord& record) {
  for (const SocketEvent& event : record.socket_events)
    if (event.kind == ErrorKind::refused) return event.count;
  return 0;
}

}  // namespace

bool has_loss_places(const RunPlan& plan) {
  return plan.protocol == Protocol::udp && plan.workload == Workload::rr;
}

void ask_before(Worker& worker, std::span<const Flow> flows) {
  if (!has_loss_places(worker.plan()) || worker.plan().exchange != ExchangeKind::frame) return;
  constexpr Nanos kPatience = milliseconds(300);
  constexpr Nanos kAltogether = milliseconds(500);
  const MonoTime until = mono_now() + kAltogether;
  LossInquiry& inquiry = worker.result().inquiry;
  Questioner questioner(worker);
  std::size_t asked = 0;
  for (const Flow& flow : flows) {
    if (flow.dead || !flow.socket.is_open()) continue;
    if (++asked > kMostFlowsAsked || mono_now() >= until) return;
    const Nanos patience = std::min(worker.plan().timeout, kPatience);
    const auto said = questioner.ask(flow.socket, patience);
    if (!said) return;  // a stranger, or one that cannot be asked
    const bool known =
        std::any_of(inquiry.heard.begin(), inquiry.heard.end(),
                    [&](const HeardPlace& heard) { return heard.before.place == said->place; });
    if (!known) inquiry.heard.push_back({flow.index, *said, std::nullopt});
    if (inquiry.heard.size() >= said->places) break;
  }
  inquiry.complete = !inquiry.heard.empty();
}

void ask_after(Worker& worker, std::span<const Flow> flows) {
  if (!has_loss_places(worker.plan())) return;
  WorkerResult& result = worker.result();
  for (const Flow& flow : flows) result.requests_sent += flow.next_sequence;
  result.ever_divided = result.offload.divided_sends > 0;
  result.ever_joined = result.offload.joined_receives > 0;
  if (worker.stopped() || worker.plan().exchange != ExchangeKind::frame) return;
  const Nanos patience =
      std::clamp<Nanos>(worker.plan().timeout, milliseconds(300), std::chrono::seconds(1));
  Questioner questioner(worker);
  for (HeardPlace& heard : result.inquiry.heard)
    if (const Flow& flow = flows[heard.flow]; flow.socket.is_open())
      heard.after = questioner.ask(flow.socket, patience);
  constexpr int kMostTakes = 1024;  // of one socket: somebody may send without end
  for (const Flow& flow : flows)
    for (int left = flow.socket.is_open() ? kMostTakes : 0; left > 0; --left)
      if (questioner.take(flow.socket) <= 0) break;
  result.returned.late += questioner.strays();
}

void add_loss_places(RunRecord& record, const Address& peer, const HostDrops& drops,
                     const std::vector<std::unique_ptr<Worker>>& workers) {
  LossFacts facts;
  for (const auto& worker : workers) {
    const WorkerResult& result = worker->result();
    facts.sent += result.requests_sent;
    facts.answered += result.returned.in_time;
    facts.late += result.returned.late;
    facts.duplicates += result.returned.duplicates;
    facts.unreadable += result.returned.unreadable;
    facts.own_socket += result.socket_drops;
    facts.refused += result.inquiry.refused;
    facts.divided |= result.ever_divided;
    facts.joined |= result.ever_joined;
  }
  facts.refused += refusals_of(record);
  facts.same_host = is_here(peer);
  facts.host = drops;
  LossPlaces heard;
  facts.target = account_of(workers, heard);
  LossPlaces places = find_loss_places(facts);
  places.unsent = total(record.counters.unsent);
  places.target_places = heard.target_places;
  places.target_heard_places = heard.target_heard_places;
  record.loss_places = places;
}

}  // namespace volley
