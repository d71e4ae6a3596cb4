#include "reports/measure/loss_places.hpp"

#include <algorithm>

namespace volley {
namespace {

using Count = std::optional<std::uint64_t>;

constexpr std::uint64_t kMostJoined = 64;  // datagrams that the kernel joins into one

constexpr std::array<LossSiteName, kLossSites> kNames{{
    {"qdisc", "in a queue of this host"},
    {"device", "in an interface of this host"},
    {"backlog", "in a backlog of this host"},
    {"no_port", "where nobody listens"},
    {"target_socket", "in the target's socket"},
    {"network", "in the network on the way there"},
    {"target_application", "in the target itself"},
    {"target_kernel", "in the target's kernel, which refused to send"},
    {"network", "in the network on the way back"},
    {"backlog", "in a backlog of this host on the way back"},
    {"unreadable", "by damage on the way back"},
    {"own_socket", "in the generator's own sockets"},
}};

std::uint64_t less(std::uint64_t from, std::uint64_t what) { return from - std::min(from, what); }

// Hands out what was lost, place by place: never more than there is.
class Account {
 public:
  Account(LossPlaces& places, std::uint64_t missing) : places_(places), left_(missing) {}

  [[nodiscard]] std::uint64_t left() const { return left_; }
  // So many of one way's loss, `way`, were lost there.
  void put(LossSite site, std::uint64_t n, std::uint64_t& way) {
    n = std::min({n, way, left_});
    way -= n;
    left_ -= n;
    places_.at(site) = places_.at(site).value_or(0) + n;
  }
  // The same of a counter that may count up to 64 datagrams as one (`joined`): then what is left
  // of the way fits it as well.
  void put_counted(LossSite site, const Count& drops, bool joined, std::uint64_t& way) {
    if (!drops) return;
    const bool fits = joined && way > *drops && (way - 1) / kMostJoined + 1 <= *drops;
    places_.in_super_packets |= fits;
    put(site, fits ? way : *drops, way);
  }

 private:
  LossPlaces& places_;
  std::uint64_t left_;
};

// With the target's counters each way has its loss, and the network is what is left of it.
void account_by_target(Account& account, const LossFacts& facts, const TargetAccount& target) {
  std::uint64_t there = less(facts.sent, target.taken);
  account.put_counted(LossSite::qdisc, facts.host.qdisc, facts.divided, there);
  account.put_counted(LossSite::device, facts.host.device, facts.divided, there);
  account.put_counted(LossSite::target_socket, target.socket_drops,
                      facts.divided && target.socket_joins, there);
  std::uint64_t backlog = facts.host.backlog.value_or(0);
  if (facts.same_host && facts.host.backlog) {
    const std::uint64_t before = there;
    account.put_counted(LossSite::backlog, backlog, facts.divided, there);
    backlog = less(backlog, before - there);
  }
  account.put(LossSite::no_port, 0, there);
  account.put(LossSite::forward_network, there, there);

  std::uint64_t unsent = target.send_errors;
  std::uint64_t unanswered =
      less(target.taken + target.duplicated, target.answered + target.send_errors);
  account.put(LossSite::target_application, unanswered, unanswered);
  account.put(LossSite::target_kernel, unsent, unsent);

  const std::uint64_t came = facts.answered + facts.late + facts.duplicates + facts.unreadable;
  std::uint64_t back = less(target.answered, came);
  account.put_counted(LossSite::own_socket, facts.own_socket, facts.joined, back);
  if (facts.host.backlog) account.put_counted(LossSite::own_backlog, backlog, facts.joined, back);
  account.put(LossSite::backward_network, back, back);
}

// Without them only what was counted on this host is known.
void account_without_target(Account& account, const LossFacts& facts) {
  std::uint64_t any = account.left();
  account.put_counted(LossSite::qdisc, facts.host.qdisc, false, any);
  account.put_counted(LossSite::device, facts.host.device, false, any);
  account.put(LossSite::own_socket, facts.own_socket, any);
  const bool silent = facts.answered + facts.late + facts.duplicates + facts.unreadable == 0;
  // ICMP messages are few by intent. But when one came, and never an answer, the port was closed.
  if (silent && facts.refused > 0)
    account.put(LossSite::no_port, any, any);
  else if (facts.same_host && facts.host.no_ports)
    account.put(LossSite::no_port, *facts.host.no_ports, any);
  else
    account.put(LossSite::no_port, facts.refused, any);
}

}  // namespace

const LossSiteName& name_of(LossSite site) { return kNames[static_cast<std::size_t>(site)]; }

LossPlaces find_loss_places(const LossFacts& facts) {
  LossPlaces places;
  places.sent = facts.sent;
  places.answered = std::min(facts.sent, facts.answered);
  places.lost = places.sent - places.answered;
  places.late = std::min(places.lost, facts.late);
  places.bounded = facts.duplicates > 0;
  Account account(places, places.lost - places.late);
  std::uint64_t unreadable = facts.unreadable;
  account.put(LossSite::unreadable, unreadable, unreadable);
  if (facts.target) {
    places.other_traffic = facts.target->taken > facts.sent;
    places.target_heard = !places.other_traffic;
    places.bounded |= facts.target->duplicated > 0;
    if (places.target_heard) places.unanswered = facts.target->unanswered;
  }
  if (places.target_heard)
    account_by_target(account, facts, *facts.target);
  else
    account_without_target(account, facts);
  places.unattributed = account.left();
  return places;
}

}  // namespace volley
