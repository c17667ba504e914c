#include "shared/settings/completion.h"

#include <CLI/CLI.hpp>
#include <set>
#include <vector>

#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

// A command, at the place that its words make: "/task/show"; the program itself is at "".
struct Place {
  std::string path;
  const CLI::App* app;
};

void collect(const CLI::App& app, const std::string& path, std::vector<Place>& places) {
  places.push_back({path, &app});
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    collect(*command, path + "/" + command->get_name(), places);
}

std::vector<Place> places_of(const CLI::App& root) {
  std::vector<Place> places;
  collect(root, "", places);
  return places;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

bool is_shown(const CLI::Option& option) { return !option.get_group().empty(); }

std::vector<std::string> flags_of(const CLI::Option& option) {
  std::vector<std::string> flags;
  for (const std::string& name : option.get_lnames()) flags.push_back("--" + name);
  for (const std::string& name : option.get_snames()) flags.push_back("-" + name);
  return flags;
}

bool takes_file(const CLI::Option& option) {
  const std::string type = option.get_type_name() + " " + option.get_name(true);
  for (const char* const word : {"FILE", "FOLDER", "PATH"}) {
    if (type.find(word) != std::string::npos) return true;
  }
  return false;
}

bool takes_value(const CLI::Option& option) { return !is_flag(option) && !option.get_positional(); }

// What a place offers: its commands, or what its positionals take.
std::string words_at(const CLI::App& app) {
  std::string words;
  for (const CLI::App* command : commands_of(app)) words += (words.empty() ? "" : " ") + command->get_name();
  for (const CLI::Option* option : app.get_options({})) {
    if (!option->get_positional()) continue;
    for (const std::string& word : words_of(*option)) words += (words.empty() ? "" : " ") + word;
  }
  return words;
}

bool files_at(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options({})) {
    if (option->get_positional() && takes_file(*option)) return true;
  }
  return false;
}

std::string flags_at(const CLI::App& app) {
  std::string words;
  for (const CLI::Option* option : app.get_options({})) {
    if (!is_shown(*option)) continue;
    for (const std::string& flag : flags_of(*option)) words += (words.empty() ? "" : " ") + flag;
  }
  return words;
}

// 'text' for any shell of the three.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char character : text)
    out += character == '\'' ? std::string("'\\''") : std::string(1, character);
  return out + "'";
}

std::string one_line(std::string text) {
  for (char& character : text) {
    if (character == '\n') character = ' ';
  }
  return text;
}

std::string pattern(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : "|") + word;
  return text;
}

// The flags whose next word is theirs, anywhere.
std::string valued_flags(const std::vector<Place>& places) {
  std::set<std::string> flags;
  for (const Place& place : places) {
    for (const CLI::Option* option : place.app->get_options({})) {
      if (!takes_value(*option)) continue;
      for (const std::string& flag : flags_of(*option)) flags.insert(flag);
    }
  }
  return pattern({flags.begin(), flags.end()});
}

std::string paths_pattern(const std::vector<Place>& places) {
  std::vector<std::string> paths;
  for (const Place& place : places) {
    if (!place.path.empty()) paths.push_back(place.path);
  }
  return paths.empty() ? "/" : pattern(paths);
}

// Lines of a `case $place:$before` that offer what an option takes: `words(...)` or `files`.
template <typename Words>
std::string value_cases(const std::vector<Place>& places, const std::string& files, Words words) {
  std::string text;
  for (const Place& place : places) {
    for (const CLI::Option* option : place.app->get_options({})) {
      if (!takes_value(*option) || !is_shown(*option)) continue;
      std::vector<std::string> cases;
      for (const std::string& flag : flags_of(*option)) cases.push_back(place.path + ":" + flag);
      const auto known = words_of(*option);
      const std::string offer = !known.empty()        ? words(CLI::detail::join(known, " "))
                                : takes_file(*option) ? files
                                                      : "";
      text += "    " + pattern(cases) + ") " + offer + (offer.empty() ? "" : "; ") + "return ;;\n";
    }
  }
  return text;
}

}  // namespace

std::string bash_completion(const CLI::App& root) {
  const std::vector<Place> places = places_of(root);
  const std::string name = root.get_name();
  std::string text =
      "# bash completion for " + name + ": source <(" + name + " completion bash)\n" + "_" + name +
      "() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} place= index\n"
      "  COMPREPLY=()\n"
      "  for ((index = 1; index < COMP_CWORD; index++)); do\n"
      "    case ${COMP_WORDS[index-1]} in " +
      valued_flags(places) +
      ") continue ;; esac\n"
      "    case $place/${COMP_WORDS[index]} in\n      " +
      paths_pattern(places) +
      ") place=$place/${COMP_WORDS[index]} ;;\n    esac\n  done\n"
      "  case $place:$before in\n";
  text += value_cases(places, "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\")",
                      [](const std::string& words) {
                        return "mapfile -t COMPREPLY < <(compgen -W " + quoted(words) + " -- \"$word\")";
                      });
  text += "  esac\n  local flags= words= files=\n  case $place in\n";
  for (const Place& place : places) {
    text += "    " + (place.path.empty() ? "''" : place.path) + ") flags=" + quoted(flags_at(*place.app)) +
            " words=" + quoted(words_at(*place.app)) + (files_at(*place.app) ? " files=1" : "") + " ;;\n";
  }
  return text +
         "  esac\n"
         "  if [[ $word == -* ]]; then words=$flags files=; fi\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\"; [[ $files ]] && compgen -f -- "
         "\"$word\")\n"
         "  if [[ $files ]]; then compopt -o filenames; fi\n"
         "}\ncomplete -F _" +
         name + " " + name + "\n";
}

std::string zsh_completion(const CLI::App& root) {
  const std::vector<Place> places = places_of(root);
  const std::string name = root.get_name();
  std::string text = "#compdef " + name + "\n# zsh completion for " + name + ": source <(" + name +
                     " completion zsh)\n_" + name +
                     "() {\n"
                     "  local word=${words[CURRENT]} before=${words[CURRENT-1]} place= index\n"
                     "  for ((index = 2; index < CURRENT; index++)); do\n"
                     "    case ${words[index-1]} in (" +
                     valued_flags(places) +
                     ") continue ;; esac\n"
                     "    case $place/${words[index]} in\n      (" +
                     paths_pattern(places) +
                     ") place=$place/${words[index]} ;;\n    esac\n  done\n"
                     "  case $place:$before in\n";
  std::string cases =
      value_cases(places, "_files", [](const std::string& words) { return "compadd -- " + words; });
  text += cases + "  esac\n  local -a flags names\n  local files=\n  case $place in\n";
  for (const Place& place : places) {
    text += "    (" + (place.path.empty() ? "''" : place.path) + ") flags=(" + flags_at(*place.app) +
            ") names=(" + words_at(*place.app) + ")" + (files_at(*place.app) ? " files=1" : "") + " ;;\n";
  }
  return text +
         "  esac\n"
         "  if [[ $word == -* ]]; then compadd -- $flags; return; fi\n"
         "  (( $#names )) && compadd -- $names\n"
         "  if [[ -n $files ]]; then _files; fi\n"
         "}\nif (( $+functions[compdef] )); then compdef _" +
         name + " " + name + "; fi\n";
}

std::string fish_completion(const CLI::App& root) {
  const std::vector<Place> places = places_of(root);
  const std::string name = root.get_name();
  std::string text =
      "# fish completion for " + name + ": " + name + " completion fish | source\nfunction __" + name +
      "_is_at\n  set -l place ''\n  set -l before ''\n"
      "  for word in (commandline -opc)[2..-1]\n    if not contains -- $before " +
      CLI::detail::join(CLI::detail::split(valued_flags(places), '|'), " ") +
      "\n      switch \"$place/$word\"\n        case " +
      CLI::detail::join(CLI::detail::split(paths_pattern(places), '|'), " ") +
      "\n          set place \"$place/$word\"\n      end\n    end\n    set before $word\n  end\n"
      "  test \"$place\" = \"$argv[1]\"\nend\ncomplete -c " +
      name + " -f\n";
  for (const Place& place : places) {
    const std::string here =
        "complete -c " + name + " -n " + quoted("__" + name + "_is_at '" + place.path + "'");
    for (const CLI::App* command : commands_of(*place.app))
      text +=
          here + " -a " + command->get_name() + " -d " + quoted(one_line(command->get_description())) + "\n";
    for (const CLI::Option* option : place.app->get_options({})) {
      if (!is_shown(*option)) continue;
      const std::string words = CLI::detail::join(words_of(*option), " ");
      std::string line = here;
      if (option->get_positional() && !takes_file(*option) && words.empty()) continue;
      for (const std::string& flag : option->get_lnames()) line += " -l " + flag;
      for (const std::string& flag : option->get_snames()) line += " -s " + flag;
      if (takes_value(*option)) line += " -r";
      if (!words.empty()) line += " -a " + quoted(words);
      if (takes_file(*option)) line += " -F";
      text += line + " -d " + quoted(one_line(option->get_description())) + "\n";
    }
  }
  return text;
}

}  // namespace cidbus
