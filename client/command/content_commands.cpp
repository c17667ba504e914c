#include <CLI/CLI.hpp>
#include <memory>

#include "client/command/content_access.h"
#include "client/command/content_names.h"
#include "client/command/json_writer.h"
#include "client/command/progress_bar.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/content/filesystem_export.h"
#include "shared/content/quote.h"
#include "shared/io/clock.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

// A signal ends a long transfer between two blocks.
Status go_on(Context& context) {
  if (context.interrupted() == 0) return {};
  return fault(FaultKind::Failed, "interrupted");
}

std::vector<std::string> profile_words() {
  std::vector<std::string> words;
  for (const ImportProfile& profile : {unixfs_v1_2025, unixfs_v0_2015, kubo_cidv1_raw_256k})
    words.emplace_back(profile.name);
  return words;
}

struct AddWords {
  std::string path;
  std::string profile{default_profile.name};
  AddOptions options;
  std::string name;
  std::vector<std::string> tags;
};

Result<int> add(Context& context, AddWords& words) {
  words.options.profile = *find_profile(words.profile);  // one of profile_words()
  const auto given = parse_given_name(words.name, words.tags);
  if (!given) return tl::unexpected(given.error());
  ContentAccess content(context);
  ProgressBar progress(context.environment(), "adding", read_clock().monotonic);
  const auto added = content.add(words.path, words.options, [&](ByteCount done, ByteCount total) {
    progress.show(read_clock().monotonic, done, total);
    return go_on(context);
  });
  progress.clear();
  if (!added) return tl::unexpected(added.error());
  if (!given->name.empty()) {
    const Status named = give_name(context, *given, added->cid);
    if (!named) {
      return fault(named.error().kind,
                   to_text(added->cid) + " was added, and not named: " + named.error().message);
    }
  }
  if (!context.output().is_json()) {
    context.output().line(to_text(added->cid));
    return 0;
  }
  JsonWriter json;
  json.open_object().name("cid").string(to_text(added->cid)).name("size").number(added->bytes);
  context.output().line(json.name("blocks").number(added->blocks).close_object().text());
  return 0;
}

// What a path below a CID leads to.
Result<Cid> find(Reader& reader, const std::string& word) {
  const auto path = parse_content_path(word);
  if (!path) return tl::unexpected(path.error());
  const auto cids = reader.resolve(*path);
  if (!cids) return tl::unexpected(cids.error());
  return cids->back();
}

// The name a fetched thing gets when none was given: the last of its path.
Result<std::filesystem::path> default_destination(const std::string& word) {
  const auto path = parse_content_path(word);
  if (!path) return tl::unexpected(path.error());
  const std::string name = path->segments.empty() ? to_text(path->root) : path->segments.back();
  if (name == "." || name == "..")
    return fault(FaultKind::BadUsage, in_quotes(name) + " cannot name a file; give -o PATH");
  return std::filesystem::path(name);
}

// Content to standard output as it comes.
class OutputSink final : public ByteSink {
 public:
  explicit OutputSink(Context& context) : context_(context) {}
  Status write(ByteView bytes) override {
    if (const Status going = go_on(context_); !going) return going;
    return context_.environment().out.write(bytes);
  }

 private:
  Context& context_;
};

Result<int> cat(Context& context, const std::string& word) {
  ContentAccess content(context);
  const auto cid = find(content.reader(), word);
  if (!cid) return tl::unexpected(cid.error());
  OutputSink sink(context);
  const auto read = content.reader().read(*cid, {}, sink);
  if (!read) return tl::unexpected(read.error());
  return 0;
}

Result<int> get(Context& context, const std::string& word, const std::string& destination) {
  if (destination == "-") return cat(context, word);
  auto target = destination.empty() ? default_destination(word) : std::filesystem::path(destination);
  if (!target) return tl::unexpected(target.error());
  const std::filesystem::path parent = target->parent_path();
  std::error_code error;
  if (!parent.empty() && !std::filesystem::exists(parent, error) && error.value() != EACCES)
    return fault(FaultKind::BadData, in_quotes(parent.native()) + ": no such folder; make it first");
  ContentAccess content(context);
  const auto cid = find(content.reader(), word);
  if (!cid) return tl::unexpected(cid.error());
  // As cp does: into a folder that is there, under the name of what is fetched.
  if (!destination.empty() && std::filesystem::is_directory(*target, error)) {
    const auto name = default_destination(word);
    if (!name) return tl::unexpected(name.error());
    *target /= *name;
  }
  ProgressBar progress(context.environment(), "fetching", read_clock().monotonic);
  ByteCount bytes = 0;
  const Status exported =
      export_path(content.reader(), *cid, *target, [&](ByteCount done, ByteCount total) -> Status {
        bytes = done;
        progress.show(read_clock().monotonic, done, total);
        return go_on(context);
      });
  progress.clear();
  if (!exported) return tl::unexpected(exported.error());
  if (!context.output().is_json()) {
    if (context.output().format() == Format::Table) context.output().line(printable(target->native()));
    return 0;
  }
  JsonWriter json;
  json.open_object().name("cid").string(to_text(*cid)).name("path").string(target->native());
  context.output().line(json.name("size").number(bytes).close_object().text());
  return 0;
}

void print_entry(Output& output, const ListedEntry& entry) {
  if (output.is_json()) {
    JsonWriter json;
    json.open_object().name("name").string(entry.name).name("cid").string(to_text(entry.cid));
    output.item(json.name("size").number(entry.tsize).close_object().text());
  } else if (output.format() == Format::Quiet) {
    output.line(to_text(entry.cid));
  } else {
    output.line(to_text(entry.cid) + "  " + std::to_string(entry.tsize) + "  " + printable(entry.name));
  }
}

Result<int> list(Context& context, const std::string& word) {
  ContentAccess content(context);
  const auto cid = find(content.reader(), word);
  if (!cid) return tl::unexpected(cid.error());
  context.output().open_list();
  const Status listed = content.reader().list(*cid, [&](const ListedEntry& entry) -> Result<Visit> {
    if (const Status going = go_on(context); !going) return tl::unexpected(going.error());
    print_entry(context.output(), entry);
    return Visit::Continue;
  });
  if (!listed) return tl::unexpected(listed.error());
  context.output().close_list();
  return 0;
}

std::string_view kind_text(NodeKind kind) {
  switch (kind) {
    case NodeKind::File:
      return "file";
    case NodeKind::Directory:
      return "folder";
    default:
      return "symlink";
  }
}

Result<int> stat(Context& context, const std::string& word) {
  ContentAccess content(context);
  const auto cid = find(content.reader(), word);
  if (!cid) return tl::unexpected(cid.error());
  const auto stat = content.reader().stat(*cid);
  if (!stat) return tl::unexpected(stat.error());
  Output& output = context.output();
  if (output.is_json()) {
    JsonWriter json;
    json.open_object().name("cid").string(to_text(stat->cid)).name("kind").string(kind_text(stat->kind));
    json.name("sharded").boolean(stat->sharded).name("size").number(stat->size);
    json.name("cumulative_size").number(stat->cumulative_size).name("block_size").number(stat->block_bytes);
    output.line(json.name("links").number(stat->links).close_object().text());
  } else if (output.format() == Format::Quiet) {
    output.line(to_text(stat->cid));
  } else {
    const auto bytes = [](ByteCount count) {
      return count < 1024 ? readable_bytes(count)
                          : std::to_string(count) + " (" + readable_bytes(count) + ")";
    };
    output.table({{"cid", to_text(stat->cid)},
                  {"kind", std::string(kind_text(stat->kind)) + (stat->sharded ? ", sharded" : "")},
                  {"size", bytes(stat->size)},
                  {"cumulative size", bytes(stat->cumulative_size)},
                  {"block size", bytes(stat->block_bytes)},
                  {"links", std::to_string(stat->links)}});
  }
  return 0;
}

void add_add(CommandRegistry& registry) {
  const auto words = std::make_shared<AddWords>();  // shared by the options and the action
  CLI::App& app =
      registry.leaf(registry.root(),
                    {"add", "Add a file or a folder; prints its CID once enough nodes hold it",
                     "  cidbus add picture.jpg\n  cidbus add photos --recursive --output json\n"
                     "  cidbus add data.bin --profile unixfs-v0-2015     the CID Kubo gives by default\n"},
                    [words](Context& context) { return add(context, *words); });
  app.add_option("PATH", words->path, "What to add")->type_name("")->required();
  app.add_flag("--recursive", words->options.recursive, "A folder, with all below it");
  CLI::Option* const profile = app.add_option("--profile", words->profile, "How CIDs are made");
  profile->type_name("WORD")->capture_default_str();
  allow_only(*profile, profile_words());
  app.add_flag("--hidden", words->options.hidden, "Names that begin with a dot as well");
  app.add_option("--name", words->name, "What to call it; a name that is taken is moved to it")
      ->type_name("N")
      ->check(name_problem);
  app.add_option("--tag", words->tags, "A tag of the name; may be given again")
      ->type_name("K=V")
      ->allow_extra_args(false);
  app.add_option("--copies", words->options.copies, "Nodes that must hold it before this returns")
      ->type_name("N")
      ->default_str("2")
      ->check(CLI::Range(1U, 16U));
}

void add_get(CommandRegistry& registry) {
  const auto word = std::make_shared<std::string>();         // shared by the options and the action
  const auto destination = std::make_shared<std::string>();  // likewise
  CLI::App& app =
      registry.leaf(registry.root(),
                    {"get", "Fetch a file or a folder and write it here",
                     "  cidbus get CID -o small.jpg\n  cidbus get CID/holiday/beach.jpg\n"},
                    [word, destination](Context& context) { return get(context, *word, *destination); });
  app.add_option("CID[/PATH]", *word, "What to fetch")->type_name("")->required();
  app.add_option("-o", *destination,
                 "Where to; a folder that is there gets it inside; - is standard output, for a file")
      ->type_name("PATH")
      ->default_str(".");
}

using ContentAction = Result<int> (*)(Context&, const std::string&);

void add_reading(CommandRegistry& registry, const LeafText& text, ContentAction action) {
  const auto word = std::make_shared<std::string>();  // shared by the option and the action
  registry.leaf(registry.root(), text, [word, action](Context& context) { return action(context, *word); })
      .add_option("CID[/PATH]", *word, "What to look at")
      ->type_name("")
      ->required();
}

}  // namespace

void add_content_commands(CommandRegistry& registry) {
  add_add(registry);
  add_get(registry);
  add_reading(registry,
              {"cat", "Write a file's content to standard output",
               "  cidbus cat CID | less\n  cidbus cat CID/notes/today.txt\n"},
              cat);
  add_reading(registry,
              {"ls", "List a folder: CID, size of all below, name",
               "  cidbus ls CID\n  cidbus ls CID/holiday --output ndjson\n"},
              list);
  add_reading(registry,
              {"stat", "Tell what a CID is: kind, sizes, links",
               "  cidbus stat CID\n  cidbus stat CID --output json\n"},
              stat);
}

}  // namespace cidbus
