#include "generators/engine/hold_opening.hpp"

#include <algorithm>
#include <cerrno>

#include "generators/engine/host.hpp"
#include "generators/plan/schedule.hpp"

namespace volley {
namespace {

// The next connection will not fare better.
bool is_used_up(int error) { return error == EMFILE || error == ENFILE || error == EADDRNOTAVAIL; }

std::optional<PortRange> machine_range() {
  const auto text = read_fact("/proc/sys/net/ipv4/ip_local_port_range");
  return text ? parse_port_range(*text) : std::nullopt;
}

}  // namespace

HoldOpening::HoldOpening(Worker& worker, std::span<HeldFlow> flows)
    : worker_(worker),
      flows_(flows),
      ports_(machine_range(), seeded(worker.session(), worker.index())) {}

void HoldOpening::open_all(const OnEvent& on_event) {
  HoldResult& result = *worker_.result().hold;
  result.opening_began = mono_now();
  const MonoTime end = result.opening_began + kBase + kEach * flows_.size();
  while ((next_ < flows_.size() || opening_ > 0) && !worker_.stopped()) {
    for (std::uint32_t n = 0; n < kMostPerTurn && next_ < flows_.size() && opening_ < kMostOpening;
         ++n)
      start(next_++);
    const MonoTime now = mono_now();
    expire(now);
    if (now >= end) {
      give_up_rest(ETIMEDOUT);
      for (const Pending& pending : pending_)
        if (flows_[pending.index].state == HeldFlow::State::opening)
          failed(pending.index, ETIMEDOUT);
    }
    if (opening_ > 0) wait(on_event);
  }
  result.opening_ended = mono_now();
}

// errno of socket and connect.
int HoldOpening::connect(std::uint32_t index) {
  HeldFlow& flow = flows_[index];
  const Protocol protocol = worker_.plan().protocol;
  int error = open_socket(protocol, worker_.peer().family(), flow.socket);
  if (error == 0) error = apply(worker_.plan().socket, protocol, flow.socket);
  if (error == 0 && worker_.plan().source)
    error = bind_source(flow.socket, worker_.plan().source->at(worker_.flow_number(index)));
  if (error != 0) return error;
  if (!worker_.result().buffers) worker_.result().buffers = buffer_sizes(flow.socket);
  if (protocol == Protocol::tcp) return ports_.connect(flow.socket, worker_.peer());
  error = start_connect(flow.socket, worker_.peer());
  // What the kernel says when it finds no free port for a datagram socket.
  return error == EAGAIN ? EADDRNOTAVAIL : error;
}

void HoldOpening::start(std::uint32_t index) {
  HeldFlow& flow = flows_[index];
  const MonoTime since = mono_now();
  int error = connect(index);
  const bool decided = error != EINPROGRESS;
  if (error == 0 || !decided) {
    flow.state = HeldFlow::State::opening;
    ++opening_;
    const int watched = worker_.poller().add(flow.socket.get(), index, decided, !decided);
    error = watched != 0 ? watched : error;
  }
  if (error == 0) {
    opened(index);
    if (worker_.plan().protocol == Protocol::tcp)
      worker_.recorder().on_connected(true, since, mono_now());
  } else if (error == EINPROGRESS) {
    pending_.push_back({index, since});
  } else {
    failed(index, error);
    if (is_used_up(error)) give_up_rest(error);
  }
}

void HoldOpening::opened(std::uint32_t index) {
  flows_[index].state = HeldFlow::State::open;
  --opening_;
  ++worker_.result().flows_opened;
  worker_.note_connected(flows_[index].socket);
}

void HoldOpening::failed(std::uint32_t index, int error) {
  HeldFlow& flow = flows_[index];
  if (flow.state == HeldFlow::State::opening) --opening_;
  flow.state = HeldFlow::State::dead;
  worker_.poller().forget(flow.socket.get());
  flow.socket.close();
  worker_.note_set_up_failure(error, "cannot open a connection");
  ++worker_.result().hold->failed[static_cast<std::size_t>(error_kind_of(error))];
}

void HoldOpening::give_up_rest(int error) {
  for (; next_ < flows_.size(); ++next_) failed(next_, error);
}

void HoldOpening::expire(MonoTime now) {
  while (!pending_.empty()) {
    const Pending first = pending_.front();
    const bool waits = flows_[first.index].state == HeldFlow::State::opening;
    if (waits && first.since + worker_.plan().timeout > now) return;
    pending_.pop_front();
    if (waits) failed(first.index, ETIMEDOUT);
  }
}

void HoldOpening::wait(const OnEvent& on_event) {
  constexpr Nanos kSlice = std::chrono::milliseconds(100);
  // With room for more there is no time to wait: only a look.
  const bool full = opening_ >= kMostOpening || next_ == flows_.size();
  Nanos patience = full ? kSlice : Nanos(0);
  if (full && !pending_.empty())
    patience = std::clamp<Nanos>(pending_.front().since + worker_.plan().timeout - mono_now(),
                                 Nanos(0), kSlice);
  const auto events = worker_.poller().wait(patience);
  const MonoTime now = mono_now();
  for (const Ready& ready : events) {
    if (ready.tag >= flows_.size()) continue;
    const auto index = static_cast<std::uint32_t>(ready.tag);
    HeldFlow& flow = flows_[index];
    if (flow.state == HeldFlow::State::open)
      on_event(index, ready);
    else if (flow.state == HeldFlow::State::opening)
      conclude(index, now);
  }
}

// A connection that was being made stands, or has failed.
void HoldOpening::conclude(std::uint32_t index, MonoTime now) {
  HeldFlow& flow = flows_[index];
  int error = socket_error(flow.socket);
  if (error == 0) error = worker_.poller().change(flow.socket.get(), index, true, false);
  if (error != 0) {
    failed(index, error);
    return;
  }
  opened(index);
  const auto begun = std::find_if(pending_.begin(), pending_.end(),
                                  [&](const Pending& p) { return p.index == index; });
  if (begun != pending_.end()) worker_.recorder().on_connected(true, begun->since, now);
}

}  // namespace volley
