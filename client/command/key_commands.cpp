#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "client/command/json_writer.h"
#include "client/command/registry.h"
#include "shared/base/limits/keys.h"
#include "shared/content/quote.h"
#include "shared/io/allow_list.h"
#include "shared/io/key_file.h"

namespace cidbus {
namespace {

struct KeygenOptions {
  std::string name;
  std::string roles = "client";
  std::string folder = ".";
  bool replace = false;
};

void print(Output& output, const KeyHolder& holder, const std::string& private_file,
           const std::string& public_file) {
  const std::string line = allow_line(holder);
  if (output.format() == Format::Quiet) return output.line(line);
  if (output.is_json()) {
    JsonWriter json;
    json.open_object().name("name").string(holder.name).name("public_key").string(holder.key);
    json.name("allow_line").string(line).name("private_key_file").string(private_file);
    return output.line(json.name("public_key_file").string(public_file).close_object().text());
  }
  output.line("private key  " + private_file + ": stays on the machine of " + holder.name +
              ", nobody else may read it");
  output.line("public key   " + holder.key);
  output.line("allow-list   " + line);
  output.line("             this line is in " + public_file + " too; all nodes' lines together are the list");
}

Result<int> keygen(Context& context, const KeygenOptions& options) {
  const auto roles = parse_roles(options.roles);
  if (!roles) {
    return fault(FaultKind::BadUsage, "--role: " + in_quotes(options.roles) + " is not known; give " +
                                          to_text(every_role) + ", or several with commas");
  }
  if (!is_valid_name(options.name) || options.name.size() > limits::key_name_length) {
    return fault(FaultKind::BadUsage, in_quotes(options.name) + " cannot name a node; use 1 to " +
                                          std::to_string(limits::key_name_length) + " of A-Z a-z 0-9 . _ -");
  }
  const std::filesystem::path folder = options.folder;
  std::error_code error;
  if (!std::filesystem::exists(folder, error) && error.value() != EACCES)
    return fault(FaultKind::BadData, in_quotes(options.folder) + ": no such folder; make it first");
  const KeyPair pair = make_key_pair();
  const KeyHolder holder{pair.public_key, options.name, *roles};
  const std::string private_file = (folder / (options.name + ".key")).string();
  const std::string public_file = (folder / (options.name + ".pub")).string();
  if (const Status written = write_private_key(private_file, pair, options.name, options.replace); !written)
    return tl::unexpected(written.error());
  if (const Status written = write_public_key(public_file, holder); !written)
    return tl::unexpected(written.error());
  print(context.output(), holder, private_file, public_file);
  return 0;
}

}  // namespace

void add_key_commands(CommandRegistry& registry) {
  const auto options = std::make_shared<KeygenOptions>();  // lives as long as the action that reads it
  CLI::App& app = registry.leaf(
      registry.root(),
      {"keygen", "Make a pair of keys for a node or a person, and the line for the allow-list",
       "  cidbus keygen b1 --role master\n  cidbus keygen w1 --role worker\n  cidbus keygen anna\n"
       "  cat *.pub >allow                  the allow-list of these three: docs/keys.md\n"},
      [options](Context& context) { return keygen(context, *options); });
  app.add_option("NAME", options->name, "The --name of the node, or a name for who uses the command")
      ->type_name("")
      ->required();
  app.add_option("--role", options->roles, "What the key is for: " + to_text(every_role) + "; or several")
      ->type_name("ROLE,…")
      ->capture_default_str();
  app.add_option("--dir", options->folder, "Folder for NAME.key and NAME.pub")
      ->type_name("FOLDER")
      ->capture_default_str();
  app.add_flag("--force", options->replace, "Replace a key that is there");
}

}  // namespace cidbus
