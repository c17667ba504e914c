// Who holds a key, and in which roles its holder may speak: one line of the allow-list (DESIGN section 10).
//
// A node opens connections of its own as a client ("w1" also speaks as "w1.5e3a01c4"), to find and fetch
// blocks. So a holder may be a client whenever it may be anything but an observer, which only looks.
//
// Thread rule: values. Limits: none.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "shared/core/node.h"

namespace cidbus {

class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (const Role role : roles) add(role);
  }
  constexpr void add(Role role) { bits_ = static_cast<std::uint8_t>(bits_ | bit(role)); }
  [[nodiscard]] constexpr bool has(Role role) const { return (bits_ & bit(role)) != 0; }
  [[nodiscard]] constexpr bool meets(RoleSet other) const { return (bits_ & other.bits_) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(RoleSet, RoleSet) = default;

 private:
  static constexpr std::uint8_t bit(Role role) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(role));
  }
  std::uint8_t bits_ = 0;
};

inline constexpr RoleSet every_role{Role::Master,  Role::Worker,   Role::Leecher,
                                    Role::Gateway, Role::Observer, Role::Client};
// Those that read and write content and submit tasks.
inline constexpr RoleSet roles_with_content{Role::Master, Role::Worker, Role::Leecher, Role::Gateway,
                                            Role::Client};

struct KeyHolder {
  std::string key;  // the public one, in Z85; empty for a key that nobody holds
  std::string name;
  RoleSet roles;

  [[nodiscard]] bool may_be(Role role) const {
    return roles.has(role) || (role == Role::Client && roles.meets(roles_with_content));
  }
  // Its own name, or one of its clients'.
  [[nodiscard]] bool is_named(std::string_view sender) const {
    if (name.empty() || !sender.starts_with(name)) return false;
    return sender.size() == name.size() || (sender[name.size()] == '.' && may_be(Role::Client));
  }
  [[nodiscard]] bool may_speak_as(std::string_view sender, Role role) const {
    return may_be(role) && (role == Role::Client ? is_named(sender) : sender == name);
  }
};

// "master, worker"
std::string to_text(RoleSet roles);

}  // namespace cidbus
