// The allow-list: which keys are let in, whose they are, and in which roles they may speak.
//
// One file for all nodes of a cluster, a line a key:
//
//   # comment
//   NAME ROLE[,ROLE...] KEY [# comment]
//
// KEY is a public CURVE key in Z85, 40 characters (ZeroMQ RFC 32). A name may have several keys, so that one
// can take the other's place.
//
// Invariants
//  1. A key stands in it once.
//  2. No name is another one's followed by a dot: nobody's clients can be taken for another node.
//
// Thread rule: immutable once made. Limits: limits::allow_list_bytes, limits::key_name_length.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/base/result.h"
#include "shared/core/key_holder.h"

namespace cidbus {

class AllowList {
 public:
  AllowList() = default;
  // BadData names `origin` and the first line that makes no sense; it does not repeat what stands there.
  static Result<AllowList> parse(std::string_view text, const std::string& origin);

  AllowList(const AllowList&) = delete;
  AllowList& operator=(const AllowList&) = delete;
  AllowList(AllowList&&) = default;
  AllowList& operator=(AllowList&&) = default;

  // Null for a key that is not in it.
  [[nodiscard]] const KeyHolder* find(std::string_view key) const;
  // In the order of the file.
  [[nodiscard]] const std::vector<KeyHolder>& holders() const { return holders_; }

 private:
  std::vector<KeyHolder> holders_;
  std::unordered_map<std::string_view, std::size_t> by_key_;  // views of what stands in holders_
};

// 40 characters of Z85 that stand for 32 bytes.
bool is_key(std::string_view text);
// "worker,client"; nothing for anything else.
std::optional<RoleSet> parse_roles(std::string_view text);

}  // namespace cidbus
