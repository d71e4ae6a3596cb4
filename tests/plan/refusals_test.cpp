// What a plan refuses, and in which words.
#include "generators/plan/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "generators/plan/payload.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"
#include "tests/plan/plan_for_tests.hpp"

namespace volley {
namespace {

using namespace tests;
using namespace std::chrono_literals;

struct Refusal {
  const char* name;
  Change change;
  const char* text;
};

const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> all{
      {"fewer flows than threads", [](RunOptions& o) { o.flows = 2, o.threads = 4; },
       "--flows 2, --threads 4: each thread needs a flow; use --threads 2 or --flows 4 or more"},
      {"no threads", [](RunOptions& o) { o.threads = 0; },
       "--threads 0: somebody has to do the work; use --threads 1 or more"},
      {"no flows", [](RunOptions& o) { o.flows = 0; },
       "--flows 0: nothing would be sent; use --flows 1 or more"},
      {"no depth", [](RunOptions& o) { o.depth = 0; },
       "--depth 0: nothing would ever be in flight; use --depth 1 or more"},
      {"connect over udp", [](RunOptions& o) { o.workload = Workload::connect; },
       "--workload connect: udp has no connection to set up; use tcp, or --workload crr, which "
       "takes a new udp socket for every request"},
      {"stream down over udp",
       [](RunOptions& o) { o.workload = Workload::stream, o.direction = Direction::down; },
       "--direction down: a UDP source would send to an address that has not been proved; use tcp, "
       "or --direction up"},
      {"stream both over udp",
       [](RunOptions& o) { o.workload = Workload::stream, o.direction = Direction::both; },
       "--direction both: a UDP source would send to an address that has not been proved; use tcp, "
       "or --direction up"},
      {"a direction without a stream", [](RunOptions& o) { o.direction = Direction::down; },
       "--direction down: only a stream has a direction (--workload rr); use --workload stream, or "
       "leave out --direction"},
      {"reply close with rr",
       [](RunOptions& o) { tcp(o), o.request = "x", o.reply = reply(ReplyRule::Kind::close); },
       "--reply close: --workload rr keeps its connection, so an answer cannot end with the "
       "connection; use --workload crr, or --reply length:N or until:TEXT"},
      {"reply any over tcp",
       [](RunOptions& o) { tcp(o), o.request = "x", o.reply = reply(ReplyRule::Kind::any); },
       "--reply any: tcp is a stream of bytes, in which no datagram marks the end of an answer; "
       "use "
       "--reply length:N, until:TEXT or (with --workload crr) close"},
      {"reply close over udp",
       [](RunOptions& o) {
         o.request = "x", o.reply = reply(ReplyRule::Kind::close), o.workload = Workload::crr;
       },
       "--reply close: udp has no connection that a server could close; use --reply any, or tcp"},
      {"reply without request", [](RunOptions& o) { o.reply = reply(ReplyRule::Kind::any); },
       "--reply: it says where the answer to --request ends, and there is no --request; add "
       "--request TEXT, or leave out --reply"},
      {"request without reply over udp", [](RunOptions& o) { o.request = "x"; },
       "--request: nothing says where its answer ends; add --reply any (one datagram), length:N or "
       "until:TEXT"},
      {"request without reply over tcp", [](RunOptions& o) { tcp(o), o.request = "x"; },
       "--request: nothing says where its answer ends; add --reply length:N, until:TEXT or (with "
       "--workload crr) close"},
      {"expect without request", [](RunOptions& o) { o.expect = "PONG"; },
       "--expect: it looks into the answer to --request, and there is no --request; add --request "
       "TEXT and --reply, or leave out --expect"},
      {"request in a stream",
       [](RunOptions& o) {
         tcp(o), o.workload = Workload::stream, o.direction = Direction::down, o.request = "x";
       },
       "--request: --workload stream has no requests with answers; use --workload rr or crr, or "
       "leave out --request"},
      {"request with connect",
       [](RunOptions& o) { tcp(o), o.workload = Workload::connect, o.request = "x"; },
       "--request: --workload connect has no requests with answers; use --workload rr or crr, or "
       "leave out --request"},
      {"request with a size",
       [](RunOptions& o) {
         o.request = "x", o.reply = reply(ReplyRule::Kind::any), o.sizes = {{64, 1}};
       },
       "--request, --size: the text of a request is its size; leave out --size"},
      {"request with a response size",
       [](RunOptions& o) {
         o.request = "x", o.reply = reply(ReplyRule::Kind::any), o.response_size = 64;
       },
       "--request, --response-size: only our own target answers in a size it is asked for; use "
       "--reply length:N"},
      {"an empty request over tcp",
       [](RunOptions& o) { tcp(o), o.request = "", o.reply = reply(ReplyRule::Kind::until); },
       "--request: an empty text over tcp sends nothing; give it at least one byte"},
      {"a request too large for a datagram",
       [](RunOptions& o) {
         o.request = std::string(65'508, 'x'), o.reply = reply(ReplyRule::Kind::any);
       },
       "--request of 65508 bytes: a udp datagram holds at most 65507 bytes; send less, or use tcp"},
      {"a size too large for a datagram",
       [](RunOptions& o) {
         o.sizes = {{70'000, 1}};
       },
       "--size 70000: a udp datagram holds at most 65507 bytes; use --size 65507 or less, or tcp"},
      {"one size of a mix too large for a datagram",
       [](RunOptions& o) {
         o.sizes = {{64, 1}, {65'508, 1}};
       },
       "--size 65508: a udp datagram holds at most 65507 bytes; use --size 65507 or less, or tcp"},
      {"a size of nothing",
       [](RunOptions& o) {
         o.sizes = {{0, 1}};
       },
       "--size 0: a message has at least one byte; use --size 1 or more"},
      {"a message too large for anything",
       [](RunOptions& o) {
         tcp(o), o.sizes = {{100'000'000, 1}};
       },
       "--size 100000000: a message has at most 67108888 bytes; use a smaller size"},
      {"stream messages without room for a header",
       [](RunOptions& o) {
         o.workload = Workload::stream, o.sizes = {{23, 1}};
       },
       "--size 23: a message of a stream carries a header of 24 bytes; use --size 24 or more"},
      {"a size for connect",
       [](RunOptions& o) {
         tcp(o), o.workload = Workload::connect, o.sizes = {{64, 1}};
       },
       "--size: --workload connect sends no data; leave it out, or use --workload crr"},
      {"a response size for connect",
       [](RunOptions& o) { tcp(o), o.workload = Workload::connect, o.response_size = 64; },
       "--response-size: --workload connect sends no data; leave it out, or use --workload crr"},
      {"a response size for a stream",
       [](RunOptions& o) { o.workload = Workload::stream, o.response_size = 64; },
       "--response-size 64: the messages of a stream have no answers; leave it out"},
      {"a response without room for a header", [](RunOptions& o) { o.response_size = 23; },
       "--response-size 23: an answer carries a header of 24 bytes; use --response-size 24 or "
       "more"},
      {"a response too large for a datagram", [](RunOptions& o) { o.response_size = 65'508; },
       "--response-size 65508: a udp datagram holds at most 65507 bytes; use --response-size 65507 "
       "or less, or tcp"},
      {"a response too large for anything",
       [](RunOptions& o) { tcp(o), o.response_size = 100'000'000; },
       "--response-size 100000000: a message has at most 67108888 bytes; use a smaller size"},
      {"a request too small to ask for a size",
       [](RunOptions& o) {
         o.sizes = {{35, 1}}, o.response_size = 64;
       },
       "--size 35, --response-size 64: a request that names the size of its answer has at least 36 "
       "bytes; use --size 36 or more"},
      {"depth of small messages over udp",
       [](RunOptions& o) {
         o.sizes = {{8, 1}}, o.depth = 2;
       },
       "--depth 2: messages below 24 bytes carry no number, so over udp an answer tells its "
       "request "
       "only when it is the one in flight; use --depth 1 and --flows 2"},
      {"depth of foreign requests over udp",
       [](RunOptions& o) { o.request = "x", o.reply = reply(ReplyRule::Kind::any), o.depth = 4; },
       "--depth 4: over udp the answer to a --request tells which it answers only when it is the "
       "one "
       "in flight; use --depth 1 and --flows 4"},
      {"depth of connect",
       [](RunOptions& o) { tcp(o), o.workload = Workload::connect, o.depth = 8; },
       "--depth 8: every request of --workload connect has a flow of its own; use --flows 8 for as "
       "many in flight"},
      {"depth of crr", [](RunOptions& o) { o.workload = Workload::crr, o.depth = 8; },
       "--depth 8: every request of --workload crr has a flow of its own; use --flows 8 for as "
       "many "
       "in flight"},
      {"depth of hold", [](RunOptions& o) { o.workload = Workload::hold, o.depth = 2; },
       "--depth 2: probes are spread over all connections, not piled up on one; leave it out; "
       "--probe-share says how many of the connections have one"},
      {"a share of nothing held", [](RunOptions& o) { o.probe_share = 0.015; },
       "--probe-share 1.5%: --workload rr holds no connections; use --workload hold, or leave it "
       "out"},
      {"a share and a rate",
       [](RunOptions& o) {
         o.workload = Workload::hold, o.probe_share = 0.01, o.rate = Rate{5'000'000};
       },
       "--probe-share 1%, --rate: in an open loop the rate says how many probes there are; leave "
       "out one of the two"},
      {"requests without probes",
       [](RunOptions& o) { o.workload = Workload::hold, o.probe_share = 0.0, o.requests = 5; },
       "--probe-share 0%, --requests: without probes there is nothing to count; leave out one of "
       "the two"},
      {"another answer over held udp",
       [](RunOptions& o) { o.workload = Workload::hold, o.response_size = 1000; },
       "--response-size 1000: each of the held udp sockets would first have to prove its address "
       "to the target; leave it out, or use tcp"},
      {"depth of a stream", [](RunOptions& o) { o.workload = Workload::stream, o.depth = 1; },
       "--depth 1: the messages of a stream have no answers, so none is in flight; leave it out"},
      {"too much in flight", [](RunOptions& o) { o.flows = 1001, o.depth = 1000; },
       "--flows 1001, --depth 1000: that is more than 1000000 requests in flight; use fewer flows "
       "or "
       "less depth"},
      {"a rate in a closed loop",
       [](RunOptions& o) { o.rate = Rate{5'000'000}, o.arrival = arrival(Arrival::Kind::closed); },
       "--rate 5/s, --arrival closed: in a closed loop the answers decide when the next request "
       "leaves, not a rate; leave out one of the two"},
      {"a rate beside a trace",
       [](RunOptions& o) { o.rate = Rate{5'000'000}, o.arrival = arrival(Arrival::Kind::trace); },
       "--rate 5/s, --arrival trace: a trace says itself when requests are due; leave out --rate"},
      {"an arrival without a rate",
       [](RunOptions& o) { o.arrival = arrival(Arrival::Kind::constant); },
       "--arrival constant: it spreads a rate over time, and there is no --rate; add --rate, like "
       "--rate 1k"},
      {"an empty burst",
       [](RunOptions& o) {
         o.rate = Rate{5'000'000}, o.arrival = arrival(Arrival::Kind::burst), o.arrival->burst = 0;
       },
       "--arrival burst:0: a burst has at least one request; use burst:1 or more"},
      {"a trace without times", [](RunOptions& o) { o.arrival = arrival(Arrival::Kind::trace); },
       "--arrival trace: there is no due time; give it a file with times"},
      {"a rate for a source",
       [](RunOptions& o) {
         tcp(o), o.workload = Workload::stream, o.direction = Direction::down;
         o.rate = Rate{5'000'000};
       },
       "--direction down: a source sends as fast as the connection takes it, so nothing can be "
       "due; "
       "leave out --rate and --arrival, or use --direction up"},
      {"no requests", [](RunOptions& o) { o.requests = 0; },
       "--requests 0: nothing would be measured; use --requests 1 or more"},
      {"no duration", [](RunOptions& o) { o.duration = Nanos(0); },
       "--duration 0: too short to measure anything; use --duration 1ms or more"},
      {"a negative warm-up", [](RunOptions& o) { o.warm_up = -1ms; },
       "--warm-up -1ms: a time cannot be negative; use --warm-up 0 or more"},
      {"no timeout", [](RunOptions& o) { o.timeout = 1us; },
       "--timeout 1us: too short for any answer; use --timeout 1ms or more"},
      {"an interval too short", [](RunOptions& o) { o.interval = 1ms; },
       "--interval 1ms: too short: handing over the figures would disturb them; use --interval "
       "10ms "
       "or more"},
      {"too many intervals", [](RunOptions& o) { o.duration = 24h, o.interval = 100ms; },
       "--duration 24h, --interval 100ms: that is more than 100000 intervals; use a longer "
       "--interval"},
      {"nothing due in the measure phase",
       [](RunOptions& o) {
         o.rate = Rate{100'000}, o.arrival = arrival(Arrival::Kind::constant), o.duration = 1s;
       },
       "--rate 0.1/s, --duration 1s: no request is due in the measure phase; use a longer "
       "--duration "
       "or a higher --rate"},
      {"spinning on CPUs that are not there",
       [](RunOptions& o) { o.flows = 3, o.threads = 3, o.wait = Wait::spin; },
       "--wait spin, --threads 3: threads that spin would take the CPU from each other (this "
       "process "
       "may use 2); use --threads 2 or less, or --wait block"},
      {"pinning to CPUs that are not there",
       [](RunOptions& o) { o.flows = 3, o.threads = 3, o.pin = true; },
       "--pin, --threads 3: each thread would need a CPU of its own, and this process may use 2; "
       "use "
       "--threads 2 or less, or leave out --pin"},
      {"a close over udp", [](RunOptions& o) { o.workload = Workload::crr, o.close = Close::fin; },
       "--close fin: udp has no connection to close; use tcp, or leave it out"},
      {"a close of flows that stay", [](RunOptions& o) { tcp(o), o.close = Close::rst; },
       "--close rst: --workload rr keeps its connections until the end of the run; use --workload "
       "crr or connect, or leave it out"},
      {"a source of the other family",
       [](RunOptions& o) {
         o.where = HostPort{"localhost", 1}, o.family = Family::v6;
         o.source = parse_source("", "127.0.0.0/8");
       },
       "-6, --source 127.0.0.0/8: a flow has both its addresses from one family; leave out one of "
       "the two"},
      {"an IPv6 source for the target of its own",
       [](RunOptions& o) { o.source = parse_source("", "::1"); },
       "--source ::1: the target of its own that a run without an address starts is on 127.0.0.1; "
       "use an IPv4 source, or start one: volley target --listen [::1]:2924"},
      {"pacing over udp", [](RunOptions& o) { o.socket.pacing_bits_per_s = 100'000'000; },
       "--pacing-rate 100Mbit/s: the kernel paces udp only where the queue of the interface is fq; "
       "use --rate for udp, or tcp, whose pacing needs no such queue"},
      {"pacing of what the target sends",
       [](RunOptions& o) {
         tcp(o), o.workload = Workload::stream, o.direction = Direction::down;
         o.socket.pacing_bits_per_s = 1'500'000;
       },
       "--pacing-rate 1.5Mbit/s: a stream down is sent by the target, and this paces what the "
       "generator sends; use --direction up, or leave it out"},
      {"a bottleneck of what is no stream",
       [](RunOptions& o) { tcp(o), o.bottleneck_bits_per_s = 100'000'000; },
       "--bottleneck 100Mbit/s: only the time that a tcp stream up takes is compared with what the "
       "path allows; use tcp --workload stream, or leave it out"},
      {"stamps of what is no request",
       [](RunOptions& o) { o.stamps = true, o.workload = Workload::stream; },
       "--stamps: it splits the response times of requests on standing flows; use --workload rr, "
       "or "
       "leave it out"},
      {"stamps without room for them",
       [](RunOptions& o) {
         o.stamps = true, o.sizes = {{47, 1}};
       },
       "--stamps, --size 47: an answer with stamps has at least 48 bytes; use --size 48 or more"},
      {"stamps in answers of another size",
       [](RunOptions& o) { o.stamps = true, o.response_size = 100; },
       "--stamps, --response-size: a stamped answer is as large as its request; leave out one of "
       "the "
       "two"},
      {"stamps in the answers of a foreign server",
       [](RunOptions& o) { o.stamps = true, o.request = "ping", o.reply = ReplyRule{}; },
       "--stamps, --request: our target writes its stamps into the answer; leave out one of the "
       "two"},
      {"congestion control over udp", [](RunOptions& o) { o.socket.congestion = "bbr"; },
       "--congestion bbr: udp has no congestion control; use tcp, or leave it out"},
      {"delays over udp", [](RunOptions& o) { o.socket.nodelay = false; },
       "--nodelay off: udp never delays a datagram to send it with the next; use tcp, or leave it "
       "out"},
      {"more udp streams than the sink counts",
       [](RunOptions& o) { o.workload = Workload::stream, o.flows = 4097, o.threads = 1; },
       "--flows 4097: our sink counts at most 4096 udp streams at a time; use fewer flows"},
      {"IPv6 without an address", [](RunOptions& o) { o.family = Family::v6; },
       "-6: the target of its own that a run without an address starts is on 127.0.0.1; leave it "
       "out, or start one: volley target --listen [::1]:2924"},
  };
  return all;
}

TEST(Plan, RefusesOffloadAndDiscardWhereThereIsNothingForThem) {
  EXPECT_EQ(refusal([](RunOptions& o) {
              o.protocol = Protocol::tcp;
              o.offload = Offload::on;
            }),
            "--offload on: the kernel divides and joins the packets of tcp anyway; leave it out, "
            "or use udp");
  EXPECT_EQ(refusal([](RunOptions& o) {
              o.offload = Offload::on;
              o.batch = 1;
            }),
            "--offload on, --batch 1: one datagram a call leaves nothing to divide; use a larger "
            "--batch, or leave out one of the two");
  EXPECT_EQ(refusal([](RunOptions& o) { o.discard = true; }),
            "--discard: it is for a tcp stream up to a target that this run starts; use tcp and "
            "--workload stream, or leave it out");
  const auto streams = [](RunOptions& o) {
    o.protocol = Protocol::tcp;
    o.workload = Workload::stream;
    o.discard = true;
  };
  EXPECT_EQ(refusal(streams), "accepted");
  EXPECT_EQ(refusal([&](RunOptions& o) {
              streams(o);
              o.where = HostPort{"127.0.0.1", 2924};
            }),
            "--discard: it is for a tcp stream up to a target that this run starts; give it to "
            "that target (volley target --discard)");
}

TEST(Plan, TakesAsManyUdpStreamsAsTheSinkCounts) {
  EXPECT_EQ(refusal([](RunOptions& o) { o.workload = Workload::stream, o.flows = 4096; }),
            "accepted");
}

TEST(Plan, RefusesWhatCannotBeDoneWithTheReasonAndTheWayOut) {
  for (const Refusal& r : refusals()) EXPECT_EQ(refusal(r.change), r.text) << r.name;
}

}  // namespace
}  // namespace volley
