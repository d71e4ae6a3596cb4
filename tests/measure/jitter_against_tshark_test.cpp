// Jitter beside tshark's: both are given the same stream of RTP datagrams, ours as delays, tshark's
// as a capture.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "reports/measure/variation.hpp"

namespace volley {
namespace {

// A unit of RTP's clock at payload type 0, 8,000 Hz.
constexpr std::int64_t kUnitNs = 125'000;
constexpr std::uint16_t kPort = 5004;

struct Datagram {
  std::uint16_t sequence;
  std::int64_t sent_ns;
  std::int64_t received_ns;
};

void put(std::string& to, std::uint64_t value, int bytes, bool network_order) {
  for (int i = 0; i < bytes; ++i) {
    const int shift = 8 * (network_order ? bytes - 1 - i : i);
    to.push_back(static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU));
  }
}
void host(std::string& to, std::uint64_t value, int bytes) { put(to, value, bytes, false); }
void network(std::string& to, std::uint64_t value, int bytes) { put(to, value, bytes, true); }

// A capture file with stamps in ns, whose packets begin with their IPv4 header.
std::string capture_of(const std::vector<Datagram>& datagrams) {
  std::string file;
  host(file, 0xA1B23C4D, 4);
  host(file, 2, 2);
  host(file, 4, 2);
  host(file, 0, 8);
  host(file, 65'535, 4);
  host(file, 101, 4);  // LINKTYPE_RAW
  for (const Datagram& datagram : datagrams) {
    constexpr std::uint64_t kPayload = 20, kRtp = 12, kUdp = 8, kIp = 20;
    const std::uint64_t udp = kUdp + kRtp + kPayload;
    std::string packet;
    network(packet, 0x4500, 2);
    network(packet, kIp + udp, 2);
    network(packet, 0x00004000, 4);  // no fragment
    network(packet, 0x40110000, 4);  // TTL 64, UDP, no checksum
    network(packet, 0x7F000001, 4);
    network(packet, 0x7F000002, 4);
    network(packet, 40'000, 2);
    network(packet, kPort, 2);
    network(packet, udp, 2);
    network(packet, 0, 2);
    network(packet, 0x8000, 2);  // version 2, payload type 0
    network(packet, datagram.sequence, 2);
    network(packet, static_cast<std::uint64_t>(datagram.sent_ns / kUnitNs), 4);
    network(packet, 0xCAFE, 4);
    packet.append(kPayload, '\0');
    host(file, static_cast<std::uint64_t>(datagram.received_ns / 1'000'000'000), 4);
    host(file, static_cast<std::uint64_t>(datagram.received_ns % 1'000'000'000), 4);
    host(file, packet.size(), 4);
    host(file, packet.size(), 4);
    file += packet;
  }
  return file;
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  std::array<char, 4096> part{};
  while (pipe && std::fgets(part.data(), static_cast<int>(part.size()), pipe.get()) != nullptr)
    output += part.data();
  return output;
}

struct JitterMs {
  double mean, most;
};

// The last columns of the stream's line, before what tshark finds remarkable: … least, mean and
// largest jitter in ms.
std::optional<JitterMs> jitter_by_tshark(const std::string& file) {
  const std::string output =
      output_of("LC_ALL=C tshark -r '" + file + "' -d udp.port==" + std::to_string(kPort) +
                ",rtp -q -z rtp,streams 2>&1");
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("0x0000CAFE") == std::string::npos) continue;
    std::istringstream words(line);
    std::vector<double> numbers;
    for (std::string word; words >> word;) {
      char* end = nullptr;
      const double number = std::strtod(word.c_str(), &end);
      if (*end == '\0' && word.find('.') != std::string::npos && word.find('.') == word.rfind('.'))
        numbers.push_back(number);
    }
    if (numbers.size() >= 3) return JitterMs{numbers[numbers.size() - 2], numbers.back()};
  }
  ADD_FAILURE() << "no stream in what tshark says:\n" << output;
  return std::nullopt;
}

JitterMs jitter_by_volley(const std::vector<Datagram>& datagrams) {
  VariationTracker tracker;
  JitterMs jitter{0, 0};
  for (const Datagram& datagram : datagrams) {
    const Trip trip{MonoTime(Nanos(datagram.received_ns)),
                    Nanos(datagram.received_ns - datagram.sent_ns)};
    tracker.arrive(datagram.sequence, 1, trip, nullptr);
    if (!tracker.jitter_ns()) continue;  // the first has none
    const double now_ms = *tracker.jitter_ns() * 1e-6;
    jitter.mean += now_ms / static_cast<double>(datagrams.size() - 1);
    jitter.most = std::max(jitter.most, now_ms);
  }
  return jitter;
}

// Every 20 ms; the delays lie between 30 and 38 ms, a tenth of them up to 60. `lost`: one in so
// many, 0 for none.
std::vector<Datagram> stream_of(unsigned seed, unsigned lost) {
  std::mt19937 random(seed);
  std::vector<Datagram> datagrams;
  for (std::uint16_t i = 0; i < 1'000; ++i) {
    const std::int64_t sent = std::int64_t{i} * 160 * kUnitNs;
    std::int64_t delay = 30'000'000 + static_cast<std::int64_t>(random() % 8'000'000);
    if (random() % 10 == 0) delay += static_cast<std::int64_t>(random() % 12'000'000);
    if (lost == 0 || random() % lost != 0)
      datagrams.push_back({i, sent, 1'000'000'000'000 + sent + delay});
  }
  return datagrams;
}

TEST(Jitter, of_arrivals_in_order_equals_that_of_tshark) {
  if (std::system("command -v tshark >/dev/null") != 0) GTEST_SKIP() << "tshark is not installed";
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("volley_jitter_" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const std::string file = folder / "rtp.pcap";
  for (unsigned seed = 1; seed <= 3; ++seed) {
    const std::vector<Datagram> datagrams = stream_of(seed, seed == 1 ? 0 : 10);
    std::ofstream(file, std::ios::binary) << capture_of(datagrams);
    const auto theirs = jitter_by_tshark(file);
    ASSERT_TRUE(theirs);
    const JitterMs ours = jitter_by_volley(datagrams);
    EXPECT_GT(ours.most, 1.0);
    EXPECT_NEAR(ours.mean, theirs->mean, 0.001) << "seed " << seed;
    EXPECT_NEAR(ours.most, theirs->most, 0.001) << "seed " << seed;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace volley
