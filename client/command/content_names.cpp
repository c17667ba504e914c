#include "client/command/content_names.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "client/command/json_writer.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/base/limits/names.h"
#include "shared/base/limits/words.h"
#include "shared/content/quote.h"

namespace cidbus {
namespace {

constexpr std::uint32_t names_a_page = 1000;

using Views = std::vector<std::pair<std::string_view, std::string_view>>;

Status check_line(const char* option, std::string_view text) {
  if (is_plain_line(text) && text.size() <= limits::content_name_bytes) return {};
  return fault(FaultKind::BadUsage,
               std::string(option) + ": " + in_quotes(text) + " cannot be one; use at most " +
                   std::to_string(limits::content_name_bytes) + " bytes of UTF-8 without control characters");
}

Result<std::vector<std::pair<std::string, std::string>>> parse_tags(const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, std::string>> tags;
  if (words.size() > limits::tags_a_name)
    return fault(FaultKind::BadUsage, "--tag: at most " + std::to_string(limits::tags_a_name) + " of them");
  for (const std::string& word : words) {
    auto tag = parse_parameter(word);
    const auto key_end = word.find('=');
    if (key_end == std::string::npos)
      return fault(FaultKind::BadUsage, "--tag: " + in_quotes(word) + " is no tag; give KEY=VALUE");
    if (!tag) {
      return fault(FaultKind::BadUsage, "--tag: " + in_quotes(word.substr(0, key_end)) +
                                            " cannot be a key; use 1 to " +
                                            std::to_string(limits::name_length) + " of A-Z a-z 0-9 . _ -");
    }
    if (Status good = check_line("--tag", tag->second); !good) return tl::unexpected(good.error());
    const bool twice =
        std::any_of(tags.begin(), tags.end(), [&](const auto& other) { return other.first == tag->first; });
    if (twice) return fault(FaultKind::BadUsage, "--tag: " + in_quotes(tag->first) + " is given twice");
    tags.push_back(*std::move(tag));
  }
  return tags;
}

Views views_of(const std::vector<std::pair<std::string, std::string>>& tags) {
  return {tags.begin(), tags.end()};
}

// Asks until an answer to this request comes; `take` sees it.
Status ask_names(Context& context, const Message& question, RequestId request,
                 const std::function<void(const ContentNames&)>& take) {
  return context.ask(question, [&](const Message& message) {
    const auto* names = std::get_if<ContentNames>(&message);
    if (names == nullptr || names->request != request) return false;
    take(*names);
    return true;
  });
}

std::string text_of(const ContentName& entry) { return to_text(*Cid::from_bytes(entry.cid)); }

void print(Output& output, const ContentName& entry) {
  if (output.format() == Format::Quiet) return output.line(text_of(entry));
  if (output.is_json()) {
    JsonWriter json;
    json.open_object().name("name").string(entry.name).name("cid").string(text_of(entry));
    json.name("tags").open_object();
    for (const auto& [key, value] : entry.tags) json.name(key).string(value);
    json.close_object().name("named_at").string(to_rfc3339(entry.named_at));
    return output.item(json.close_object().text());
  }
  std::string line = text_of(entry) + "  " + printable(entry.name);
  for (const auto& [key, value] : entry.tags) line += "  " + printable(key) + "=" + printable(value);
  output.line(line);
}

struct FindWords {
  std::string name;
  std::vector<std::string> tags;
};

// Every name the question finds, page by page, until `take` says false.
Status each_name(Context& context, FindContent question,
                 const std::function<bool(const ContentName&)>& take) {
  question.limit = names_a_page;
  std::string after;
  bool go_on = true;
  do {
    question.request = context.next_request();
    question.after = after;
    std::string next;
    Status asked = ask_names(context, question, question.request, [&](const ContentNames& names) {
      for (const ContentName& entry : names.entries) go_on = go_on && take(entry);
      next = names.next;
    });
    if (!asked) return asked;
    after = next;
  } while (go_on && !after.empty() && context.interrupted() == 0);
  return {};
}

Result<int> find(Context& context, const FindWords& words) {
  if (Status good = check_line("--name", words.name); !good) return tl::unexpected(good.error());
  const auto tags = parse_tags(words.tags);
  if (!tags) return tl::unexpected(tags.error());
  FindContent question;
  question.name = words.name;
  question.tags = views_of(*tags);
  std::size_t found = 0;
  context.output().open_list();
  const Status asked = each_name(context, question, [&](const ContentName& entry) {
    print(context.output(), entry);
    ++found;
    return true;
  });
  if (!asked) return tl::unexpected(asked.error());
  context.output().close_list();
  return found > 0 ? 0 : 1;
}

// Looks first: the answer to taking it off cannot tell, since it may be that of a second try.
Result<int> forget(Context& context, const std::string& name) {
  if (Status good = check_line("NAME", name); !good) return tl::unexpected(good.error());
  FindContent question;
  question.name = name;  // a pattern, which finds itself and maybe others
  bool there = false;
  const Status looked = each_name(context, question, [&](const ContentName& entry) {
    there = entry.name == name;
    return !there;
  });
  if (!looked) return tl::unexpected(looked.error());
  if (!there)
    return fault(FaultKind::NotFound,
                 "no content is called " + in_quotes(name) + "; see 'cidbus find' for all names");
  NameContent none{context.next_request(), {name, {}, {}, {}}};
  const Status asked = ask_names(context, none, none.request, [](const ContentNames&) {});
  if (!asked) return tl::unexpected(asked.error());
  return 0;
}

}  // namespace

std::string name_problem(const std::string& name) { return name.empty() ? "a name cannot be empty" : ""; }

Result<GivenName> parse_given_name(const std::string& name, const std::vector<std::string>& tags) {
  if (name.empty() && !tags.empty())
    return fault(FaultKind::BadUsage, "--tag describes a name; give --name too");
  if (Status good = check_line("--name", name); !good) return tl::unexpected(good.error());
  auto parsed = parse_tags(tags);
  if (!parsed) return tl::unexpected(parsed.error());
  return GivenName{name, *std::move(parsed)};
}

Status give_name(Context& context, const GivenName& given, const Cid& cid) {
  const NameContent wanted{context.next_request(), {given.name, cid.bytes(), views_of(given.tags), {}}};
  return ask_names(context, wanted, wanted.request, [](const ContentNames&) {});
}

void add_name_commands(CommandRegistry& registry) {
  const auto words = std::make_shared<FindWords>();  // shared by the options and the action
  CLI::App& app =
      registry.leaf(registry.root(),
                    {"find", "Find content by its name and tags; exit code 1 when there is none",
                     "  cidbus find\n  cidbus find --name 'holiday/*' --tag year=2026 --output json\n"},
                    [words](Context& context) { return find(context, *words); });
  app.add_option("--name", words->name, "Names that match; * for any text, ? for any one byte")
      ->type_name("GLOB");
  app.add_option("--tag", words->tags, "Names with this tag; may be given again, all must be there")
      ->type_name("K=V")
      ->allow_extra_args(false);
  const auto name = std::make_shared<std::string>();  // likewise
  registry
      .leaf(registry.root(),
            {"forget", "Take a name off its content, which stays", "  cidbus forget holiday/2025\n"},
            [name](Context& context) { return forget(context, *name); })
      .add_option("NAME", *name, "Which")
      ->type_name("")
      ->check(name_problem)
      ->required();
}

}  // namespace cidbus
