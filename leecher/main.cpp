#include "leecher/options.h"

namespace {

using namespace cidbus;

Result<int> run(RunLeecher command) {
  const auto leecher = open_leecher(std::move(command));
  if (!leecher) return tl::unexpected(leecher.error());
  return run_until_signalled(leecher_program, **leecher);
}

Result<int> print(const Result<std::string>& text) {
  if (!text) return tl::unexpected(text.error());
  const Status printed = print_answer(*text);
  return printed ? Result<int>(0) : tl::unexpected(printed.error());
}

Result<int> obey(ParsedLeecher parsed) {
  if (const int* ended = std::get_if<int>(&parsed)) return *ended;
  if (const auto* fault = std::get_if<Fault>(&parsed)) return tl::unexpected(*fault);
  if (const auto* status = std::get_if<ShowStatus>(&parsed)) return print(show_status(*status));
  if (const auto* pins = std::get_if<EditPins>(&parsed)) return print(edit_pins(*pins));
  return run(std::get<RunLeecher>(std::move(parsed)));
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_descriptors();
  block_stop_signals();
  const Result<int> exit_status = obey(parse_leecher_options(argc, argv));
  return exit_status ? *exit_status : report_fault(leecher_program, exit_status.error());
}
