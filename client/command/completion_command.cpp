#include <CLI/CLI.hpp>
#include <memory>

#include "client/command/registry.h"
#include "shared/settings/completion.h"

namespace cidbus {

void add_completion_command(CommandRegistry& registry) {
  const auto shell = std::make_shared<std::string>();  // shared by the option and the action
  CLI::App& root = registry.root();
  CLI::Option* const option =
      registry
          .leaf(root,
                {"completion", "Print a script that completes this command in a shell",
                 "  source <(cidbus completion bash)         in ~/.bashrc\n"
                 "  source <(cidbus completion zsh)          in ~/.zshrc, behind compinit\n"
                 "  cidbus completion fish | source          in ~/.config/fish/config.fish\n",
                 true},
                [shell, &root](Context& context) -> Result<int> {
                  context.output().text(*shell == "bash"  ? bash_completion(root)
                                        : *shell == "zsh" ? zsh_completion(root)
                                                          : fish_completion(root));
                  return 0;
                })
          .add_option("SHELL", *shell, "bash, zsh or fish")
          ->type_name("")
          ->required();
  allow_only(*option, {"bash", "zsh", "fish"});
}

}  // namespace cidbus
