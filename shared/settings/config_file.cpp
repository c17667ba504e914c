#include "shared/settings/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <system_error>

#include "shared/base/limits/settings.h"
#include "shared/content/quote.h"

namespace cidbus {
namespace {

Fault bad_file(const ConfigPlace& place, const std::string& why) {
  return {FaultKind::BadData, to_text(place) + ": " + why};
}

// See limits::config_name_dots.
std::optional<Fault> check_names(std::string_view text, const std::string& file) {
  std::uint32_t line = 1;
  std::size_t dots = 0;
  for (const char character : text) {
    if (character == '.' && ++dots > limits::config_name_dots)
      return bad_file({file, line}, "a name with so many dots cannot be meant; shorten it");
    if (std::string_view("=[]{},\n").find(character) != std::string_view::npos) dots = 0;
    if (character == '\n') ++line;
  }
  return std::nullopt;
}

template <typename Value>
std::string as_typed(const Value& value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

std::uint32_t line_of(const toml::source_region& region) { return region.begin.line; }

ConfigValue value_of(ConfigValue::Kind kind, const ConfigPlace& place) {
  ConfigValue value;
  value.kind = kind;
  value.place = place;
  return value;
}

Result<ConfigValue> convert(const toml::node& node, const ConfigPlace& place, std::size_t depth);

Result<ConfigValue> convert_table(const toml::table& table, const ConfigPlace& place, std::size_t depth) {
  ConfigValue value = value_of(ConfigValue::Kind::Table, place);
  for (const auto& [key, child] : table) {
    const ConfigPlace there{place.file, line_of(key.source())};
    auto converted = convert(child, there, depth + 1);
    if (!converted) return converted;
    value.entries.emplace_back(std::string(key.str()), *std::move(converted));
  }
  std::stable_sort(value.entries.begin(), value.entries.end(), [](const auto& one, const auto& other) {
    return one.second.place.line < other.second.place.line;
  });
  return value;
}

Result<ConfigValue> convert_list(const toml::array& list, const ConfigPlace& place, std::size_t depth) {
  ConfigValue value = value_of(ConfigValue::Kind::List, place);
  for (const toml::node& item : list) {
    auto converted = convert(item, {place.file, line_of(item.source())}, depth + 1);
    if (!converted) return converted;
    value.items.push_back(*std::move(converted));
  }
  return value;
}

Result<ConfigValue> convert(const toml::node& node, const ConfigPlace& place, std::size_t depth) {
  using Kind = ConfigValue::Kind;
  if (depth > limits::config_depth)
    return tl::unexpected(bad_file(place, "tables and lists stand too deep in one another"));
  if (const auto* table = node.as_table()) return convert_table(*table, place, depth);
  if (const auto* list = node.as_array()) return convert_list(*list, place, depth);
  ConfigValue value = value_of(Kind::Date, place);
  if (const auto* text = node.as_string()) {
    value.kind = Kind::Text;
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = Kind::Integer;
    value.text = std::to_string(integer->get());
  } else if (const auto* number = node.as_floating_point()) {
    value.kind = Kind::Number;
    value.text = as_typed(number->get());
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = Kind::Boolean;
    value.text = boolean->get() ? "true" : "false";
  }
  return value;
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

Fault unreadable(const std::string& file, int error) {
  const FaultKind kind = error == EACCES || error == EPERM ? FaultKind::NotAllowed : FaultKind::BadData;
  return {kind, "the configuration file " + file +
                    " cannot be read: " + std::generic_category().message(error) +
                    "; mend that, or name another with --config FILE"};
}

Result<std::string> read_all(const std::string& path, const std::string& file) {
  const OpenFile opened(path);
  if (opened.descriptor() < 0) return tl::unexpected(unreadable(file, errno));
  std::string text(limits::config_file_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = read(opened.descriptor(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(unreadable(file, errno));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return text;
}

}  // namespace

std::string to_text(const ConfigPlace& place) { return place.file + ":" + std::to_string(place.line); }

std::string_view to_text(ConfigValue::Kind kind) {
  switch (kind) {
    case ConfigValue::Kind::Boolean:
      return "true or false";
    case ConfigValue::Kind::Integer:
      return "a whole number";
    case ConfigValue::Kind::Number:
      return "a number";
    case ConfigValue::Kind::Text:
      return "text in quotes";
    case ConfigValue::Kind::Date:
      return "a date or time";
    case ConfigValue::Kind::List:
      return "a list";
    case ConfigValue::Kind::Table:
      return "a table";
  }
  return "something";
}

const ConfigValue* ConfigValue::find(std::string_view name) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first == name; });
  return found == entries.end() ? nullptr : &found->second;
}

Result<ConfigValue> parse_config(std::string_view text, const std::string& file) {
  if (text.size() > limits::config_file_bytes) {
    return fault(FaultKind::BadData, "the configuration file " + file + " is larger than " +
                                         std::to_string(limits::config_file_bytes) +
                                         " bytes; is it the right one?");
  }
  if (auto fault = check_names(text, file)) return tl::unexpected(*std::move(fault));
  try {
    return convert(toml::parse(text), {file, 1}, 0);
  } catch (const toml::parse_error& error) {
    return tl::unexpected(
        bad_file({file, line_of(error.source())}, "this is no TOML: " + escaped(error.description())));
  }
}

Result<ConfigValue> read_config_file(const std::string& path) {
  const std::string file = escaped(path);
  const auto text = read_all(path, file);
  if (!text) return tl::unexpected(text.error());
  return parse_config(*text, file);
}

Result<std::optional<ConfigValue>> read_config_file_if_there(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  auto read = read_config_file(path);
  if (!read) return tl::unexpected(read.error());
  return *std::move(read);
}

}  // namespace cidbus
