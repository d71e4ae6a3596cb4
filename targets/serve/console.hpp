// What a target prints about its peers: the seed's lines, made safe for a terminal.
#pragma once

#include <cstddef>
#include <cstdio>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "targets/wire/address.hpp"

namespace volley {

// Foreign bytes as text: letters of any language stay, control characters and bytes that are not
// UTF-8 become \n, \t or \xHH, so that nobody can steer the terminal it is shown on. With
// `keep_lines`, line feeds and tabs stay as they are.
[[nodiscard]] std::string printable(std::span<const std::byte> bytes, bool keep_lines);
// Without the white space at both ends.
[[nodiscard]] std::span<const std::byte> stripped(std::span<const std::byte> bytes);

// Writes whole lines from any thread, each flushed at once.
class Console {
 public:
  explicit Console(std::FILE* to) : to_(to) {}
  void line(std::string_view text);
  // The data as it came, escaped; a line feed is added where it does not end with one.
  void data(std::span<const std::byte> bytes);
  // Token message[IP:PORT] - DATA
  void message(const Address& peer, std::span<const std::byte> bytes);
  // Connection established with IP:PORT
  void connection(const Address& peer);

 private:
  std::mutex mutex_;
  std::FILE* to_;
};

}  // namespace volley
