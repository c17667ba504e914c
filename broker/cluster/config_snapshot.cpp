#include "broker/cluster/config_book.h"
#include "shared/base/limits/config.h"

namespace cidbus {
namespace {

enum How : std::uint8_t { Yes = 1, ByPerson = 2 };

void write_text8(ByteWriter& writer, std::string_view text) {
  writer.number(static_cast<std::uint8_t>(text.size()));
  writer.raw(as_bytes(text));
}
std::string_view read_text8(ByteReader& reader) { return as_text(reader.raw(reader.number<std::uint8_t>())); }

void write_ballot(ByteWriter& writer, const Ballot& ballot) {
  writer.number(ballot.id);
  writer.number(ballot.token);
  writer.number(static_cast<std::uint8_t>(ballot.kind));
  writer.number(static_cast<std::uint8_t>(ballot.status));
  write_text8(writer, ballot.subject);
  writer.number(ballot.value);
  write_text8(writer, ballot.proposer);
  writer.number(ballot.proposed_at.milliseconds);
  writer.number(ballot.deadline.milliseconds);
  writer.number(ballot.decided_at.milliseconds);
  writer.number(ballot.version);
  writer.number(ballot.eligible);
  writer.number(ballot.yes);
  writer.number(ballot.no);
  writer.number(static_cast<std::uint32_t>(ballot.votes.size()));
  for (const Ballot::Vote& vote : ballot.votes) {
    write_text8(writer, vote.voter);
    writer.number(static_cast<std::uint8_t>((vote.yes ? Yes : 0) | (vote.by_person ? ByPerson : 0)));
    write_text8(writer, vote.reason);
  }
  writer.number(static_cast<std::uint32_t>(ballot.waiting.size()));
  for (const std::string& voter : ballot.waiting) write_text8(writer, voter);
}

bool read_ballot(ByteReader& reader, Ballot& ballot) {
  ballot.id = reader.number<std::uint64_t>();
  ballot.token = reader.number<std::uint64_t>();
  const auto kind = reader.number<std::uint8_t>();
  const auto status = reader.number<std::uint8_t>();
  ballot.kind = static_cast<ProposalKind>(kind);
  ballot.status = static_cast<ProposalStatus>(status);
  ballot.subject = read_text8(reader);
  ballot.value = reader.number<std::int64_t>();
  ballot.proposer = read_text8(reader);
  ballot.proposed_at.milliseconds = reader.number<std::int64_t>();
  ballot.deadline.milliseconds = reader.number<std::int64_t>();
  ballot.decided_at.milliseconds = reader.number<std::int64_t>();
  ballot.version = reader.number<std::uint64_t>();
  ballot.eligible = reader.number<std::uint32_t>();
  ballot.yes = reader.number<std::uint32_t>();
  ballot.no = reader.number<std::uint32_t>();
  const auto votes = reader.number<std::uint32_t>();
  for (std::uint32_t place = 0; place < votes && !reader.failed(); ++place) {
    Ballot::Vote vote;
    vote.voter = read_text8(reader);
    const auto how = reader.number<std::uint8_t>();
    vote.yes = (how & Yes) != 0;
    vote.by_person = (how & ByPerson) != 0;
    vote.reason = read_text8(reader);
    ballot.votes.push_back(std::move(vote));
  }
  const auto waiting = reader.number<std::uint32_t>();
  for (std::uint32_t place = 0; place < waiting && !reader.failed(); ++place)
    ballot.waiting.emplace(read_text8(reader));
  const bool open = ballot.status == ProposalStatus::Pending;
  const std::size_t told = std::size_t{ballot.yes} + ballot.no + ballot.waiting.size();
  const bool makes_sense = ballot.kind != ProposalKind::RoleChange || is_node_role(ballot.value);
  return !reader.failed() && kind < proposal_kinds && makes_sense &&
         status <= static_cast<std::uint8_t>(ProposalStatus::Expired) && ballot.id != 0 &&
         (!open || (told == ballot.eligible && ballot.votes.size() == std::size_t{ballot.yes} + ballot.no)) &&
         (ballot.version != 0) == (ballot.status == ProposalStatus::Accepted);
}

}  // namespace

void ConfigBook::write(Bytes& out) const {
  ByteWriter writer(out);
  writer.number(version_);
  writer.number(next_);
  writer.number(static_cast<std::uint32_t>(entries_.size()));
  for (const auto& [key, entry] : entries_) {
    write_text8(writer, key);
    writer.number(entry.value);
    writer.number(entry.version);
    writer.number(entry.proposal);
    writer.number(entry.since.milliseconds);
  }
  writer.number(static_cast<std::uint32_t>(forbidden_.size()));
  for (const std::string& name : forbidden_) write_text8(writer, name);
  writer.number(static_cast<std::uint32_t>(open_.size()));
  for (const auto& [id, ballot] : open_) write_ballot(writer, ballot);
  writer.number(static_cast<std::uint32_t>(decided_.size()));
  for (const Ballot& ballot : decided_) write_ballot(writer, ballot);
}

bool ConfigBook::read(ByteView bytes) {
  ByteReader reader(bytes);
  version_ = reader.number<std::uint64_t>();
  next_ = reader.number<std::uint64_t>();
  bool good = next_ != 0;
  const auto entries = reader.number<std::uint32_t>();
  for (std::uint32_t place = 0; place < entries && !reader.failed(); ++place) {
    const std::string key(read_text8(reader));
    Entry entry;
    entry.value = reader.number<std::int64_t>();
    entry.version = reader.number<std::uint64_t>();
    entry.proposal = reader.number<std::uint64_t>();
    entry.since.milliseconds = reader.number<std::int64_t>();
    good = good && entries_.emplace(key, entry).second && entry.version <= version_;
  }
  const auto names = reader.number<std::uint32_t>();
  for (std::uint32_t place = 0; place < names && !reader.failed(); ++place)
    good = good && forbidden_.emplace(read_text8(reader)).second;
  const auto open = reader.number<std::uint32_t>();
  for (std::uint32_t place = 0; place < open && good && !reader.failed(); ++place) {
    Ballot ballot;
    good = read_ballot(reader, ballot) && ballot.status == ProposalStatus::Pending && ballot.id < next_ &&
           find_open(ballot.kind, ballot.subject) == nullptr && !open_.contains(ballot.id);
    open_.emplace(ballot.id, std::move(ballot));
  }
  const auto decided = reader.number<std::uint32_t>();
  for (std::uint32_t place = 0; place < decided && good && !reader.failed(); ++place) {
    Ballot ballot;
    const std::uint64_t last = decided_.empty() ? 0 : decided_.back().id;
    good = read_ballot(reader, ballot) && ballot.status != ProposalStatus::Pending && ballot.id > last &&
           ballot.id < next_ && ballot.version <= version_ && !open_.contains(ballot.id);
    decided_.push_back(std::move(ballot));
  }
  return good && reader.complete();
}

}  // namespace cidbus
