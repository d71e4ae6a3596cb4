// A bounded table of peers: when it is full, the one that was silent longest makes room. So however
// many addresses a stranger invents, the table stays as large as it is.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <unordered_map>
#include <utility>

#include "targets/serve/cookie.hpp"

namespace volley {

template <typename Value>
class PeerTable {
 public:
  PeerTable(std::size_t most, const HashKey& key) : most_(most), index_(0, Hash{key}) {}

  // The peer's value, made from nothing when it is new; it becomes the most recent one. The
  // reference holds until this peer is removed or makes room.
  Value& touch(const PeerKey& peer) {
    if (const auto found = index_.find(peer); found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->second;
    }
    if (index_.size() >= most_) evict();
    entries_.emplace_front(peer, Value{});
    index_.emplace(peer, entries_.begin());
    return entries_.front().second;
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
  struct Hash {
    HashKey key;
    std::size_t operator()(const PeerKey& peer) const { return keyed_hash(key, peer); }
  };

  void evict() {
    auto& oldest = entries_.back();
    if (on_evict_) on_evict_(oldest.second);
    index_.erase(oldest.first);
    entries_.pop_back();
  }

  std::size_t most_;
  Entries entries_;  // most recent first
  std::unordered_map<PeerKey, typename Entries::iterator, Hash> index_;
  std::function<void(Value&)> on_evict_;
};

}  // namespace volley
