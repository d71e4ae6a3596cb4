#include "targets/serve/udp_sender.hpp"

#include <algorithm>
#include <cerrno>

#include "reports/measure/ensure.hpp"

namespace volley {

UdpSender::UdpSender(const Descriptor& socket, ThreadContext& context, std::size_t slots,
                     bool divides)
    : socket_(socket), context_(context), most_(slots), divides_(divides), batch_(slots) {}

std::span<std::byte> UdpSender::room() {
  if (memory_.empty()) memory_.resize(kMemoryBytes);
  return std::span(memory_).subspan(used_);
}

void UdpSender::note(std::span<const std::byte> bytes, std::size_t each, bool is_control) {
  notes_.push_back({.bytes = bytes.size(), .each = each, .is_control = is_control});
  if (context_.events.on()) names_.emplace_back();
  if (!memory_.empty() && bytes.data() == memory_.data() + used_) used_ += bytes.size();
}

void UdpSender::add(std::span<const std::byte> bytes, const Address& peer,
                    const LocalAddress& local, int ttl, std::size_t each) {
  const bool is_row = each != 0 && each < bytes.size();
  batch_.add(bytes, &peer, &local, ttl, each);
  note(bytes, is_row ? each : 0, false);
}

bool UdpSender::send_at_once(std::span<const std::byte> bytes, const Address& peer) {
  const Address* to = connected_ ? nullptr : &peer;
  int error = send_datagram(socket_, bytes, to);
  // A connected socket tells an earlier datagram's ICMP error so; this one has not been tried.
  if (error == ECONNREFUSED) error = send_datagram(socket_, bytes, to);
  if (error == EAGAIN || error == EINTR) return false;
  ++context_.udp.send_calls;
  if (error != 0) {
    ++context_.udp.send_errors;
    return true;
  }
  ++context_.udp.answered;
  context_.udp.bytes_sent += bytes.size();
  return true;
}

void UdpSender::add_control(std::span<const std::byte> bytes, const Address& peer,
                            const LocalAddress& local) {
  batch_.add(bytes, &peer, &local);
  note(bytes, 0, true);
}

void UdpSender::add(OwnedAnswer answer) {
  leaving_.push_back(std::move(answer));
  OwnedAnswer& kept = leaving_.back();
  const auto frame = read_frame(kept.bytes);
  if (frame && frame->kind == FrameKind::stamped_response) stamp_when_sent(kept.bytes);
  for (unsigned copy = 0; copy < kept.copies; ++copy) {
    add(kept.bytes, kept.request.peer, kept.local, kept.ttl);
    if (context_.events.on()) names_.back() = kept.request;
  }
}

// Right before the call that takes them, or takes as many of them as there is room for.
void UdpSender::stamp() {
  const std::int64_t now = mono_now().time_since_epoch().count();
  for (const std::span<std::byte> answer : to_stamp_) {
    const auto payload = answer.subspan(kFrameBytes);
    auto stamps = read_target_stamps(payload);
    if (!stamps) continue;
    stamps->sent_ns = now;
    write_payload(*stamps, payload);
  }
  to_stamp_.clear();
}

bool UdpSender::flush(MonoTime now) {
  if (!to_stamp_.empty()) stamp();
  while (sent_ < batch_.size()) {
    const bool singly = notes_[sent_].each != 0 && !divides_;
    const int n = singly ? send_singly() : batch_.send(socket_, sent_);
    if (n == -EAGAIN) return false;
    ++context_.udp.send_calls;
    if (n == -EINTR) continue;
    if (n < 0) refuse(-n);
    if (n > 0 && !singly) note_sent(static_cast<std::size_t>(n), now);
  }
  batch_.clear();
  notes_.clear();
  names_.clear();
  leaving_.clear();
  sent_ = 0;
  used_ = 0;
  return true;
}

int UdpSender::send_singly() {
  const Note& row = notes_[sent_];
  const int n = batch_.send_singly(socket_, sent_, sent_of_slot_);
  if (n <= 0) return n;
  const std::size_t before = sent_of_slot_;
  sent_of_slot_ = std::min(row.bytes, before + static_cast<std::size_t>(n) * row.each);
  context_.udp.bytes_sent += sent_of_slot_ - before;
  context_.udp.answered += static_cast<std::uint64_t>(n);
  if (sent_of_slot_ == row.bytes) {
    ++sent_;
    sent_of_slot_ = 0;
  }
  return n;
}

void UdpSender::refuse(int error) {
  const Note& refused = notes_[sent_];
  if (refused.each != 0 && divides_ && refuses_division(error)) {
    divides_ = false;
    context_.shared.note("udp: the kernel does not divide answers here (" + error_text(error) +
                         "); they leave one by one");
    return;
  }
  // The kernel refuses this one; the others may still leave.
  if (refused.each != 0 && !divides_) {
    ++context_.udp.send_errors;
    sent_of_slot_ += refused.each;
    if (sent_of_slot_ < refused.bytes) return;
  } else {
    context_.udp.send_errors += refused.datagrams();
  }
  ++sent_;
  sent_of_slot_ = 0;
}

void UdpSender::note_sent(std::size_t count, MonoTime now) {
  for (std::size_t i = sent_; i < sent_ + count; ++i) {
    const Note& one = notes_[i];
    context_.udp.bytes_sent += one.bytes;
    if (one.is_control) {
      ++context_.udp.control_answered;
      continue;
    }
    const std::size_t datagrams = one.datagrams();
    context_.udp.answered += datagrams;
    if (one.each != 0) {
      context_.udp.divided += datagrams;
      ++context_.udp.divided_sends;
    }
    if (context_.events.on()) context_.events.write(now, names_[i], Event::answered);
  }
  sent_ += count;
}

}  // namespace volley
