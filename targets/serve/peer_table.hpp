// A bounded table of peers: when it is full, the one that was silent longest makes room. So however
// many addresses a stranger invents, the table stays as large as it is. The keyed hash, which no
// stranger can aim at, is most of what finding a peer costs: those that come again and again are
// found without it, in places that a stranger may take but gains nothing by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <list>
#include <unordered_map>
#include <utility>
#include <vector>

#include "targets/serve/cookie.hpp"

namespace volley {

template <typename Value>
class PeerTable {
 public:
  PeerTable(std::size_t most, const HashKey& key)
      : most_(most), index_(0, Hash{key}), places_(std::size_t{1} << kPlaceBits, entries_.end()) {}
  // Its places point into it.
  PeerTable(const PeerTable&) = delete;
  PeerTable& operator=(const PeerTable&) = delete;

  // The peer's value, made from nothing when it is new; it becomes the most recent one. The
  // reference holds until this peer is removed or makes room.
  Value& touch(const PeerKey& peer) {
    Place& place = place_of(peer);
    if (place == entries_.end() || !(place->first == peer)) place = look_up(peer);
    entries_.splice(entries_.begin(), entries_, place);
    return place->second;
  }

  // Null when it is not there.
  [[nodiscard]] Value* find(const PeerKey& peer) {
    const auto found = index_.find(peer);
    return found == index_.end() ? nullptr : &found->second->second;
  }

  [[nodiscard]] std::size_t size() const { return index_.size(); }
  // Called with the value that makes room.
  void on_evict(std::function<void(Value&)> hook) { on_evict_ = std::move(hook); }

 private:
  using Entries = std::list<std::pair<PeerKey, Value>>;
  using Place = typename Entries::iterator;  // the end: nobody's
  struct Hash {
    HashKey key;
    std::size_t operator()(const PeerKey& peer) const { return keyed_hash(key, peer); }
  };
  static constexpr unsigned kPlaceBits = 10;

  // The one place where the peer may be remembered. The flows of a run differ in their ports.
  Place& place_of(const PeerKey& peer) {
    std::uint32_t ip = 0;
    std::memcpy(&ip, peer.ip.data(), sizeof ip);
    constexpr std::uint32_t kOdd = 0x9E3779B1;  // 2^32 by the golden ratio: neighbours part
    return places_[((peer.port ^ peer.session ^ ip) * kOdd) >> (32U - kPlaceBits)];
  }

  Place look_up(const PeerKey& peer) {
    if (const auto found = index_.find(peer); found != index_.end()) return found->second;
    if (index_.size() >= most_) evict();
    entries_.emplace_front(peer, Value{});
    index_.emplace(peer, entries_.begin());
    return entries_.begin();
  }

  void evict() {
    auto& oldest = entries_.back();
    if (on_evict_) on_evict_(oldest.second);
    Place& place = place_of(oldest.first);
    if (place == std::prev(entries_.end())) place = entries_.end();
    index_.erase(oldest.first);
    entries_.pop_back();
  }

  std::size_t most_;
  Entries entries_;  // most recent first
  std::unordered_map<PeerKey, Place, Hash> index_;
  std::vector<Place> places_;
  std::function<void(Value&)> on_evict_;
};

}  // namespace volley
