// An exchange says which bytes a request is, and where its answer ends. Workloads know exchanges
// and links, never protocols: a new protocol is one more class with these members.
//
//   encode(outgoing)                 the bytes of a request; valid until the next call
//   sample()                         what the largest request is before it has a number
//   encode(first, n, to)             n requests of one size, numbered on from the first, in a row,
//                                    over copies of the sample
//   recognise(datagram, expected)    what a datagram means (udp)
//   recognise_joined(bytes, size, expected)   what the first of several datagrams of one size
//                                    means, and how many mean the same for the next requests
//   consume(state, bytes, expected, on_answer)   cuts answers out of a stream (tcp): expected() is
//                                    asked for the oldest request in flight, on_answer(answer) says
//                                    whether to go on; false: the stream broke the rules and the
//                                    connection is of no use any more
//   kNamed                           answers name their request; otherwise they come in order, and
//                                    over udp a flow has one request in flight
//
// Everything recognised here comes from a stranger.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generators/engine/outstanding.hpp"
#include "generators/plan/payload.hpp"
#include "generators/plan/plan.hpp"
#include "targets/wire/frame.hpp"

namespace volley {

// A request about to be sent.
struct Outgoing {
  std::uint32_t flow = 0;  // number of the flow within the run
  std::uint32_t slot = 0;
  std::uint64_t sequence = 0;
  std::uint32_t bytes = 0;   // of the whole message
  std::uint64_t cookie = 0;  // proof of our address, for a target that wants it; 0: none
};

// The oldest request in flight of the flow an answer came in on; none: nothing is in flight.
struct Expected {
  std::uint64_t sequence = 0;
  std::uint32_t bytes = 0;
};

struct Answer {
  enum class Verdict : std::uint8_t {
    valid,
    malformed,   // breaks the exchange's rules
    unexpected,  // lacks the text that --expect asks for
    foreign,     // belongs to another run
  };
  Verdict verdict = Verdict::valid;
  bool named = false;  // slot and sequence say which request it answers
  std::uint32_t slot = kNoSlot;
  std::uint64_t sequence = 0;
  std::uint64_t bytes = 0;
  // So many answers of as many bytes, to requests with consecutive numbers in the same slot.
  std::uint32_t count = 1;
};

// What is left over of a stream between two reads.
struct StreamState {
  std::string text;         // bytes of the answer that is not whole yet, as far as they are kept
  std::uint64_t skip = 0;   // payload bytes of the current frame still to come
  std::uint64_t total = 0;  // bytes of the current answer so far
  bool stamped = false;     // the current frame begins with TargetStamps
  std::optional<TargetStamps> stamps;  // of the answer that is whole
  Answer current;
};

// Answers larger than this are refused: no peer can make us keep more.
inline constexpr std::size_t kMostAnswerBytes = std::size_t{16} << 20U;

// Our frames. A plain echo server returns them unchanged; our target turns request into response.
class FrameExchange {
 public:
  static constexpr bool kNamed = true;
  FrameExchange(const RunPlan& plan, std::uint32_t session);

  [[nodiscard]] std::span<const std::byte> encode(const Outgoing& request);
  [[nodiscard]] std::span<const std::byte> sample() const { return buffer_; }
  void encode(const Outgoing& first, std::uint32_t n, std::span<std::byte> to) const;
  [[nodiscard]] Answer recognise(std::span<const std::byte> datagram,
                                 const std::optional<Expected>& expected) const;
  [[nodiscard]] Answer recognise_joined(std::span<const std::byte> joined, std::size_t size,
                                        const std::optional<Expected>& expected) const;

  template <class ExpectedOf, class OnAnswer>
  bool consume(StreamState& state, std::span<const std::byte> bytes, ExpectedOf&& /*expected*/,
               OnAnswer&& on_answer) const {
    while (!bytes.empty()) {
      if (state.skip > 0) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(state.skip, bytes.size()));
        keep_payload(state, bytes.first(n));
        state.skip -= n;
        bytes = bytes.subspan(n);
      } else {
        std::size_t n = 0;
        if (state.text.empty() && bytes.size() >= kFrameBytes) {
          n = kFrameBytes;
          if (!begin_answer(state, bytes.first(kFrameBytes))) return false;
        } else {
          n = std::min(kFrameBytes - state.text.size(), bytes.size());
          state.text.append(reinterpret_cast<const char*>(bytes.data()), n);
          if (state.text.size() < kFrameBytes) return true;
          if (!begin_answer(state, std::as_bytes(std::span(state.text)))) return false;
          state.text.clear();
        }
        bytes = bytes.subspan(n);
      }
      if (state.skip == 0) {
        finish_answer(state);
        if (!on_answer(state.current)) return true;
      }
    }
    return true;
  }

 private:
  bool begin_answer(StreamState& state, std::span<const std::byte> header) const;
  void keep_payload(StreamState& state, std::span<const std::byte> bytes) const;
  void finish_answer(StreamState& state) const;
  void check_expectation(Answer& answer, std::string_view payload) const;
  [[nodiscard]] Answer answer_of(const Frame& frame) const;

  std::vector<std::byte> buffer_;  // prefilled once; only headers change
  std::uint32_t session_;
  std::optional<std::uint32_t> response_size_;
  std::optional<std::string> expect_;
};

// Bare bytes that come back, for messages too small for a header: the first bytes (8 at most) are
// the request's number.
class EchoExchange {
 public:
  static constexpr bool kNamed = false;
  EchoExchange(const RunPlan& plan, std::uint32_t session);
  [[nodiscard]] std::span<const std::byte> encode(const Outgoing& request);
  [[nodiscard]] std::span<const std::byte> sample() const { return buffer_; }
  void encode(const Outgoing& first, std::uint32_t n, std::span<std::byte> to) const;
  [[nodiscard]] Answer recognise(std::span<const std::byte> datagram,
                                 const std::optional<Expected>& expected) const;
  [[nodiscard]] Answer recognise_joined(std::span<const std::byte> joined, std::size_t size,
                                        const std::optional<Expected>& expected) const {
    return recognise(joined.first(size), expected);
  }

  template <class ExpectedOf, class OnAnswer>
  bool consume(StreamState& state, std::span<const std::byte> bytes, ExpectedOf&& expected,
               OnAnswer&& on_answer) const {
    while (!bytes.empty()) {
      const std::optional<Expected> request = expected();
      if (!request) return false;
      const std::size_t n = std::min<std::size_t>(request->bytes - state.text.size(), bytes.size());
      state.text.append(reinterpret_cast<const char*>(bytes.data()), n);
      bytes = bytes.subspan(n);
      if (state.text.size() < request->bytes) return true;
      const std::string whole = std::exchange(state.text, {});
      Answer answer = recognise(std::as_bytes(std::span(whole)), request);
      answer.named = false;
      if (!on_answer(answer)) return true;
    }
    return true;
  }

 private:
  std::vector<std::byte> buffer_;
  std::optional<std::string> expect_;
};

// The user's own request and rule (--request, --reply).
class ScriptedExchange {
 public:
  static constexpr bool kNamed = false;
  ScriptedExchange(const RunPlan& plan, std::uint32_t session);
  [[nodiscard]] std::span<const std::byte> encode(const Outgoing& request) const;
  [[nodiscard]] std::span<const std::byte> sample() const {
    return std::as_bytes(std::span(request_));
  }
  // The sample is the request.
  void encode(const Outgoing& /*first*/, std::uint32_t /*n*/, std::span<std::byte> /*to*/) const {}
  [[nodiscard]] Answer recognise(std::span<const std::byte> datagram,
                                 const std::optional<Expected>& expected) const;
  [[nodiscard]] Answer recognise_joined(std::span<const std::byte> joined, std::size_t size,
                                        const std::optional<Expected>& expected) const {
    return recognise(joined.first(size), expected);
  }
  // The answer that a peer's close ends, when the rule says so.
  [[nodiscard]] std::optional<Answer> at_close(const StreamState& state) const;

  template <class ExpectedOf, class OnAnswer>
  bool consume(StreamState& state, std::span<const std::byte> bytes, ExpectedOf&& expected,
               OnAnswer&& on_answer) const {
    while (!bytes.empty()) {
      if (!expected()) return false;
      const std::optional<std::size_t> used = end_of_answer(state, bytes);
      keep(state, bytes.first(used.value_or(bytes.size())));
      if (!used) return state.text.size() <= kMostAnswerBytes;
      bytes = bytes.subspan(*used);
      const Answer answer = judge(state);
      state.text.clear();
      state.total = 0;
      if (!on_answer(answer)) return true;
    }
    return true;
  }

 private:
  // How many of the new bytes belong to the current answer, when it ends among them.
  [[nodiscard]] std::optional<std::size_t> end_of_answer(const StreamState& state,
                                                         std::span<const std::byte> bytes) const;
  // Remembers what the rule or the expectation will still want to see.
  void keep(StreamState& state, std::span<const std::byte> bytes) const;
  [[nodiscard]] Answer judge(const StreamState& state) const;

  std::string request_;
  ReplyRule reply_;
  std::optional<std::string> expect_;
};

}  // namespace volley
