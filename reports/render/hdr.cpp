// HdrHistogram V2 compressed: written and read byte by byte, because a length or a count in it may
// be a lie. Nothing is allocated by what the text announces, only by what a histogram can hold.
#include "reports/render/hdr.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

#include "reports/measure/ensure.hpp"
#include "reports/render/base64.hpp"

namespace volley {
namespace {

constexpr std::uint32_t kCompressedCookie = 0x1c849314;
constexpr std::uint32_t kPlainCookie = 0x1c849313;
constexpr std::size_t kOuterBytes = 8;
constexpr std::size_t kHeaderBytes = 40;
constexpr std::size_t kVarintBytes = 9;
constexpr std::uint64_t kOneAsDoubleBits = 0x3ff0'0000'0000'0000;
// The counters a value of our range can fall into.
constexpr std::size_t kUsableCounters = Histogram::index_of(Histogram::kHighest) + 1;
constexpr std::size_t kMostPlainBytes = kHeaderBytes + kVarintBytes * kUsableCounters;
// zlib adds little to what it cannot compress; base64 adds a third.
constexpr std::size_t kMostBase64Bytes = (kMostPlainBytes + 4096) / 3 * 4;

using Bytes = std::vector<std::uint8_t>;

void put(Bytes& bytes, std::uint64_t value, unsigned size) {
  for (unsigned i = size; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(value >> (8U * i)));
}

std::uint64_t get(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = (value << 8U) | bytes[at + i];
  return value;
}

// Seven bits a byte, lowest first, the top bit says "more"; the ninth byte holds eight.
void put_zigzag(Bytes& bytes, std::int64_t number) {
  std::uint64_t rest =
      (static_cast<std::uint64_t>(number) << 1U) ^ static_cast<std::uint64_t>(number >> 63);
  for (std::size_t i = 1; i < kVarintBytes && rest >= 0x80; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(rest | 0x80U));
    rest >>= 7U;
  }
  bytes.push_back(static_cast<std::uint8_t>(rest));
}

// None when the bytes end within the number.
std::optional<std::int64_t> get_zigzag(std::span<const std::uint8_t> bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kVarintBytes; ++i) {
    if (at >= bytes.size()) return std::nullopt;
    const std::uint64_t byte = bytes[at++];
    const bool last = i + 1 == kVarintBytes || byte < 0x80;
    value |= (i + 1 == kVarintBytes ? byte : byte & 0x7fU) << (7 * i);
    if (last) break;
  }
  return static_cast<std::int64_t>((value >> 1U) ^ (0 - (value & 1U)));
}

Bytes payload_of(const Histogram& histogram) {
  Bytes payload;
  if (histogram.empty()) return payload;
  const auto used = histogram.counters().first(Histogram::index_of(histogram.max()->count()) + 1);
  for (std::size_t i = 0; i < used.size();) {
    std::size_t zeros = 0;
    while (used[i + zeros] == 0) ++zeros;  // the last counter in use is not zero
    if (zeros > 0) {
      put_zigzag(payload, zeros == 1 ? 0 : -static_cast<std::int64_t>(zeros));
      i += zeros;
      continue;
    }
    ensure(used[i] <= static_cast<std::uint64_t>(INT64_MAX), "a counter fits 63 bits");
    put_zigzag(payload, static_cast<std::int64_t>(used[i]));
    ++i;
  }
  return payload;
}

// Exactly the bytes of one zlib stream, at most as many as a histogram of ours can have.
Bytes inflate_all(std::span<const std::uint8_t> compressed) {
  Bytes plain(kMostPlainBytes + 1);
  auto size = static_cast<uLongf>(plain.size());
  auto used = static_cast<uLong>(compressed.size());
  const int result = ::uncompress2(plain.data(), &size, compressed.data(), &used);
  if (result == Z_BUF_ERROR && size == plain.size())
    throw BadHdr("more counters than a histogram up to 1 h has");
  if (result != Z_OK) throw BadHdr("its zlib stream is damaged or cut");
  if (used != compressed.size()) throw BadHdr("bytes behind its zlib stream");
  if (size > kMostPlainBytes) throw BadHdr("more counters than a histogram up to 1 h has");
  plain.resize(size);
  return plain;
}

std::vector<std::uint64_t> counters_of(std::span<const std::uint8_t> payload) {
  std::vector<std::uint64_t> counters;
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < payload.size();) {
    const auto number = get_zigzag(payload, at);
    if (!number) throw BadHdr("its last counter is cut");
    const std::size_t room = kUsableCounters - counters.size();
    // A lone 0 is one empty counter; -n are n of them. Negated as unsigned: INT64_MIN is legal.
    const std::uint64_t times =
        *number < 0 ? 0 - static_cast<std::uint64_t>(*number) : std::uint64_t{1};
    if (times > room) throw BadHdr("more counters than a histogram up to 1 h has");
    if (*number <= 0) {
      counters.resize(counters.size() + static_cast<std::size_t>(times), 0);
      continue;
    }
    const auto count = static_cast<std::uint64_t>(*number);
    if (count > UINT64_MAX - sum) throw BadHdr("its counts add up to more than 64 bits hold");
    sum += count;
    counters.push_back(count);
  }
  return counters;
}

}  // namespace

std::string encode_hdr(const Histogram& histogram) {
  const Bytes payload = payload_of(histogram);
  Bytes plain;
  plain.reserve(kHeaderBytes + payload.size());
  put(plain, kPlainCookie, 4);
  put(plain, payload.size(), 4);
  put(plain, 0, 4);  // normalizing offset
  put(plain, 3, 4);  // significant digits
  put(plain, 1, 8);  // lowest value told apart from 0
  put(plain, static_cast<std::uint64_t>(Histogram::kHighest), 8);
  put(plain, kOneAsDoubleBits, 8);  // ratio of integer to double values
  plain.insert(plain.end(), payload.begin(), payload.end());

  Bytes compressed(::compressBound(static_cast<uLong>(plain.size())));
  auto size = static_cast<uLongf>(compressed.size());
  const int result =
      ::compress(compressed.data(), &size, plain.data(), static_cast<uLong>(plain.size()));
  ensure(result == Z_OK, "zlib compresses into a buffer of its own bound");
  Bytes outer;
  outer.reserve(kOuterBytes + size);
  put(outer, kCompressedCookie, 4);
  put(outer, size, 4);
  outer.insert(outer.end(), compressed.begin(),
               compressed.begin() + static_cast<std::ptrdiff_t>(size));
  return encode_base64(outer);
}

std::vector<std::uint64_t> decode_hdr(std::string_view base64) {
  if (base64.size() > kMostBase64Bytes) throw BadHdr("longer than any histogram up to 1 h");
  const auto outer = decode_base64(base64);
  if (!outer) throw BadHdr("not base64");
  if (outer->size() < kOuterBytes || get(*outer, 0, 4) != kCompressedCookie)
    throw BadHdr("not an HdrHistogram in V2 compressed encoding");
  if (get(*outer, 4, 4) != outer->size() - kOuterBytes)
    throw BadHdr("its length is not the one it announces");
  const Bytes plain = inflate_all(std::span(*outer).subspan(kOuterBytes));
  if (plain.size() < kHeaderBytes || get(plain, 0, 4) != kPlainCookie)
    throw BadHdr("not an HdrHistogram in V2 encoding");
  if (get(plain, 4, 4) != plain.size() - kHeaderBytes)
    throw BadHdr("its payload's length is not the one it announces");
  // The layout depends on these two only. The normalizing offset and the ratio are not looked at:
  // writers disagree on them, and neither moves a counter.
  if (get(plain, 12, 4) != 3 || get(plain, 16, 8) != 1)
    throw BadHdr("not 3 significant digits from 1");
  return counters_of(std::span(plain).subspan(kHeaderBytes));
}

}  // namespace volley
