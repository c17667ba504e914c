#include "broker/tasks/catalogue.h"

#include <algorithm>

#include "shared/base/glob.h"
#include "shared/base/limits/names.h"

namespace cidbus {
namespace {

constexpr std::size_t compared_a_look = 1024;  // bytes; a pattern may have to be tried at each byte of a name
constexpr std::uint64_t entry_bytes = 160;     // of an entry beside its texts, about

bool has_all(const ContentName& entry,
             const std::vector<std::pair<std::string_view, std::string_view>>& tags) {
  return std::all_of(tags.begin(), tags.end(), [&](const auto& wanted) {
    return std::find(entry.tags.begin(), entry.tags.end(), wanted) != entry.tags.end();
  });
}

}  // namespace

std::uint64_t cost_of(const NameRecord& record) {
  std::uint64_t bytes = entry_bytes + record.name.size() + record.cid.size();
  for (const auto& [key, value] : record.tags) bytes += entry_bytes / 2 + key.size() + value.size();
  return bytes;
}

// The star seen last may stand for one byte more whenever the rest does not match.
ContentName Catalogue::to_content_name(const Names::value_type& entry) {
  ContentName name{entry.first, entry.second.cid, {}, entry.second.at};
  for (const auto& [key, value] : entry.second.tags) name.tags.emplace_back(key, value);
  return name;
}

std::uint64_t Catalogue::cost_of(std::string_view name, const Named& named) {
  NameRecord record{name, named.cid, {}};
  for (const auto& [key, value] : named.tags) record.tags.emplace_back(key, value);
  return cidbus::cost_of(record);
}

Digest Catalogue::digest_of(const Names::value_type& entry) {
  const ContentName name = to_content_name(entry);
  Bytes row;
  encode(NameRecord{name.name, name.cid, name.tags}, row);
  return digest_of_name(name.named_at, row);
}

Digest Catalogue::walked_digest() const {
  Digest sum;
  for (const auto& entry : names_) sum += digest_of(entry);
  return sum;
}

void Catalogue::set(const NameRecord& record, WallTime at) {
  if (const auto known = names_.find(record.name); known != names_.end()) {
    bytes_ -= cost_of(known->first, known->second);
    digest_ -= digest_of(*known);
    names_.erase(known);
  }
  if (record.cid.empty()) return;
  Named named{to_bytes(record.cid), {}, at};
  for (const auto& [key, value] : record.tags) named.tags.emplace_back(key, value);
  const auto added = names_.emplace(record.name, std::move(named)).first;
  digest_ += digest_of(*added);
  bytes_ += cidbus::cost_of(record);
}

bool Catalogue::has_room(const NameRecord& record, std::uint64_t coming) const {
  if (record.cid.empty()) return true;
  const bool known = names_.contains(record.name);
  return (known || names_.size() < limits::content_names) &&
         bytes_ + coming + cidbus::cost_of(record) <= limits::content_names_bytes;
}

Catalogue::Page Catalogue::find(const FindContent& question) const {
  Page page;
  // Only what begins as the pattern does can match.
  const std::string_view front = question.name.substr(0, question.name.find_first_of("*?"));
  auto at = question.after < front ? names_.lower_bound(front) : names_.upper_bound(question.after);
  std::string_view last;
  std::uint64_t bytes = 0;
  std::size_t looked = 0;
  for (; at != names_.end() && at->first.starts_with(front); ++at) {
    if (looked >= limits::names_looked_at || page.entries.size() == question.limit ||
        bytes >= limits::names_answer_bytes) {
      page.next = last;
      return page;
    }
    last = at->first;
    looked += 1 + question.name.size() * at->first.size() / compared_a_look;
    if (!question.name.empty() && !matches_glob(question.name, at->first)) continue;
    ContentName entry = to_content_name(*at);
    if (!has_all(entry, question.tags)) continue;
    bytes += cost_of(at->first, at->second);
    page.entries.push_back(std::move(entry));
  }
  return page;
}

std::optional<ContentName> Catalogue::find(std::string_view name) const {
  const auto known = names_.find(name);
  return known == names_.end() ? std::nullopt : std::optional(to_content_name(*known));
}

void Catalogue::for_each_row(const std::function<void(WallTime at, const NameRecord& record)>& visit) const {
  for (const auto& entry : names_) {
    const ContentName name = to_content_name(entry);
    visit(name.named_at, {name.name, name.cid, name.tags});
  }
}

}  // namespace cidbus
