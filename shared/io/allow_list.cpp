#include "shared/io/allow_list.h"

#include <zmq.h>

#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "shared/base/ids.h"
#include "shared/base/limits/keys.h"

namespace cidbus {
namespace {

constexpr std::string_view blanks = " \t\r";

// Takes the next word off the line; empty at its end.
std::string_view take_word(std::string_view& line) {
  const auto begin = line.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  const auto end = std::min(line.find_first_of(blanks, begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

// What is wrong with the line, or nothing; `holder` keeps an empty name when it holds no key.
std::string_view parse_line(std::string_view line, KeyHolder& holder) {
  const std::string_view name = take_word(line);
  if (name.empty() || name.starts_with('#')) return {};
  const std::string_view roles = take_word(line);
  const std::string_view key = take_word(line);
  const std::string_view rest = take_word(line);
  if (key.empty() || (!rest.empty() && !rest.starts_with('#'))) return "is not NAME ROLE[,ROLE...] KEY";
  if (!is_valid_name(name) || name.size() > limits::key_name_length)
    return "has no good name; use 1 to 55 letters, digits, '.', '_' or '-'";
  const auto parsed = parse_roles(roles);
  if (!parsed) return "names no role; give master, worker, leecher, gateway, observer or client";
  if (!is_key(key)) return "has no key; give the public one that cidbus keygen printed";
  holder = {std::string(key), std::string(name), *parsed};
  return {};
}

// The name that is another's up to a dot, or nothing.
std::string name_within_another(const std::vector<KeyHolder>& holders) {
  std::set<std::string_view> names;
  for (const KeyHolder& holder : holders) names.insert(holder.name);
  for (const KeyHolder& holder : holders) {
    const std::string_view name = holder.name;
    for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
      if (names.contains(name.substr(0, dot))) return std::string(name);
    }
  }
  return {};
}

}  // namespace

bool is_key(std::string_view text) {
  if (text.size() != limits::key_text || text.find('\0') != std::string_view::npos) return false;
  std::array<std::uint8_t, 32> bytes{};
  return zmq_z85_decode(bytes.data(), std::string(text).c_str()) != nullptr;
}

std::optional<RoleSet> parse_roles(std::string_view text) {
  RoleSet roles;
  while (true) {
    const auto comma = text.find(',');
    const auto role = parse_role(text.substr(0, comma));
    if (!role) return std::nullopt;
    roles.add(*role);
    if (comma == std::string_view::npos) return roles;
    text.remove_prefix(comma + 1);
  }
}

Result<AllowList> AllowList::parse(std::string_view text, const std::string& origin) {
  if (text.size() > limits::allow_list_bytes)
    return fault(FaultKind::BadData, origin + " is over 1 MiB; an allow-list is not that long");
  AllowList list;
  std::map<std::string, std::size_t> lines;  // of each key
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto at = [&] { return origin + " line " + std::to_string(number); };
    KeyHolder holder;
    const std::string_view wrong = parse_line(text.substr(0, end), holder);
    if (!wrong.empty()) return fault(FaultKind::BadData, at() + ' ' + std::string(wrong));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (holder.name.empty()) continue;
    const auto [first, fresh] = lines.emplace(holder.key, number);
    if (!fresh)
      return fault(FaultKind::BadData, at() + " has the key of line " + std::to_string(first->second));
    list.holders_.push_back(std::move(holder));
  }
  if (const std::string name = name_within_another(list.holders_); !name.empty()) {
    return fault(FaultKind::BadData, origin + ": '" + name + "' is another node's name, a dot and more; " +
                                         "give it a name that no client of that node could have");
  }
  for (std::size_t place = 0; place < list.holders_.size(); ++place)
    list.by_key_.emplace(list.holders_[place].key, place);
  return list;
}

const KeyHolder* AllowList::find(std::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &holders_[found->second];
}

}  // namespace cidbus
