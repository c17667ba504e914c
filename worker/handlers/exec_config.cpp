#include "worker/handlers/exec_config.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "shared/base/limits/programs.h"
#include "shared/base/limits/words.h"
#include "shared/content/quote.h"
#include "worker/handlers/parameters.h"

namespace cidbus {
namespace {

using Kind = ConfigValue::Kind;
using std::chrono::milliseconds;

constexpr std::string_view word_letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

bool is_word(std::string_view text) {
  const bool starts_well = !text.empty() && text.find_first_of("0123456789") != 0;
  return starts_well && text.size() <= limits::name_length &&
         text.find_first_not_of(word_letters) == std::string_view::npos;
}

// Reads the keys of one table; after the first fault nothing more is read.
class TableReader {
 public:
  TableReader(std::string name, const ConfigValue& table) : name_(std::move(name)), table_(table) {}

  std::string text(const char* key, std::string otherwise) {
    const ConfigValue* value = take(key, Kind::Text);
    return value == nullptr ? otherwise : value->text;
  }
  bool boolean(const char* key) {
    const ConfigValue* value = take(key, Kind::Boolean);
    return value != nullptr && value->text == "true";
  }
  std::uint64_t whole(const char* key, std::uint64_t otherwise, std::uint64_t least, std::uint64_t most) {
    const ConfigValue* value = take(key, Kind::Integer);
    if (value == nullptr) return otherwise;
    return in_range(key, *value, parse(value->text, {{"", 1}}), least, most);
  }
  ByteCount size(const char* key, ByteCount otherwise, ByteCount least, ByteCount most) {
    const ConfigValue* value = take(key, Kind::Text);
    if (value == nullptr) return otherwise;
    return in_range(key, *value,
                    parse(value->text, {{"KB", 1ULL << 10}, {"MB", 1ULL << 20}, {"GB", 1ULL << 30}}), least,
                    most);
  }
  milliseconds duration(const char* key, milliseconds otherwise) {
    const ConfigValue* value = take(key, Kind::Text);
    if (value == nullptr) return otherwise;
    const auto number = parse(value->text, {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}});
    constexpr std::uint64_t week = 7 * 24 * 3'600'000;
    return milliseconds(in_range(key, *value, number, 1, week));
  }
  std::size_t one_of(const char* key, std::vector<std::string_view> words, std::size_t otherwise) {
    const ConfigValue* value = take(key, Kind::Text);
    if (value == nullptr) return otherwise;
    const auto found = std::find(words.begin(), words.end(), value->text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    std::string known;
    for (const std::string_view word : words) known += (known.empty() ? "" : ", ") + std::string(word);
    fail(*value, std::string(key) + " cannot be " + in_quotes(value->text) + "; give one of " + known);
    return otherwise;
  }
  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> list;
    const ConfigValue* value = take(key, Kind::List);
    if (value == nullptr) return list;
    for (const ConfigValue& item : value->items) {
      if (!expect(item, Kind::Text, std::string("what ") + key + " lists")) break;
      list.push_back(item.text);
    }
    return list;
  }
  NamedTexts named_texts(const char* key) {
    NamedTexts named;
    const ConfigValue* value = take(key, Kind::Table);
    if (value == nullptr) return named;
    for (const auto& [name, item] : value->entries) {
      if (!expect(item, Kind::Text, std::string(key) + "." + name)) break;
      named.emplace_back(name, item.text);
    }
    return named;
  }

  // Where a key stands; the table itself when it does not.
  [[nodiscard]] const ConfigValue& at(const char* key) const {
    const ConfigValue* value = table_.find(key);
    return value == nullptr ? table_ : *value;
  }
  void fail(const ConfigValue& where, const std::string& why) {
    if (!failure_) failure_ = Fault{FaultKind::BadData, to_text(where.place) + ": " + name_ + ": " + why};
  }
  // REQUIRES: every key has been asked for.
  Status finish() {
    for (const auto& [key, value] : table_.entries) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      std::string all;
      for (const std::string& name : known_) all += (all.empty() ? "" : ", ") + name;
      fail(value, "unknown key " + in_quotes(key) + "; there are " + all);
    }
    if (failure_) return tl::unexpected(*failure_);
    return {};
  }

 private:
  struct Unit {
    std::string_view name;
    std::uint64_t worth;
  };
  static std::optional<std::uint64_t> parse(std::string_view text, std::initializer_list<Unit> units) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const Unit& known : units) {
      if (error == std::errc{} && unit == known.name && number <= ~0ULL / known.worth)
        return number * known.worth;
    }
    return std::nullopt;
  }
  std::uint64_t in_range(const char* key, const ConfigValue& value, std::optional<std::uint64_t> number,
                         std::uint64_t least, std::uint64_t most) {
    if (number && *number >= least && *number <= most) return *number;
    fail(value, std::string(key) + " cannot be " + in_quotes(value.text) + "; give " +
                    (value.kind == Kind::Integer
                         ? "a number from " + std::to_string(least) + " to " + std::to_string(most)
                     : std::string_view(key) == "time"
                         ? "a time such as 500ms, 30s, 5m or 2h, at most 168h"
                         : "a size such as 256MB or 2GB, from " + std::to_string(least >> 20) + "MB to " +
                               std::to_string(most >> 30) + "GB"));
    return least;
  }
  bool expect(const ConfigValue& value, Kind kind, const std::string& what) {
    if (value.kind == kind) return true;
    fail(value,
         what + " must be " + std::string(to_text(kind)) + ", not " + std::string(to_text(value.kind)));
    return false;
  }
  const ConfigValue* take(const char* key, Kind kind) {
    known_.emplace_back(key);
    const ConfigValue* value = failure_ ? nullptr : table_.find(key);
    return value != nullptr && expect(*value, kind, key) ? value : nullptr;
  }

  std::string name_;
  const ConfigValue& table_;
  std::vector<std::string> known_;
  std::optional<Fault> failure_;
};

// "/usr/bin/x", "x" as the system finds it, or "./x" beside the configuration file.
std::optional<std::string> find_program(const std::string& word, const std::string& file) {
  namespace fs = std::filesystem;
  std::vector<fs::path> places;
  if (word.starts_with('/')) {
    places = {word};
  } else if (word.find('/') != std::string::npos) {
    places = {fs::absolute(fs::path(file).parent_path() / word).lexically_normal()};
  } else {
    places = {"/usr/local/bin/" + word, "/usr/bin/" + word};
  }
  for (const fs::path& place : places) {
    std::error_code error;
    if (fs::is_regular_file(place, error) && ::access(place.c_str(), X_OK) == 0) return place.string();
  }
  return std::nullopt;
}

// Where the sandbox has something of its own.
bool is_hidden(const std::string& path) {
  for (const std::string_view own : {"/task", "/proc", "/dev", "/usr", "/bin", "/lib"}) {
    if (path == own || path.starts_with(std::string(own) + "/")) return true;
  }
  return path == "/" || path == "/tmp" || !path.starts_with('/');
}

bool is_of_the_system(const std::string& path) {
  return path.starts_with("/usr/") || path.starts_with("/bin/") || path.starts_with("/lib");
}

// The next {word} of an argument from `from` on: where it begins and the word; npos when there is none. Other
// braces stay what they are, as awk and JSON need them.
struct Placeholder {
  std::size_t begin = std::string::npos;
  std::string word;
};
Placeholder next_placeholder(const std::string& argument, std::size_t from) {
  for (std::size_t begin = argument.find('{', from); begin != std::string::npos;
       begin = argument.find('{', begin + 1)) {
    const std::size_t end = argument.find('}', begin);
    if (end == std::string::npos) break;
    const std::string word = argument.substr(begin + 1, end - begin - 1);
    if (is_word(word)) return {begin, word};
  }
  return {};
}

void check_command(TableReader& reader, const ExecProgram& program) {
  const auto& command = program.sandbox.command;
  for (std::size_t place = 1; place < command.size(); ++place) {
    const std::string& argument = command[place];
    for (Placeholder found = next_placeholder(argument, 0); found.begin != std::string::npos;
         found = next_placeholder(argument, found.begin + 1)) {
      const std::string& word = found.word;
      const bool declared =
          std::find(program.parameters.begin(), program.parameters.end(), word) != program.parameters.end();
      const bool has_files = program.input == ProgramInput::File || program.input == ProgramInput::Folder;
      if (declared || (word == "input" && has_files)) continue;
      if (word == "output" && program.output != ProgramOutput::Stdout) continue;
      if (word == "inputs" && has_files && argument == "{inputs}") continue;
      reader.fail(
          reader.at("command"),
          in_quotes("{" + word + "}") +
              " stands for nothing here; there are {input}, {inputs} (an argument of its own) and {output} "
              "where input and output are files or folders, and the parameters");
    }
  }
}

void check_names(TableReader& reader, const ExecProgram& program) {
  for (const std::string& name : program.parameters) {
    const auto count = std::count(program.parameters.begin(), program.parameters.end(), name);
    const bool taken = name == "input" || name == "inputs" || name == "output";
    if (!is_word(name) || taken || count > 1) {
      reader.fail(reader.at("parameters"),
                  in_quotes(name) +
                      " cannot name a parameter; use letters, digits and _, each once, and not "
                      "input, inputs or output");
    }
  }
  for (const auto& [name, value] : program.defaults) {
    if (std::find(program.parameters.begin(), program.parameters.end(), name) == program.parameters.end())
      reader.fail(reader.at("defaults"), in_quotes(name) + " is none of the parameters; add it there");
  }
  for (const auto& [name, value] : program.sandbox.environment) {
    if (!is_word(name) || name.starts_with("PARAM_")) {
      reader.fail(reader.at("environment"),
                  in_quotes(name) +
                      " cannot name a variable; use letters, digits and _, and not PARAM_, which the "
                      "parameters have");
    }
  }
}

void take_limits(TableReader& reader, SandboxLimits& out) {
  out.memory = reader.size("memory", out.memory, limits::program_memory_least, limits::program_memory_most);
  out.space = reader.size("space", out.space, 1 << 20, limits::program_memory_most);
  out.processes =
      static_cast<std::uint32_t>(reader.whole("processes", out.processes, 1, limits::program_processes_most));
  out.time = reader.duration("time", out.time);
}

// The program itself is seen where it lies, when that is not in the system.
void take_command(TableReader& reader, ExecProgram& program) {
  SandboxProgram& sandbox = program.sandbox;
  sandbox.command = reader.texts("command");
  sandbox.read_only = reader.texts("read-only");
  const ConfigValue& place = reader.at("command");
  for (const std::string& path : sandbox.read_only) {
    if (is_hidden(path)) {
      reader.fail(reader.at("read-only"),
                  in_quotes(path) +
                      " must be an absolute path that the sandbox does not have itself: not /, /tmp, "
                      "nor in /usr, /bin, /lib, /dev, /proc or /task");
    }
  }
  if (sandbox.command.empty()) {
    return reader.fail(
        place, "command is missing; give the program and its arguments, such as [\"/usr/bin/wc\", \"-l\"]");
  }
  if (sandbox.command.size() > limits::program_arguments)
    return reader.fail(place,
                       "command has more than " + std::to_string(limits::program_arguments) + " arguments");
  const auto found = find_program(sandbox.command.front(), place.place.file);
  if (!found) {
    return reader.fail(place,
                       "there is no program " + in_quotes(sandbox.command.front()) +
                           " that may be run; give its absolute path, or one beside this file, such as ./x");
  }
  sandbox.command.front() = *found;
  if (!is_of_the_system(*found)) sandbox.read_only.push_back(*found);
}

}  // namespace

std::string input_path(std::size_t number) { return "/task/input/" + std::to_string(number); }

Result<ExecProgram> read_program(const std::string& name, const ConfigValue& table) {
  TableReader reader("exec." + name, table);
  ExecProgram program;
  program.type = "exec." + name;
  if (!is_valid_name(program.type))
    reader.fail(table, "this cannot name a program; use 1 to 59 of A-Z a-z 0-9 . _ -");
  take_command(reader, program);
  program.summary = reader.text(
      "summary", "runs " + (program.sandbox.command.empty() ? "" : program.sandbox.command.front()));
  program.sandbox.environment = reader.named_texts("environment");
  program.parameters = reader.texts("parameters");
  program.defaults = reader.named_texts("defaults");
  program.input = static_cast<ProgramInput>(reader.one_of("input", {"none", "file", "folder", "stdin"}, 1));
  program.output = static_cast<ProgramOutput>(reader.one_of("output", {"stdout", "file", "folder"}, 0));
  program.version = static_cast<int>(reader.whole("version", 1, 1, 1'000'000));
  program.deterministic = reader.boolean("deterministic");
  program.strict = reader.boolean("strict");
  take_limits(reader, program.sandbox.limits);
  check_names(reader, program);
  check_command(reader, program);
  if (Status read = reader.finish(); !read) return tl::unexpected(read.error());
  return program;
}

Result<NamedTexts> parameters_of(const ExecProgram& program, const NamedTexts& given) {
  Parameters parameters(program.type, given);
  NamedTexts values;
  for (const std::string& name : program.parameters) {
    auto value = parameters.text(name);
    for (const auto& [known, text] : program.defaults) {
      if (!value && known == name) value = text;
    }
    if (!value) {
      parameters.fail("parameter " + name + " is missing; give --param " + name + "=VALUE");
      continue;
    }
    if (value->find('\0') != std::string_view::npos || value->size() > limits::program_argument_bytes - 256)
      parameters.fail("parameter " + name + " holds a zero byte, or is too long for an argument");
    values.emplace_back(name, *value);
  }
  if (Status checked = parameters.finish(); !checked) return tl::unexpected(checked.error());
  return values;
}

Result<std::vector<std::string>> command_of(const ExecProgram& program, const NamedTexts& parameters,
                                            std::size_t inputs) {
  std::vector<std::string> command{program.sandbox.command.front()};
  for (std::size_t place = 1; place < program.sandbox.command.size(); ++place) {
    std::string argument = program.sandbox.command[place];
    if (argument == "{inputs}") {
      for (std::size_t number = 1; number <= inputs; ++number) command.push_back(input_path(number));
      continue;
    }
    for (Placeholder found = next_placeholder(argument, 0); found.begin != std::string::npos;) {
      std::string value = found.word == "output" ? output_path : input_path(1);
      for (const auto& [name, text] : parameters) {
        if (name == found.word) value = text;
      }
      if (found.begin == 0 && value.starts_with('-')) {
        return fault(FaultKind::BadUsage, program.type + ": parameter " + found.word +
                                              " cannot begin with '-': it would be an option");
      }
      argument.replace(found.begin, found.word.size() + 2, value);
      found = next_placeholder(argument, found.begin + value.size());
    }
    if (argument.size() >= limits::program_argument_bytes)
      return fault(FaultKind::BadUsage,
                   program.type + ": its parameters make an argument too long for Linux");
    command.push_back(std::move(argument));
  }
  return command;
}

}  // namespace cidbus
