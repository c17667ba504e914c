// Private to shared/wire: the parts that several messages are made of, from schema to core value and back.
//
// Checks keep the first thing found wrong; a decoder reads everything and asks once at the end.
#pragma once

#include <capnp/message.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "schema/message.capnp.h"
#include "schema/node.capnp.h"
#include "schema/task.capnp.h"
#include "shared/base/limits/messages.h"
#include "shared/base/limits/words.h"
#include "shared/core/message.h"

namespace cidbus::wire {

inline capnp::Text::Reader text_of(std::string_view text) {
  // Cap'n Proto copies text with a closing NUL of its own; the reader type merely asks that one stands there.
  return {text.data() == nullptr ? "" : text.data(), text.size()};
}

class Checks {
 public:
  void require(bool holds, const char* what) {
    if (!holds && problem_ == nullptr) problem_ = what;
  }
  std::string_view text(capnp::Text::Reader text, std::size_t most, const char* what) {
    require(text.size() <= most, what);
    return {text.begin(), text.size()};
  }
  ByteView data(capnp::Data::Reader data, std::size_t most, const char* what) {
    require(data.size() <= most, what);
    return {data.begin(), data.size()};
  }
  // A name, or nothing.
  std::string_view name(capnp::Text::Reader text, const char* what) {
    const std::string_view name{text.begin(), text.size()};
    require(name.empty() || is_valid_name(name), what);
    return name;
  }
  // HOST:PORT, or nothing. It is printed and connected to: blanks and control characters are not for it.
  std::string_view endpoint(capnp::Text::Reader text) {
    const std::string_view endpoint{text.begin(), text.size()};
    require(endpoint.size() <= limits::endpoint_length, "an endpoint over 256 characters");
    require(std::ranges::all_of(endpoint, [](char one) { return one > ' ' && one < 0x7f; }),
            "an endpoint with characters that are not visible ASCII");
    return endpoint;
  }
  template <typename List>
  unsigned count(const List& list, const char* what, std::size_t most = limits::items_a_message) {
    require(list.size() <= most, what);
    return problem_ == nullptr ? list.size() : 0;
  }
  template <typename Enum, typename Wire>
  Enum pick(Wire value, Enum last, const char* what) {
    const auto place = static_cast<std::uint16_t>(value);
    require(place <= static_cast<std::uint16_t>(last), what);
    return static_cast<Enum>(place <= static_cast<std::uint16_t>(last) ? place : 0);
  }
  std::chrono::milliseconds milliseconds(std::uint64_t value) {
    require(value <= longest_duration_ms, "a duration over 100 years");
    return std::chrono::milliseconds(problem_ == nullptr ? value : 0);
  }
  [[nodiscard]] const char* problem() const { return problem_; }

 private:
  static constexpr std::uint64_t longest_duration_ms = 100ULL * 366 * 24 * 3600 * 1000;
  const char* problem_ = nullptr;
};

void put(schema::Attempt::Builder out, const AttemptId& attempt);
AttemptId get(schema::Attempt::Reader in);

void put(schema::TaskOptions::Builder out, const TaskOptions& options);
TaskOptions get(schema::TaskOptions::Reader in, Checks& checks);

void put(schema::TaskInfo::Builder out, const TaskInfo& info);
TaskInfo get(schema::TaskInfo::Reader in, Checks& checks);

void put(schema::NodeLoad::Builder out, const NodeLoad& load);
NodeLoad get(schema::NodeLoad::Reader in);

void put(schema::Member::Builder out, const Member& member);
Member get(schema::Member::Reader in, Checks& checks);

void put(capnp::List<schema::Label>::Builder out, const Labels& labels);
Labels get(capnp::List<schema::Label>::Reader in, Checks& checks);
void put(schema::MemberHistory::Builder out, const MemberHistory& history);
MemberHistory get(schema::MemberHistory::Reader in, Checks& checks);

// roles.cpp
void put(schema::Moves::Builder out, const Moves& moves);
Moves get(schema::Moves::Reader in, Checks& checks);
void put(schema::RoleReport::Builder out, const RoleReport& report);
RoleReport get(schema::RoleReport::Reader in, Checks& checks);
void put(schema::RoleReports::Builder out, const RoleReports& reports);
RoleReports get(schema::RoleReports::Reader in, Checks& checks);
void put(schema::RoleChange::Builder out, const RoleChange& change);
RoleChange get(schema::RoleChange::Reader in, Checks& checks);
void put(schema::RoleChangeAnswer::Builder out, const RoleChangeAnswer& answer);
RoleChangeAnswer get(schema::RoleChangeAnswer::Reader in, Checks& checks);

void put(schema::NodeAddress::Builder out, const NodeAddress& address);
NodeAddress get(schema::NodeAddress::Reader in, Checks& checks);

void put(schema::BrokerInfo::Builder out, const BrokerInfo& broker);
BrokerInfo get(schema::BrokerInfo::Reader in, Checks& checks);

void put(schema::BrokerStatus::Builder out, const BrokerStatus& status);
BrokerStatus get(schema::BrokerStatus::Reader in, Checks& checks);
void put(schema::HandoverRequest::Builder out, const HandoverRequest& request);
HandoverRequest get(schema::HandoverRequest::Reader in, Checks& checks);
void put(schema::HandoverAnswer::Builder out, const HandoverAnswer& answer);
HandoverAnswer get(schema::HandoverAnswer::Reader in, Checks& checks);

ContentName get(schema::ContentName::Reader in, Checks& checks);
FindContent get(schema::FindContent::Reader in, Checks& checks);
ContentNames get(schema::ContentNames::Reader in, Checks& checks);

void put(schema::Proposal::Builder out, const Proposal& proposal);
Proposal get(schema::Proposal::Reader in, Checks& checks);
void put(schema::Configuration::Builder out, const Configuration& configuration);
Configuration get(schema::Configuration::Reader in, Checks& checks);
void put(schema::Propose::Builder out, const Propose& propose);
Propose get(schema::Propose::Reader in, Checks& checks);
void put(schema::CastVote::Builder out, const CastVote& vote);
CastVote get(schema::CastVote::Reader in, Checks& checks);
void put(schema::ProposalsRequest::Builder out, const ProposalsRequest& request);
ProposalsRequest get(schema::ProposalsRequest::Reader in, Checks& checks);
void put(schema::Proposals::Builder out, const Proposals& proposals);
Proposals get(schema::Proposals::Reader in, Checks& checks);

void put(schema::Feed::Builder out, const Feed& feed);
Feed get(schema::Feed::Reader in, Checks& checks);

// Encodes into an envelope whose header is already there (encode.cpp); decodes its body (decode.cpp).
void put_body(schema::Envelope::Body::Builder out, const Message& message);
Message get_body(schema::Envelope::Body::Reader in, Checks& checks);

}  // namespace cidbus::wire
