// The relay's log: one record for every datagram that left or was dropped, in that order, kept in
// memory and written at the end. Its times, not the plan's, are the truth.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace lab {

enum Action : std::uint8_t {
  kDropped = 1,
  kCopy = 2,
  kHeld = 4,
  kCorrupted = 8,
  kNoRoom = 16,   // the relay's own fault: too many were waiting
  kNotSent = 32,  // likewise: the send call failed
};

// 40 bytes, little-endian on every machine this is built for.
struct Record {
  std::uint64_t number = 0;   // the sequence number in the datagram (bytes 18 to 23), or arrival
  std::uint32_t arrival = 0;  // how many had come in this direction before
  std::uint8_t backward = 0;
  std::uint8_t action = 0;
  std::uint16_t flow = 0;     // bytes 16 and 17
  std::int64_t received = 0;  // CLOCK_REALTIME, by the kernel when the datagram was there
  std::int64_t planned = 0;   // when it should leave
  std::int64_t sent = 0;      // when the send call had returned; 0: it never left
};
static_assert(sizeof(Record) == 40);

class Log {
 public:
  explicit Log(std::size_t most) : most_(most) { records_.reserve(most); }

  void add(const Record& record) {
    if (!full()) records_.push_back(record);
  }
  [[nodiscard]] bool full() const { return records_.size() >= most_; }

  [[nodiscard]] bool write(const std::string& path) const {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) return false;
    const auto written = std::fwrite(records_.data(), sizeof(Record), records_.size(), file);
    return std::fclose(file) == 0 && written == records_.size();
  }

 private:
  std::size_t most_;
  std::vector<Record> records_;
};

}  // namespace lab
