#include "worker/handlers/exec.h"

#include <gtest/gtest.h>

#include "shared/settings/config_file.h"
#include "worker/handlers/map_content.h"

namespace cidbus {
namespace {

Result<ExecProgram> read(const std::string& body) {
  const auto file = parse_config("[worker.exec.tool]\n" + body, "cidbus.toml");
  if (!file) return tl::unexpected(file.error());
  return read_program("tool", *file->find("worker")->find("exec")->find("tool"));
}
std::string refusal(const std::string& body) {
  const auto program = read(body);
  return program ? "it was taken" : program.error().message;
}

HandlerBench bench(const std::string& body) {
  auto program = read(body);
  EXPECT_TRUE(program) << program.error().message;
  return {.handler = make_exec(program ? *program : ExecProgram{})};
}

TEST(ExecConfig, RefusesWhatMakesNoSenseWithItsLine) {
  const std::string good = "command = ['/bin/true']\n";
  EXPECT_EQ(refusal("").substr(0, 37), "cidbus.toml:1: exec.tool: command is ");
  EXPECT_NE(refusal(good + "memroy = '1GB'\n").find("cidbus.toml:3: exec.tool: unknown key 'memroy'"),
            std::string::npos);
  EXPECT_NE(refusal(good + "memory = 'much'\n").find("cidbus.toml:3: exec.tool: memory cannot be 'much'"),
            std::string::npos);
  EXPECT_NE(refusal(good + "memory = 5\n").find("memory must be text in quotes, not a whole number"),
            std::string::npos);
  EXPECT_NE(refusal(good + "memory = '1KB'\n").find("from 16MB"), std::string::npos);
  EXPECT_NE(refusal(good + "time = '0s'\n").find("time cannot be"), std::string::npos);
  EXPECT_NE(refusal(good + "processes = 0\n").find("a number from 1 to 4096"), std::string::npos);
  EXPECT_NE(refusal(good + "input = 'files'\n").find("none, file, folder, stdin"), std::string::npos);
  EXPECT_NE(refusal("command = ['/nowhere/tool']\n").find("no program '/nowhere/tool'"), std::string::npos);
  EXPECT_NE(refusal("command = ['/bin/echo', '{size}']\n").find("'{size}' stands for nothing"),
            std::string::npos);
  EXPECT_NE(refusal("command = ['/bin/echo', '{output}']\n").find("'{output}' stands for nothing"),
            std::string::npos);
  EXPECT_NE(refusal("command = ['/bin/echo', 'a{inputs}']\n").find("stands for nothing"), std::string::npos);
  EXPECT_NE(refusal(good + "parameters = ['a-b']\n").find("cannot name a parameter"), std::string::npos);
  EXPECT_NE(refusal(good + "parameters = ['a', 'a']\n").find("cannot name a parameter"), std::string::npos);
  EXPECT_NE(refusal(good + "parameters = ['input']\n").find("cannot name a parameter"), std::string::npos);
  EXPECT_NE(refusal(good + "defaults = {a = '1'}\n").find("none of the parameters"), std::string::npos);
  EXPECT_NE(refusal(good + "environment = {PARAM_a = '1'}\n").find("cannot name a variable"),
            std::string::npos);
  EXPECT_NE(refusal(good + "read-only = ['etc']\n").find("absolute path"), std::string::npos);
}

TEST(ExecConfig, LeavesOtherBracesAlone) {
  const auto program = read("command = ['/usr/bin/awk', '{ print $1 }', '{\"a\": {}}']\ninput = 'stdin'\n");
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(command_of(*program, {}, 1)->at(1), "{ print $1 }");
}

TEST(ExecConfig, NeverLetsAParameterBecomeAnOption) {
  const auto program =
      read("command = ['/bin/echo', '{a}{b}', '--x={a}']\nparameters = ['a', 'b']\ninput = 'none'\n");
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(*command_of(*program, {{"a", "1 2;"}, {"b", "-r"}}, 0),
            (std::vector<std::string>{"/bin/echo", "1 2;-r", "--x=1 2;"}));
  EXPECT_FALSE(command_of(*program, {{"a", "-r"}, {"b", ""}}, 0));
  EXPECT_FALSE(command_of(*program, {{"a", ""}, {"b", "-r"}}, 0));
  // What a value holds is not looked at again.
  EXPECT_EQ(command_of(*program, {{"a", "{b}"}, {"b", "x"}}, 0)->at(1), "{b}x");
}

TEST(Exec, TakesAFileAndGivesStandardOutput) {
  HandlerBench tool = bench("command = ['/usr/bin/tr', 'a-z', 'A-Z']\ninput = 'stdin'\n");
  const auto output = tool.run({tool.content.add("hello\n")}, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(as_text(tool.content.at(output->cids.at(0))), "HELLO\n");
  EXPECT_EQ(tool.log.ended, "exited with 0");
}

TEST(Exec, TakesFilesByPathAndGivesAFile) {
  HandlerBench tool =
      bench("command = ['/bin/sh', '-c', 'cat \"$@\" >/task/output', 'sh', '{inputs}']\noutput = 'file'\n");
  const auto output = tool.run({tool.content.add("one "), tool.content.add("two")}, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(as_text(tool.content.at(output->cids.at(0))), "one two");
}

TEST(Exec, GivesAFolder) {
  HandlerBench tool = bench(
      "command = ['/bin/sh', '-c', 'cp $1 {output}/copy; echo $PARAM_word >{output}/word', 'sh', '{input}']\n"
      "output = 'folder'\nparameters = ['word']\ndefaults = {word = 'none'}\n");
  const auto output = tool.run({tool.content.add("x")}, {{"word", "yes"}});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(as_text(tool.content.at(output->cids.at(0))), "copy: x\nword: yes\n\n");
}

TEST(Exec, RefusesWhatItDoesNotTake) {
  HandlerBench tool = bench("command = ['/bin/echo', '{size}']\nparameters = ['size']\ninput = 'none'\n");
  EXPECT_NE(tool.refusal({}, {}).find("parameter size is missing"), std::string::npos);
  EXPECT_NE(tool.refusal({}, {{"size", "1"}, {"siez", "1"}}).find("unknown parameter 'siez'"),
            std::string::npos);
  EXPECT_NE(tool.refusal({}, {{"size", "--help"}}).find("it would be an option"), std::string::npos);
  EXPECT_NE(tool.refusal({tool.content.add("x")}, {{"size", "1"}}).find("takes no input, not 1"),
            std::string::npos);
}

TEST(Exec, SaysHowItEnded) {
  HandlerBench tool = bench(
      "command = ['/bin/sh', '-c', 'echo why >&2; exit $PARAM_code']\nparameters = ['code']\ninput = "
      "'none'\n");
  EXPECT_EQ(tool.refusal({}, {{"code", "3"}}, FaultKind::Failed), "exec.tool exited with 3: why");
  EXPECT_EQ(tool.refusal({}, {{"code", "75"}}, FaultKind::TryAgain), "exec.tool exited with 75: why");
  EXPECT_EQ(tool.log.errors, "why\n");
}

TEST(Exec, RefusesOutputThatIsNone) {
  HandlerBench file =
      bench("command = ['/bin/ln', '-s', '/etc/shadow', '{output}']\noutput = 'file'\ninput = 'none'\n");
  EXPECT_NE(file.refusal({}, {}, FaultKind::Failed).find("left no file /task/output"), std::string::npos);
  HandlerBench pipe = bench("command = ['/usr/bin/mkfifo', '{output}']\noutput = 'file'\ninput = 'none'\n");
  EXPECT_NE(pipe.refusal({}, {}, FaultKind::BadUsage).find("/task/output"), std::string::npos);
  HandlerBench nothing = bench("command = ['/bin/rmdir', '{output}']\noutput = 'folder'\ninput = 'none'\n");
  EXPECT_NE(nothing.refusal({}, {}, FaultKind::Failed).find("left no folder /task/output"),
            std::string::npos);
}

TEST(Exec, BoundsItsOutputByItsSpace) {
  HandlerBench tool = bench("command = ['/usr/bin/yes']\ninput = 'none'\nspace = '2MB'\n");
  EXPECT_NE(tool.refusal({}, {}, FaultKind::Failed).find("wrote more than the 2097152 bytes"),
            std::string::npos);
}

TEST(Exec, StopsReadingWhereTheProgramDoes) {
  HandlerBench tool = bench("command = ['/usr/bin/head', '-c', '5']\ninput = 'stdin'\n");
  const auto output = tool.run({tool.content.add(std::string(3'000'000, 'x'))}, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(as_text(tool.content.at(output->cids.at(0))), "xxxxx");
}

}  // namespace
}  // namespace cidbus
