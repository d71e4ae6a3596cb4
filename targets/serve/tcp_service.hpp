// The TCP side of one thread: its listeners and the connections they accepted.
//
// tcp_accept.cpp takes connections in, tcp_service.cpp reads, writes, closes and keeps the limits;
// what bytes mean is the business of tcp_session.cpp, --one-peer that of tcp_one_peer.cpp. A
// connection is not read while an answer of its is unsent, so a peer that never reads costs at most
// one read's worth of memory (64 KiB, or 512 where it has streamed fast), and after --idle-timeout
// nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <vector>

#include "targets/serve/connection.hpp"
#include "targets/serve/context.hpp"

namespace volley {

class TcpService {
 public:
  explicit TcpService(ThreadContext& context);
  TcpService(const TcpService&) = delete;
  TcpService& operator=(const TcpService&) = delete;

  // Throws RunError (too_many_files).
  void add_listener(Descriptor listener);
  void on_listener(std::uint32_t index, MonoTime now);
  void on_connection(const Ready& ready, MonoTime now);
  // Serves a connection that another thread has accepted, and has counted.
  void adopt(Descriptor socket, const Address& peer, MonoTime now);
  // For a thread that spins: reads its connections without asking the poller, each up to `times`
  // until something comes, as long as they are few and something has come lately. How many calls it
  // made.
  unsigned try_receive(unsigned times);
  // --one-peer: whether its connection is the place where the thread waits from now on
  // (receive_next). Asked between two turns, since the listeners are closed when it comes to that.
  [[nodiscard]] bool waits_in_receive();
  // Waits for the next bytes of that connection and serves them; at most kPatience.
  void receive_next();
  // How many connections are open.
  [[nodiscard]] std::size_t open() const { return connections_.size() - free_.size(); }
  // Whether one waits until its socket takes more, which only the poller tells.
  [[nodiscard]] bool waits_to_write() const { return writing_ != 0; }
  void on_time(MonoTime now);
  [[nodiscard]] std::optional<MonoTime> next_due() const;
  void finish();
  // After it nothing else is asked.
  void close_all() { connections_.clear(); }

 private:
  static constexpr std::size_t kReadBytes = std::size_t{64} << 10U;
  static constexpr std::size_t kChunkBytes = std::size_t{64} << 10U;   // a piece to send, per turn
  static constexpr std::size_t kMostQueued = std::size_t{1} << 20U;    // answers that are not due
  static constexpr std::size_t kSmallAnswer = std::size_t{16} << 10U;  // sized, queued whole
  static constexpr std::uint32_t kSourceMessage = 1400 - kFrameBytes;
  // --discard: less is copied sooner than a call of its own is made for it.
  static constexpr std::size_t kLeastDiscarded = std::size_t{16} << 10U;
  static constexpr std::size_t kMostDiscarded = std::size_t{1} << 20U;
  static constexpr int kAcceptsPerTurn = 64;
  static constexpr std::uint8_t kShortReads = 16;  // in a row, before it is told once of each
  static constexpr ssize_t kNothing = -2;
  static constexpr MonoTime kThisTurn = MonoTime::max();  // active since on_time() was called last
  static constexpr std::size_t kMostTried = 8;  // connections that try_receive() reads in turn
  static constexpr unsigned kTries = 1024;      // until it is better to ask the poller
  // --one-peer: after so many reads in a row that brought whole requests of the only connection.
  static constexpr unsigned kInARow = 64;
  static constexpr Nanos kPatience = std::chrono::milliseconds(250);
  static constexpr Nanos kAcceptPause = std::chrono::milliseconds(100);
  // How long a source waits for a hello before it streams to a peer that says nothing.
  static constexpr Nanos kSourceGrace = std::chrono::milliseconds(50);

  // tcp_accept.cpp (with what is public of it: add_listener, on_listener, adopt).
  void deal(Descriptor socket, const Address& peer, MonoTime now);
  [[nodiscard]] unsigned thread_for(const Descriptor& accepted);
  void pause_accepting(int error, MonoTime now);
  void resume_accepting();

  // tcp_service.cpp: connections and their sockets. Where a bool is returned, false says that the
  // connection is gone.
  bool read(Connection& c, MonoTime now);
  bool read_on(Connection& c, MonoTime now);
  ssize_t receive(Connection& c, int flags);
  void gather(Connection& c, std::size_t came);
  [[nodiscard]] bool is_discarded(const Connection& c) const;
  [[nodiscard]] std::size_t most_to_discard(const Connection& c) const;
  [[nodiscard]] std::size_t most_to_read(const Connection& c) const;
  bool take_received(Connection& c, ssize_t n, MonoTime now);
  bool write(Connection& c, MonoTime now);
  std::optional<std::size_t> send_some(Connection& c, std::span<const std::byte> bytes);
  bool send_at_once(Connection& c, std::span<const std::byte> bytes);
  bool send_scratch(Connection& c);
  [[nodiscard]] static bool is_at_rest(const Connection& c);
  void settle(Connection& c, MonoTime now);
  bool take_waiting(Connection& c, MonoTime now);
  bool end_if_done(Connection& c);
  void update_interest(Connection& c, MonoTime now);
  void count_short_read(Connection& c, bool is_one);
  void set_interest(Connection& c, bool reads, bool writes);
  void arm_timer(Connection& c, MonoTime at);
  void on_timer(Connection& c, MonoTime now);
  void close(Connection& c);
  bool fail(Connection& c, std::uint64_t TargetTcpCounters::*reason);
  void touch(Connection& c);
  void unlink(Connection& c);
  [[nodiscard]] Connection* find(std::uint32_t index, std::uint32_t generation);

  // tcp_one_peer.cpp (with waits_in_receive, receive_next).
  // After a read: whether it brought whole requests and nothing else.
  void count_in_a_row(bool whole_requests);
  bool keep_to(Connection& c);

  // tcp_session.cpp: what bytes mean.
  // Turns the whole requests at the beginning of `input` into their answers. How many bytes.
  std::size_t answer_in_place(Connection& c, std::span<std::byte> input, MonoTime now);
  // Takes input; what cannot be taken yet is left in c.unread. False: the peer is hostile.
  bool take(Connection& c, std::span<const std::byte> input, MonoTime now);
  void take_end(Connection& c, MonoTime now);
  void choose_speech(Connection& c, std::span<const std::byte> input);
  void take_plain(Connection& c, std::span<const std::byte> input, MonoTime now);
  // How many bytes of input were taken; 0: more are needed. None: hostile.
  std::optional<std::size_t> take_frame(Connection& c, std::span<const std::byte> input,
                                        MonoTime now);
  std::size_t take_payload(Connection& c, std::span<const std::byte> input);
  bool take_head(Connection& c, std::span<const std::byte> payload, MonoTime now);
  void start_answer(Connection& c, std::uint32_t payload_bytes, MonoTime now);
  void answer_stamps(Connection& c, MonoTime arrived);
  void answer_sized(Connection& c, std::uint32_t response_bytes, MonoTime now);
  void count_data(Connection& c, MonoTime now);
  void take_control(Connection& c, const Frame& frame);
  void answer_control(Connection& c);
  void start_stream(Connection& c, std::uint32_t session, std::uint16_t flow,
                    std::uint32_t message_bytes);
  void refill(Connection& c);
  void answer(Connection& c, std::span<const std::byte> bytes, bool ends);
  [[nodiscard]] bool is_full(const Connection& c) const;
  [[nodiscard]] bool echoes() const;
  [[nodiscard]] bool accepts(SessionKind kind) const;

  ThreadContext& context_;
  bool shaped_;  // answers wait for their time, or are logged
  std::vector<Descriptor> listeners_;
  std::optional<MonoTime> accept_again_at_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::uint32_t> free_;
  unsigned tries_left_ = 0;
  std::size_t writing_ = 0;             // connections that wait to write
  bool discards_now_ = false;           // what receive() brought is gone
  bool filled_ = false;                 // receive() brought all it asked for
  unsigned in_a_row_ = 0;               // --one-peer, and nothing else open
  std::uint32_t kept_ = kNoConnection;  // the one peer's, whose receive calls may wait
  std::uint32_t next_generation_ = 1;
  std::uint64_t next_ordinal_ = 1;
  std::uint32_t oldest_ = kNoConnection;
  std::uint32_t newest_ = kNoConnection;

  struct Timer {
    MonoTime at;
    std::uint32_t index;
    std::uint32_t generation;
    bool operator>(const Timer& other) const { return at > other.at; }
  };
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;

  std::vector<std::byte> input_;    // one read, behind the unread head of its connection
  std::vector<std::byte> scratch_;  // answers to it, sent together
  std::vector<std::byte> chunk_;    // a piece of a stream
  std::vector<std::byte> filler_;   // a piece of a sized response
};

}  // namespace volley
