#include "generators/engine/stamper.hpp"

#include <algorithm>

#include "generators/plan/schedule.hpp"
#include "targets/wire/stamps.hpp"

namespace volley {
namespace {

// The two clocks are read one after the other, and the best of a few tries taken; what they differ
// by more from one time to the next is no error of reading.
constexpr Nanos kStep = std::chrono::microseconds(20);

}  // namespace

Stamper::Stamper(std::uint64_t seed, Nanos timeout) : seed_(seed), timeout_(timeout) {}

std::optional<std::uint32_t> Stamper::choose_one(MonoTime now, std::uint32_t n) {
  const std::uint64_t random = seeded(seed_, chosen_++);
  // Half a gap to one and a half, so that no regular load falls in step.
  const auto part = static_cast<std::int64_t>(random % 1024);
  next_ = now + gap_ / 2 + gap_ * part / 1024;
  return static_cast<std::uint32_t>((random >> 32U) % n);
}

void Stamper::ask(std::span<std::byte> request) {
  auto frame = read_frame(request);
  if (!frame) return;
  frame->kind = FrameKind::stamped_request;
  write_frame(*frame, request);
}

void Stamper::on_sent(Flow& flow, const Asked& asked, bool kernel) {
  while (!pending_.empty() && asked.sent - pending_.front().asked.sent > timeout_)
    pending_.pop_front();
  pending_.push_back({asked, flow.index, flow.stamps_asked, std::nullopt});
  if (asked.measured) ++result_.notes.asked;
  if (!kernel) return;
  ++flow.stamps_asked;
  // Where nothing queues before the device the stamp is there when the call returns.
  take_send_stamps(flow);
}

void Stamper::take_send_stamps(const Flow& flow) {
  while (const auto stamp = take_send_stamp(flow.socket)) {
    const auto its = std::find_if(pending_.rbegin(), pending_.rend(), [&](const Pending& p) {
      return p.flow == flow.index && p.number == stamp->number;
    });
    if (its != pending_.rend()) its->kernel_sent = converted(stamp->time);
  }
}

void Stamper::on_datagram(const Flow& flow, std::span<const std::byte> datagram, Nanos kernel_time,
                          MonoTime received) {
  const auto frame = read_datagram(datagram);
  if (!frame || frame->kind != FrameKind::stamped_response) return;
  if (const auto stamps = read_target_stamps(datagram.subspan(kFrameBytes)))
    on_stamps(flow, frame->slot, frame->sequence, *stamps, kernel_time, received);
}

void Stamper::on_stamps(const Flow& flow, std::uint32_t slot, std::uint64_t sequence,
                        const TargetStamps& stamps, Nanos kernel_time, MonoTime received) {
  const auto its = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) {
    return p.flow == flow.index && p.asked.slot == slot && p.asked.sequence == sequence;
  });
  if (its == pending_.end() || received - its->asked.sent > timeout_) return;
  if (its->asked.measured) {
    StampedRequest sample{.intended = its->asked.intended,
                          .sent = its->asked.sent,
                          .received = received,
                          .kernel_sent = its->kernel_sent,
                          .kernel_received = {},
                          .target_kernel_received = {},
                          .target_received = MonoTime(Nanos(stamps.received_ns)),
                          .target_sent = MonoTime(Nanos(stamps.sent_ns))};
    if (kernel_time != Nanos(0)) sample.kernel_received = converted(kernel_time);
    if (stamps.kernel_received_ns != 0)
      sample.target_kernel_received = MonoTime(Nanos(stamps.kernel_received_ns));
    keep(sample);
  }
  pending_.erase(its);
}

MonoTime Stamper::converted(Nanos wall) {
  const WallOffset offset = wall_offset();
  least_ahead_ = std::min(least_ahead_.value_or(offset.ahead), offset.ahead);
  most_ahead_ = std::max(most_ahead_.value_or(offset.ahead), offset.ahead);
  StampingNotes& notes = result_.notes;
  notes.conversion_error = std::max(notes.conversion_error, offset.error);
  notes.clock_stepped = *most_ahead_ - *least_ahead_ > kStep + 2 * notes.conversion_error;
  return MonoTime(wall - offset.ahead);
}

void Stamper::keep(const StampedRequest& sample) {
  std::vector<StampedRequest>& samples = result_.samples;
  if (samples.size() == kMostSamples) {
    for (std::size_t i = 1; i < kMostSamples / 2; ++i) samples[i] = samples[2 * i];
    samples.resize(kMostSamples / 2);
    gap_ *= 2;
  }
  samples.push_back(sample);
}

void add_delays(RunRecord& record, const std::vector<std::unique_ptr<Worker>>& workers) {
  std::vector<StampedRequest> samples;
  StampingNotes notes;
  for (const auto& worker : workers) {
    const auto& stamping = worker->result().stamping;
    if (!stamping) continue;
    samples.insert(samples.end(), stamping->samples.begin(), stamping->samples.end());
    notes.asked += stamping->notes.asked;
    notes.conversion_error = std::max(notes.conversion_error, stamping->notes.conversion_error);
    notes.clock_stepped = notes.clock_stepped || stamping->notes.clock_stepped;
  }
  record.delay_by_place = delays_by_place(samples, notes);
}

}  // namespace volley
