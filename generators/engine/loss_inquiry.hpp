// What a thread keeps to find out where its requests were lost: how many answers came, and what the
// target's sockets said of themselves before and after.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "targets/wire/frame.hpp"

namespace volley {

// Answers to requests of both phases.
struct ReturnedAnswers {
  std::uint64_t in_time = 0;     // first copies
  std::uint64_t late = 0;        // first copies, after the timeout
  std::uint64_t duplicates = 0;  // further copies
  std::uint64_t unreadable = 0;  // what came and was nobody's answer
};

// One of the target's sockets, and the flow that reaches it.
struct HeardPlace {
  std::uint32_t flow = 0;  // index within the thread
  SocketCounters before;
  std::optional<SocketCounters> after;  // none: not heard again
};

struct LossInquiry {
  std::vector<HeardPlace> heard;
  std::uint64_t refused = 0;  // questions to which the answer was that nobody listens
  bool complete = false;      // every socket that the flows can reach has been heard
};

}  // namespace volley
