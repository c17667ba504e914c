#include "worker/handlers/exec.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "shared/base/limits/words.h"
#include "shared/content/posix_file.h"

namespace cidbus {
namespace {

constexpr int try_again = 75;                 // EX_TEMPFAIL of sysexits(3)
constexpr std::size_t said_in_error = 1000;   // bytes of standard error in the task's error
constexpr std::string_view inside = "/task";  // how the program knows its folder

// A file from its beginning, whoever else writes to it.
class DescriptorSource final : public ByteSource {
 public:
  explicit DescriptorSource(int file) : file_(file) {}
  Result<std::size_t> read(std::span<std::uint8_t> buffer) override {
    const ssize_t size = ::pread(file_, buffer.data(), buffer.size(), place_);
    if (size < 0) return errno_fault("read", "standard output", errno);
    place_ += size;
    return static_cast<std::size_t>(size);
  }

 private:
  int file_;
  off_t place_ = 0;
};

bool write_all(int file, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(file, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

// The end of what it said, in one line.
std::string last_words(std::string_view errors) {
  errors = errors.substr(0, errors.find_last_not_of(" \t\r\n") + 1);
  if (errors.size() > said_in_error) errors.remove_prefix(errors.size() - said_in_error);
  std::string line(errors);
  for (char& letter : line) {
    if (static_cast<unsigned char>(letter) < ' ') letter = ' ';
  }
  return line;
}

// One run of a program: its sandbox, and the way of inputs in and of the result out.
class ProgramRun {
 public:
  ProgramRun(const ExecProgram& program, const HandlerInput& input, Content& content)
      : program_(program), input_(input), content_(content) {}

  Result<HandlerOutput> run(SandboxProgram prepared) {
    auto started = Sandbox::start(prepared, hooks());
    if (!started) return named(started.error());
    Sandbox& sandbox = *started;
    if (Status given = give_inputs(sandbox); !given) return named(given.error());
    sandbox.begin();
    if (program_.input == ProgramInput::Stdin) {
      if (Status fed = feed(sandbox); !fed) return named(fed.error());
    }
    const SandboxEnd end = sandbox.finish();
    input_.log = {describe(end, program_.sandbox.limits), end.output, end.errors};
    if (auto failed = failure(end)) return tl::unexpected(std::move(*failed));
    return collect(sandbox);
  }

 private:
  SandboxHooks hooks() {
    SandboxHooks hooks;
    hooks.cancelled = [this] { return input_.cancelled.cancelled(); };
    if (program_.output == ProgramOutput::Stdout) {
      hooks.on_output = [this](ByteView bytes) -> Status {
        if (write_all(spool_.number(), bytes)) return {};
        return fault(FaultKind::Failed, "no space");
      };
    }
    return hooks;
  }

  tl::unexpected<Fault> named(Fault fault) const {
    return tl::unexpected(Fault{fault.kind, program_.type + ": " + std::move(fault.message)});
  }

  Status give_inputs(Sandbox& sandbox) {
    const std::string folder = sandbox.folder();
    return sandbox.as_program_user([&]() -> Status {
      if (program_.output == ProgramOutput::Stdout) {
        spool_ = FileDescriptor(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
        if (!spool_.is_open()) return errno_fault("make a file in", std::string(inside), errno);
      }
      if (program_.output == ProgramOutput::Folder && ::mkdir((folder + "/output").c_str(), 0755) != 0)
        return errno_fault("make", output_path, errno);
      if (program_.input == ProgramInput::None || program_.input == ProgramInput::Stdin) return {};
      if (::mkdir((folder + "/input").c_str(), 0755) != 0) return errno_fault("make", "/task/input", errno);
      const NodeKind kind = program_.input == ProgramInput::File ? NodeKind::File : NodeKind::Directory;
      ByteCount room = program_.sandbox.limits.space;
      for (std::size_t number = 1; number <= input_.inputs.size(); ++number) {
        const std::string path = folder + "/input/" + std::to_string(number);
        if (Status made = content_.export_to(input_.inputs[number - 1], kind, path, room); !made) return made;
      }
      return {};
    });
  }

  // A program need not read all that it is given.
  Status feed(Sandbox& sandbox) {
    bool takes = true;
    const Status streamed = content_.stream(input_.inputs.front(), [&](ByteView bytes) -> Status {
      takes = sandbox.feed(bytes);
      if (!takes) return fault(FaultKind::Failed, "it reads no more");
      return {};
    });
    return takes ? streamed : Status();
  }

  std::optional<Fault> failure(const SandboxEnd& end) const {
    using How = SandboxEnd::How;
    if (end.how == How::Exited && end.number == 0) return std::nullopt;
    FaultKind kind = FaultKind::Failed;
    if (end.how == How::Exited && end.number == try_again) kind = FaultKind::TryAgain;
    if (end.how == How::TimedOut) kind = FaultKind::TimedOut;
    if (end.how == How::Cancelled) kind = FaultKind::TryAgain;
    const std::string said = last_words(end.errors);
    return Fault{kind, program_.type + " " + describe(end, program_.sandbox.limits) +
                           (said.empty() ? "" : ": " + said)};
  }

  Result<HandlerOutput> collect(const Sandbox& sandbox) {
    const std::string path = sandbox.folder() + "/output";
    HandlerOutput output;
    auto stored = store(path);
    if (!stored) {
      std::string& message = stored.error().message;
      const std::size_t place = message.find(sandbox.folder());
      if (place != std::string::npos) message.replace(place, sandbox.folder().size(), inside);
      return named(stored.error());
    }
    output.cids.push_back(*stored);
    return output;
  }

  // The program is dead, so nothing changes while it is read; a symlink is never followed.
  Result<Cid> store(const std::string& path) {
    if (program_.output == ProgramOutput::Stdout) {
      DescriptorSource source(spool_.number());
      return content_.write_stream(source);
    }
    if (program_.output == ProgramOutput::File) {
      auto source = FileSource::open(path, FileSource::Link::Refuse);
      if (!source) return missing(source.error());
      return content_.write_stream(*source);
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
      return fault(FaultKind::Failed, std::string("it left no folder ") + output_path);
    auto folder = content_.write_folder(path);
    // What it left there is the program's doing, so another try ends the same.
    if (!folder && folder.error().kind == FaultKind::NotAllowed) folder.error().kind = FaultKind::Failed;
    return folder;
  }

  static tl::unexpected<Fault> missing(const Fault& why) {
    if (why.kind != FaultKind::NotFound) return tl::unexpected(why);
    return fault(FaultKind::Failed, std::string("it left no file ") + output_path);
  }

  const ExecProgram& program_;
  const HandlerInput& input_;
  Content& content_;
  FileDescriptor spool_;  // its standard output, when that is the result; lies in its space
};

class Exec final : public Handler {
 public:
  explicit Exec(ExecProgram program) : program_(std::move(program)) {
    for (const std::string& name : program_.parameters) {
      std::string_view otherwise = "required";
      for (const auto& [known, value] : program_.defaults) {
        if (known == name) otherwise = value;
      }
      help_.push_back({name, "of the program", otherwise});
    }
  }
  std::string_view type() const override { return program_.type; }
  std::string_view summary() const override { return program_.summary; }
  std::span<const ParameterHelp> help() const override { return help_; }
  int version() const override { return program_.version; }
  bool deterministic() const override { return program_.deterministic; }
  bool strict() const override { return program_.strict; }

  Result<HandlerOutput> run(const HandlerInput& input, Content& content) const override {
    const auto parameters = parameters_of(program_, input.parameters);
    if (!parameters) return tl::unexpected(parameters.error());
    if (Status counted = check_inputs(input.inputs.size()); !counted) return tl::unexpected(counted.error());
    auto command = command_of(program_, *parameters, input.inputs.size());
    if (!command) return tl::unexpected(command.error());
    SandboxProgram prepared = program_.sandbox;
    prepared.command = std::move(*command);
    for (const auto& [name, value] : *parameters) prepared.environment.emplace_back("PARAM_" + name, value);
    if (!input.traceparent.empty()) prepared.environment.emplace_back("TRACEPARENT", input.traceparent);
    return ProgramRun(program_, input, content).run(std::move(prepared));
  }

 private:
  [[nodiscard]] Status check_inputs(std::size_t count) const {
    const auto& command = program_.sandbox.command;
    const bool takes_many = std::find(command.begin(), command.end(), "{inputs}") != command.end();
    const std::size_t least = program_.input == ProgramInput::None ? 0 : 1;
    if (count >= least && (count == least || takes_many)) return {};
    return fault(FaultKind::BadUsage, program_.type + " takes " +
                                          (takes_many   ? "one input or more"
                                           : least == 0 ? "no input"
                                                        : "exactly one input") +
                                          ", not " + std::to_string(count));
  }

  ExecProgram program_;
  std::vector<ParameterHelp> help_;
};

}  // namespace

std::unique_ptr<Handler> make_exec(ExecProgram program) { return std::make_unique<Exec>(std::move(program)); }

}  // namespace cidbus
