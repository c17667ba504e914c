// A program of the worker's configuration as a task type: what a table [worker.exec.NAME] says, checked.
//
//     [worker.exec.thumbnail]
//     command = ["/usr/bin/vipsthumbnail", "{input}", "--size={size}", "-o", "{output}[strip]"]
//     parameters = ["size"]             # what a task may set; they come in {size} and as PARAM_size
//     defaults = {size = "128"}         # one without a default must be given
//     input = "file"                    # file, folder, stdin or none
//     output = "file"                   # file, folder or stdout
//
// Every key is in docs/task-types.md; an unknown one is refused with its line.
//
// Invariant: what a task says becomes a part of one argument or the value of one variable; it is never split,
// never read by a shell, and never the beginning of an option.
//
// Thread rule: values. Limits: limits/programs.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "shared/settings/config_value.h"
#include "worker/handlers/handler.h"
#include "worker/sandbox/sandbox.h"

namespace cidbus {

enum class ProgramInput : std::uint8_t { None, File, Folder, Stdin };
enum class ProgramOutput : std::uint8_t { Stdout, File, Folder };

struct ExecProgram {
  std::string type;        // exec.NAME
  std::string summary;     // one line
  SandboxProgram sandbox;  // its command still has the placeholders
  std::vector<std::string> parameters;
  NamedTexts defaults;
  ProgramInput input = ProgramInput::File;
  ProgramOutput output = ProgramOutput::Stdout;
  int version = 1;
  bool deterministic = false;
  bool strict = false;
};

// BadData: FILE:LINE, what is wrong there, what would be right.
Result<ExecProgram> read_program(const std::string& name, const ConfigValue& table);

// The value of each parameter of the program. BadUsage for what it does not take.
Result<NamedTexts> parameters_of(const ExecProgram& program, const NamedTexts& given);

// The command for a task with so many inputs. BadUsage when a parameter would begin an option.
Result<std::vector<std::string>> command_of(const ExecProgram& program, const NamedTexts& parameters,
                                            std::size_t inputs);

// Where things are in the sandbox; the second is made for each input, counted from 1.
inline constexpr const char* output_path = "/task/output";
std::string input_path(std::size_t number);

}  // namespace cidbus
