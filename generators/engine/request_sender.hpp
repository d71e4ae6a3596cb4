// How the requests of rr leave: numbered, laid out one behind the other, handed to the kernel with
// one call, and into the book what of them has gone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "generators/engine/ledger.hpp"
#include "generators/engine/link.hpp"
#include "generators/engine/message_batch.hpp"
#include "generators/engine/stamper.hpp"
#include "generators/engine/worker.hpp"

namespace volley {

// Link: UdpLink or TcpLink. All that it is given must outlive it.
template <class Link, class Exchange>
class RequestSender {
 public:
  // `stamper`: none where no request is stamped.
  RequestSender(Worker& worker, Link& link, Exchange& exchange, Ledger& ledger, Stamper* stamper)
      : worker_(worker),
        plan_(worker.plan()),
        link_(link),
        exchange_(exchange),
        ledger_(ledger),
        stamper_(stamper),
        sizes_(plan_.sizes, plan_.seed),
        messages_(plan_.batch, exchange.sample(), plan_.sizes.size() == 1) {}

  // With one call, at most.
  [[nodiscard]] std::uint32_t most() const { return messages_.most(); }
  // How many requests the flow may put in flight with one call.
  [[nodiscard]] std::uint32_t room_of(const Flow& flow) const {
    if (!plan_.depth) return messages_.most();
    const std::uint32_t in_flight = ledger_.batches().waiting_of(flow.index);
    return std::min(messages_.most(), *plan_.depth - std::min(*plan_.depth, in_flight));
  }

  struct Gone {
    std::uint32_t count = 0;  // of the dues, from the first on; the one that failed included
    bool blocked = false;     // the socket takes no more at present
    std::optional<ErrorKind> failure{};
  };
  // Sends the first of `dues` (one phase, at most room_of) with one call.
  Gone send(Flow& flow, std::span<const Due> dues) {
    lay_out(flow, static_cast<std::uint32_t>(dues.size()));
    const std::uint32_t slot = ledger_.next_slot();
    const std::uint64_t first = flow.next_sequence;
    const MonoTime now = mono_now();
    const auto stamped = stamper_ != nullptr ? stamper_->choose(now, messages_.count()) : kNone;
    if (stamped) Stamper::ask(messages_.at(*stamped));
    const BatchResult result =
        stamped ? link_.send_stamped(flow, messages_, *stamped) : link_.send(flow, messages_);
    worker_.note_sent(now);
    if (result.sent > 0) {
      std::uint64_t bytes = 0;
      for (const std::uint32_t size : messages_.sizes().first(result.sent)) bytes += size;
      ledger_.on_sent(flow, dues.first(result.sent), now, bytes);
    }
    if (stamped && *stamped < result.sent)
      stamper_->on_sent(flow,
                        {.slot = slot,
                         .sequence = first + *stamped,
                         .intended = dues[*stamped].intended,
                         .sent = now,
                         .measured = dues[*stamped].measured},
                        link_.stamps());
    if (result.what == Sent::whole) return {.count = result.sent};
    if (result.what == Sent::blocked) return {.count = result.sent, .blocked = true};
    const ErrorKind kind = error_kind_of(result.error);
    worker_.recorder().on_unsent(dues[result.sent].measured, kind);
    return {.count = result.sent + 1, .failure = kind};
  }

 private:
  static constexpr std::optional<std::uint32_t> kNone{};

  void lay_out(const Flow& flow, std::uint32_t n) {
    messages_.clear();
    Outgoing next{flow.number, ledger_.next_slot(), flow.next_sequence, 0, flow.cookie};
    const std::uint32_t together = messages_.one_size() ? n : 1;
    for (std::uint32_t i = 0; i < n; i += together, next.sequence += together) {
      next.bytes = sizes_.size_of(flow.number, next.sequence);
      exchange_.encode(next, together, messages_.add(next.bytes, together));
    }
  }

  Worker& worker_;
  const RunPlan& plan_;
  Link& link_;
  Exchange& exchange_;
  Ledger& ledger_;
  Stamper* stamper_;
  SizeChooser sizes_;
  MessageBatch messages_;
};

}  // namespace volley
