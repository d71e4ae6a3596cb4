// What a target counted: the same figures for machines and for people.
#include "reports/render/target_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "reports/measure/units.hpp"

namespace volley {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const TargetUdpCounters& udp) {
  Json ignored{{"answers", udp.ignored.answers},       {"own_address", udp.ignored.own_address},
               {"low_ports", udp.ignored.low_ports},   {"marked", udp.ignored.marked},
               {"not_frames", udp.ignored.not_frames}, {"unproven", udp.ignored.unproven}};
  return Json{{"datagrams", udp.datagrams},
              {"bytes_received", udp.bytes_received},
              {"requests", udp.requests},
              {"plain", udp.plain},
              {"data", udp.data},
              {"control", udp.control},
              {"malformed", udp.malformed},
              {"ignored", std::move(ignored)},
              {"answered", udp.answered},
              {"control_answered", udp.control_answered},
              {"bytes_sent", udp.bytes_sent},
              {"dropped", udp.dropped},
              {"duplicated", udp.duplicated},
              {"held", udp.held},
              {"discarded", udp.discarded},
              {"send_errors", udp.send_errors},
              {"receive_errors", udp.receive_errors},
              {"kernel_drops", udp.kernel_drops},
              {"receive_calls", udp.receive_calls},
              {"receive_misses", udp.receive_misses},
              {"send_calls", udp.send_calls},
              {"joined", udp.joined},
              {"joined_slots", udp.joined_slots},
              {"divided", udp.divided},
              {"divided_sends", udp.divided_sends}};
}

Json json_of(const TargetTcpCounters& tcp) {
  return Json{{"accepted", tcp.accepted},
              {"refused", tcp.refused},
              {"accept_errors", tcp.accept_errors},
              {"closed_by_peer", tcp.closed_by_peer},
              {"reset", tcp.reset},
              {"closed_idle", tcp.closed_idle},
              {"hostile", tcp.hostile},
              {"open_at_end", tcp.open_at_end},
              {"sessions", tcp.sessions},
              {"bytes_received", tcp.bytes_received},
              {"bytes_discarded", tcp.bytes_discarded},
              {"gathered", tcp.gathered},
              {"bytes_sent", tcp.bytes_sent},
              {"requests", tcp.requests},
              {"answered", tcp.answered},
              {"data", tcp.data},
              {"data_sent", tcp.data_sent},
              {"control", tcp.control}};
}

void add_if(std::string& line, std::uint64_t count, std::string_view word) {
  if (count != 0) line += fmt::format(", {} {}", format_count(count), word);
}

std::string text_of(const TargetUdpCounters& udp) {
  std::string line = fmt::format("udp: {} datagrams ({}), {} answered", format_count(udp.datagrams),
                                 format_size(udp.bytes_received), format_count(udp.answered));
  const IgnoredDatagrams& i = udp.ignored;
  add_if(line, udp.data, "stream messages");
  add_if(line, udp.dropped, "dropped");
  add_if(line, udp.duplicated, "duplicated");
  add_if(line, udp.held, "held back");
  add_if(line, udp.discarded, "discarded");
  add_if(line, i.answers + i.own_address + i.low_ports + i.marked + i.not_frames + i.unproven,
         "left unanswered by rule");
  add_if(line, udp.malformed, "malformed");
  add_if(line, udp.send_errors, "send errors");
  add_if(line, udp.receive_errors, "receive errors");
  add_if(line, udp.kernel_drops, "lost in a full socket");
  add_if(line, udp.joined, "came joined");
  add_if(line, udp.divided, "left divided");
  return line;
}

std::string text_of(const TargetTcpCounters& tcp) {
  std::string line = fmt::format("tcp: {} connections, {} in, {} out", format_count(tcp.accepted),
                                 format_size(tcp.bytes_received), format_size(tcp.bytes_sent));
  add_if(line, tcp.requests, "requests");
  add_if(line, tcp.data, "stream messages received");
  add_if(line, tcp.data_sent, "stream messages sent");
  add_if(line, tcp.refused, "refused");
  add_if(line, tcp.closed_idle, "closed idle");
  add_if(line, tcp.hostile, "closed as malformed");
  add_if(line, tcp.reset, "reset");
  add_if(line, tcp.accept_errors, "accept errors");
  return line;
}

}  // namespace

std::string target_statistics_json(const TargetRecord& record, const ToolVersion& tool) {
  Json root;
  root["schema_version"] = "1.0";
  root["tool"] = Json{{"name", "volley"}, {"version", tool.version}, {"commit", tool.commit}};
  root["status"] = "ok";
  root["kind"] = record.kind;
  root["listening"] = record.listening;
  root["threads"] = record.threads;
  root["by_thread"] = Json::array();
  for (const TargetRecord::Share& share : record.by_thread) {
    root["by_thread"].push_back(
        Json{{"datagrams", share.datagrams}, {"connections", share.connections}});
  }
  root["wait"] = record.wait;
  root["pinned"] = record.pinned;
  root["deal"] = record.deal;
  root["seed"] = record.seed;
  root["started_at"] = record.started_at;
  root["duration_s"] = to_seconds(record.duration);
  root["ended_by"] = record.ended_by;
  root["udp"] = record.udp ? json_of(*record.udp) : Json(nullptr);
  root["tcp"] = record.tcp ? json_of(*record.tcp) : Json(nullptr);
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string target_statistics_text(const TargetRecord& record) {
  std::string line =
      fmt::format("served {}, ended by {}", format_duration(record.duration), record.ended_by);
  if (record.udp) line += "; " + text_of(*record.udp);
  if (record.tcp) line += "; " + text_of(*record.tcp);
  return line + "\n";
}

}  // namespace volley
