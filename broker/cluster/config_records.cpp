#include "broker/cluster/config_records.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/limits/config.h"

namespace cidbus {
namespace {

constexpr std::uint8_t record_version = 1;
enum How : std::uint8_t { Yes = 1, ByPerson = 2 };
constexpr std::uint64_t longest_deadline = std::uint64_t{1} << 55;  // no sum of times overflows

ByteWriter begin(Bytes& out) {
  out.push_back(record_version);
  return ByteWriter(out);
}

void write_text8(ByteWriter& writer, std::string_view text) {
  ENSURE(text.size() <= 0xff, "length", text.size());
  writer.number(static_cast<std::uint8_t>(text.size()));
  writer.raw(as_bytes(text));
}
std::string_view read_text8(ByteReader& reader) { return as_text(reader.raw(reader.number<std::uint8_t>())); }

}  // namespace

void encode(const ProposeRecord& record, Bytes& out) {
  ENSURE(record.voters.size() <= limits::voters, "voters", record.voters.size());
  ByteWriter writer = begin(out);
  writer.number(record.token);
  writer.number(static_cast<std::uint8_t>(record.kind));
  write_text8(writer, record.subject);
  writer.number(record.value);
  write_text8(writer, record.proposer);
  writer.varint(static_cast<std::uint64_t>(record.deadline.count()));
  writer.number(static_cast<std::uint16_t>(record.voters.size()));
  for (const std::string_view voter : record.voters) write_text8(writer, voter);
}

bool decode(ByteView payload, ProposeRecord& out) {
  ByteReader reader(payload);
  const bool known = reader.number<std::uint8_t>() == record_version;
  out.token = reader.number<std::uint64_t>();
  const auto kind = reader.number<std::uint8_t>();
  out.kind = static_cast<ProposalKind>(kind);
  out.subject = read_text8(reader);
  out.value = reader.number<std::int64_t>();
  out.proposer = read_text8(reader);
  out.deadline = std::chrono::milliseconds(std::min(reader.varint(), longest_deadline));
  const auto count = reader.number<std::uint16_t>();
  out.voters.clear();
  for (unsigned place = 0; place < count && !reader.failed(); ++place)
    out.voters.push_back(read_text8(reader));
  const bool makes_sense = out.kind != ProposalKind::RoleChange || is_node_role(out.value);
  return known && reader.complete() && kind < proposal_kinds && makes_sense && !out.subject.empty() &&
         std::is_sorted(out.voters.begin(), out.voters.end());
}

void encode(const VoteRecord& record, Bytes& out) {
  ByteWriter writer = begin(out);
  writer.number(record.proposal);
  writer.number(static_cast<std::uint8_t>((record.yes ? Yes : 0) | (record.by_person ? ByPerson : 0)));
  write_text8(writer, record.voter);
  write_text8(writer, record.reason.substr(0, 0xff));
}

bool decode(ByteView payload, VoteRecord& out) {
  ByteReader reader(payload);
  const bool known = reader.number<std::uint8_t>() == record_version;
  out.proposal = reader.number<std::uint64_t>();
  const auto how = reader.number<std::uint8_t>();
  out.yes = (how & Yes) != 0;
  out.by_person = (how & ByPerson) != 0;
  out.voter = read_text8(reader);
  out.reason = read_text8(reader);
  return known && reader.complete() && how <= (Yes | ByPerson) && !out.voter.empty();
}

void encode(const DecideRecord& record, Bytes& out) {
  ByteWriter writer = begin(out);
  writer.number(record.proposal);
  writer.number(static_cast<std::uint8_t>(record.status));
}

bool decode(ByteView payload, DecideRecord& out) {
  ByteReader reader(payload);
  const bool known = reader.number<std::uint8_t>() == record_version;
  out.proposal = reader.number<std::uint64_t>();
  const auto status = reader.number<std::uint8_t>();
  out.status = static_cast<ProposalStatus>(status);
  return known && reader.complete() && status >= static_cast<std::uint8_t>(ProposalStatus::Accepted) &&
         status <= static_cast<std::uint8_t>(ProposalStatus::Expired);
}

}  // namespace cidbus
