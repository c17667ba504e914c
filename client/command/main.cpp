#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "client/command/command.h"
#include "client/command/descriptor_sink.h"
#include "client/command/interrupt.h"
#include "shared/io/process.h"

namespace {

std::uint32_t columns_of(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string program_folder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

}  // namespace

int main(int count, char** words) {
  cidbus::hold_standard_descriptors();
  cidbus::block_stop_signals();
  cidbus::Interrupt interrupt;
  cidbus::DescriptorSink out(STDOUT_FILENO, "standard output");
  cidbus::DescriptorSink err(STDERR_FILENO, "standard error");
  const char* const no_colour = std::getenv("NO_COLOR");
  cidbus::Environment environment{out, err};
  environment.input = STDIN_FILENO;
  environment.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  environment.err_is_terminal = isatty(STDERR_FILENO) == 1;
  environment.colour = environment.out_is_terminal && (no_colour == nullptr || *no_colour == '\0');
  environment.columns = columns_of(STDERR_FILENO);
  environment.interrupt = &interrupt;
  environment.settings = cidbus::real_world();
  environment.programs = program_folder();
  const int code = cidbus::run_command({words + 1, words + count}, environment);
  return out.reader_gone() ? cidbus::reader_gone_code : code;
}
