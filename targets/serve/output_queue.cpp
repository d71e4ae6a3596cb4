#include "targets/serve/output_queue.hpp"

#include <algorithm>

namespace volley {
namespace {
// A connection that was slow once should not hold the memory for ever.
constexpr std::size_t kKeptBytes = 4096;
}  // namespace

void OutputQueue::append(std::span<const std::byte> bytes) {
  if (marks_ && !marks_->empty()) {
    append(bytes, marks_->back().due, std::nullopt);
    return;
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void OutputQueue::append(std::span<const std::byte> bytes, MonoTime due,
                         std::optional<RequestName> ends) {
  if (!marks_) marks_ = std::make_unique<std::deque<Mark>>();
  // Long queues move to the front of their memory before they grow.
  if (begin_ > bytes_.size() / 2) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  // What was queued without a time may leave at any.
  if (marks_->empty() && !empty())
    marks_->push_back({.end = taken_ + size(), .due = MonoTime{}, .request = {}});
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  marks_->push_back({.end = taken_ + size(), .due = due, .request = ends});
}

std::span<const std::byte> OutputQueue::ready(MonoTime now) const {
  const std::span all = std::span(bytes_).subspan(begin_);
  if (!marks_ || marks_->empty()) return all;
  if (marks_->back().due <= now) return all;
  // Due times never decrease, so the first that lies ahead ends what may leave.
  const auto ahead = std::partition_point(marks_->begin(), marks_->end(),
                                          [&](const Mark& mark) { return mark.due <= now; });
  if (ahead == marks_->begin()) return {};
  return all.first(static_cast<std::size_t>(std::prev(ahead)->end - taken_));
}

std::optional<MonoTime> OutputQueue::next_due(MonoTime now) const {
  if (!marks_ || marks_->empty() || marks_->back().due <= now) return std::nullopt;
  const auto ahead = std::partition_point(marks_->begin(), marks_->end(),
                                          [&](const Mark& mark) { return mark.due <= now; });
  return ahead->due;
}

void OutputQueue::reset() {
  begin_ = 0;
  bytes_.clear();
  if (bytes_.capacity() > kKeptBytes) bytes_.shrink_to_fit();
}

}  // namespace volley
