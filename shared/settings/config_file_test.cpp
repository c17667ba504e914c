#include "shared/settings/config_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "shared/base/limits/settings.h"

namespace cidbus {
namespace {

using Kind = ConfigValue::Kind;

// Why a text is refused; empty when it is not.
std::string problem(std::string_view text) {
  const auto read = parse_config(text, "f.toml");
  if (read) return {};
  EXPECT_EQ(read.error().kind, FaultKind::BadData);
  EXPECT_EQ(read.error().message.find('\n'), std::string::npos) << read.error().message;
  return read.error().message;
}

TEST(ConfigFile, EveryValueKnowsItsKindItsTextAndItsLine) {
  const auto read = parse_config(
      "# a comment\n[worker]\nslots = 4\nload = 1.5\nname = \"grüße\"\nkeep = true\nlist = [\"a\",\n \"b\"]\n"
      "since = 2026-01-01\n[worker.exec.blur]\nprogram = \"/usr/bin/blur\"\n",
      "f.toml");
  ASSERT_TRUE(read) << read.error().message;
  const ConfigValue* const worker = read->find("worker");
  ASSERT_NE(worker, nullptr);
  EXPECT_EQ(worker->kind, Kind::Table);
  const auto expect = [&](const char* name, Kind kind, const std::string& text, std::uint32_t line) {
    const ConfigValue* const value = worker->find(name);
    ASSERT_NE(value, nullptr) << name;
    EXPECT_EQ(value->kind, kind) << name;
    EXPECT_EQ(value->text, text) << name;
    EXPECT_EQ(to_text(value->place), "f.toml:" + std::to_string(line)) << name;
  };
  expect("slots", Kind::Integer, "4", 3);
  expect("load", Kind::Number, "1.5", 4);
  expect("name", Kind::Text, "grüße", 5);
  expect("keep", Kind::Boolean, "true", 6);
  expect("list", Kind::List, "", 7);
  expect("since", Kind::Date, "", 9);
  EXPECT_EQ(worker->find("list")->items.at(1).text, "b");
  EXPECT_EQ(worker->find("list")->items.at(1).place.line, 8u);
  EXPECT_EQ(worker->find("exec")->find("blur")->find("program")->place.line, 11u);
  EXPECT_EQ(worker->find("nothing"), nullptr);
}

TEST(ConfigFile, EntriesStandInTheOrderOfTheFile) {
  const auto read = parse_config("[z]\n[a]\n[m]\n", "f.toml");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->entries.at(0).first + read->entries.at(1).first + read->entries.at(2).first, "zam");
}

TEST(ConfigFile, AnEmptyFileSaysNothing) {
  for (const char* text : {"", "\n", "# only a comment", "\xef\xbb\xbf"})
    EXPECT_EQ(problem(text), "") << text;
}

TEST(ConfigFile, WhatIsNoTomlIsRefusedByLine) {
  EXPECT_TRUE(problem("[worker]\nslots = \n").starts_with("f.toml:2: this is no TOML: "))
      << problem("[w]\ns = \n");
  EXPECT_TRUE(problem("slots = 1\nslots = 2\n").starts_with("f.toml:2: ")) << "given twice";
  EXPECT_TRUE(problem("[worker\n").starts_with("f.toml:1: "));
}

TEST(ConfigFile, BinaryRubbishIsRefusedInPrintableWords) {
  std::string rubbish;
  for (int byte = 0; byte < 4096; ++byte) rubbish += static_cast<char>(byte * 37 % 256);
  for (const std::string& text : {rubbish, std::string(1000, '\0'), std::string("\x7f\x45\x4c\x46\x02\x01"),
                                  std::string("name = \"\xff\xfe\"\n"), std::string("a\x1b[31m = 1\n")}) {
    const std::string why = problem(text);
    EXPECT_NE(why, "");
    for (const char character : why) EXPECT_GE(static_cast<unsigned char>(character), 0x20) << why;
  }
}

TEST(ConfigFile, AFileAtTheBoundIsReadAndOneByteMoreIsRefused) {
  const std::string comment = "#" + std::string(limits::config_file_bytes - 1, 'x');
  EXPECT_EQ(problem(comment), "");
  EXPECT_NE(problem(comment + "x").find("larger than 1048576 bytes"), std::string::npos);
}

TEST(ConfigFile, NestingThatWouldEndTheStackIsRefused) {
  std::string name = "a";
  for (int dots = 0; dots < 400'000; ++dots) name += ".a";
  EXPECT_NE(problem("[" + name + "]").find("so many dots"), std::string::npos);
  EXPECT_NE(problem("x = {" + name + " = 1}").find("so many dots"), std::string::npos);
  EXPECT_NE(problem("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q = 1").find("too deep"), std::string::npos);
  EXPECT_EQ(problem("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p = 1"), "");
  EXPECT_NE(problem("x = " + std::string(100'000, '[')), "");
  std::string brokers = "x = [";
  for (int address = 0; address < 1000; ++address) brokers += "\"10.0.0.1:9096\", ";
  EXPECT_EQ(problem(brokers + "]"), "") << "dots in many texts are none too many";
}

class ConfigFileOnDisk : public ::testing::Test {
 protected:
  ConfigFileOnDisk() { std::filesystem::create_directories(folder); }
  ~ConfigFileOnDisk() override { std::filesystem::remove_all(folder); }
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / ("cidbus-config-" + std::to_string(getpid()));
};

TEST_F(ConfigFileOnDisk, OneThatMustBeThereAndIsNotIsNamed) {
  const auto read = read_config_file(folder / "none.toml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, FaultKind::BadData);
  EXPECT_NE(read.error().message.find("none.toml cannot be read: No such file"), std::string::npos)
      << read.error().message;
  const auto optional = read_config_file_if_there(folder / "none.toml");
  ASSERT_TRUE(optional);
  EXPECT_FALSE(*optional);
}

TEST_F(ConfigFileOnDisk, AFolderOrAFileThatMustNotBeReadIsRefused) {
  const auto a_folder = read_config_file_if_there(folder);
  ASSERT_FALSE(a_folder);
  EXPECT_EQ(a_folder.error().kind, FaultKind::BadData);
  std::ofstream(folder / "secret.toml") << "";
  chmod((folder / "secret.toml").c_str(), 0);
  const bool is_root = geteuid() == 0;  // who may read everything
  ASSERT_TRUE(!is_root || seteuid(65534) == 0);
  const auto secret = read_config_file_if_there(folder / "secret.toml");
  ASSERT_TRUE(!is_root || seteuid(0) == 0);
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().kind, FaultKind::NotAllowed);
}

TEST_F(ConfigFileOnDisk, ADeviceOrAPipeThatNeverEndsDoesNotHoldUsUp) {
  EXPECT_TRUE(read_config_file("/dev/null"));
  const auto endless = read_config_file("/dev/zero");
  ASSERT_FALSE(endless);
  EXPECT_NE(endless.error().message.find("larger than"), std::string::npos);
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(read_config_file(folder / "pipe")) << "nobody writes: it is empty";
}

}  // namespace
}  // namespace cidbus
