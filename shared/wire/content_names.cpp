#include <algorithm>

#include "shared/base/limits/names.h"
#include "shared/base/limits/words.h"
#include "shared/content/cid.h"
#include "shared/content/quote.h"
#include "shared/wire/values.h"

namespace cidbus::wire {
namespace {

// A name, a pattern or a tag's value: a line that a person wrote.
std::string_view get_line(capnp::Text::Reader in, Checks& checks) {
  const std::string_view line = checks.text(in, limits::content_name_bytes, "a name or tag that is too long");
  checks.require(is_plain_line(line), "a name or tag with control characters, or not in UTF-8");
  return line;
}
std::vector<std::pair<std::string_view, std::string_view>> get_tags(
    capnp::List<schema::ContentName::Tag>::Reader in, Checks& checks) {
  std::vector<std::pair<std::string_view, std::string_view>> tags;
  const unsigned count = checks.count(in, "too many tags", limits::tags_a_name);
  for (unsigned place = 0; place < count; ++place) {
    const std::string_view key = checks.name(in[place].getKey(), "a tag's key that is not a name");
    checks.require(!key.empty(), "a tag without a key");
    const bool twice =
        std::any_of(tags.begin(), tags.end(), [&](const auto& tag) { return tag.first == key; });
    checks.require(!twice, "two tags of one key");
    tags.emplace_back(key, get_line(in[place].getValue(), checks));
  }
  return tags;
}

}  // namespace

ContentName get(schema::ContentName::Reader in, Checks& checks) {
  ContentName name;
  name.name = get_line(in.getName(), checks);
  checks.require(!name.name.empty(), "a name that is empty");
  name.cid = checks.data(in.getCid(), limits::cid_bytes, "a CID that is too long");
  checks.require(name.cid.empty() || Cid::from_bytes(name.cid).has_value(), "a CID that is none");
  name.tags = get_tags(in.getTags(), checks);
  name.named_at = {in.getNamedAt()};
  return name;
}

FindContent get(schema::FindContent::Reader in, Checks& checks) {
  FindContent question{RequestId{in.getRequest()}, get_line(in.getName(), checks),
                       get_tags(in.getTags(), checks), get_line(in.getAfter(), checks), in.getLimit()};
  checks.require(question.limit > 0 && question.limit <= limits::items_a_message,
                 "a limit of 0, or too high a one");
  return question;
}

ContentNames get(schema::ContentNames::Reader in, Checks& checks) {
  ContentNames names;
  names.request = {in.getRequest()};
  const auto entries = in.getEntries();
  const unsigned count = checks.count(entries, "a list of more than 4096 items");
  for (unsigned place = 0; place < count; ++place) names.entries.push_back(get(entries[place], checks));
  names.next = get_line(in.getNext(), checks);
  return names;
}

}  // namespace cidbus::wire
