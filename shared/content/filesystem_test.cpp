#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "shared/base/limits/content.h"
#include "shared/content/filesystem_export.h"
#include "shared/content/filesystem_import.h"
#include "shared/content/posix_file.h"
#include "shared/content/test_blocks.h"
#include "shared/content/test_support.h"
#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

namespace fs = std::filesystem;
using content_test::cid_of;
using content_test::MapStore;
using content_test::pattern_bytes;
using content_test::small_profile;

class FileSystem : public testing::Test {
 protected:
  FileSystem() : importer_(small_profile(1), store_), reader_(store_) {}

  fs::path write(const std::string& name, const std::string& content) const {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static std::string read(const fs::path& path) {
    return std::string(as_text(content_test::read_file(path)));
  }
  Result<ImportedNode> add(const fs::path& path, bool hidden = false) {
    return add_path(importer_, path, {.recursive = true, .include_hidden = hidden});
  }
  // Everything but the staging that an export may leave behind, which must be nothing.
  [[nodiscard]] std::vector<std::string> names_in(const fs::path& path) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
  MapStore store_;
  Importer importer_;
  Reader reader_;
};

TEST_F(FileSystem, ATreeComesBackAsItWas) {
  write("tree/a.txt", "hello");
  write("tree/\u0105/\U0001F600", std::string(500, 'x'));
  write("tree/line\nbreak", "");
  write("tree/not \xff utf8", "bytes");
  fs::create_directories(folder_ / "tree/empty/inner");
  fs::create_symlink("a.txt", folder_ / "tree/link");
  fs::create_symlink("/nowhere/at all", folder_ / "tree/dangling");
  const auto node = add(folder_ / "tree");
  ASSERT_TRUE(node) << node.error().message;
  ASSERT_TRUE(export_path(reader_, node->cid, folder_ / "copy"));
  EXPECT_EQ(read(folder_ / "copy/a.txt"), "hello");
  EXPECT_EQ(read(folder_ / "copy/\u0105/\U0001F600"), std::string(500, 'x'));
  EXPECT_EQ(fs::read_symlink(folder_ / "copy/link"), "a.txt");
  EXPECT_EQ(fs::read_symlink(folder_ / "copy/dangling"), "/nowhere/at all");
  EXPECT_EQ(names_in(folder_ / "copy"), names_in(folder_ / "tree"));
  EXPECT_TRUE(fs::is_empty(folder_ / "copy/empty/inner"));
  EXPECT_EQ(add(folder_ / "copy")->cid, node->cid);
  EXPECT_EQ(names_in(folder_), (std::vector<std::string>{"copy", "tree"}));
}

// The same with `ipfs add`: the CID of a folder {"hello.txt": "hello world\n"} under the default profile,
// from ipfs-unixfs-importer 17.1.1.
TEST_F(FileSystem, AFolderHasTheCidOthersGiveIt) {
  write("d/hello.txt", "hello world\n");
  Importer importer(default_profile, store_);
  EXPECT_EQ(to_text(add_path(importer, folder_ / "d", {.recursive = true})->cid),
            "bafybeidhkumeonuwkebh2i4fc7o7lguehauradvlk57gzake6ggjsy372a");
  EXPECT_EQ(to_text(add_path(importer, folder_ / "d/hello.txt", {})->cid),
            "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4");
}

TEST_F(FileSystem, HiddenNamesAreLeftOutUnlessAskedForOrNamed) {
  write("d/seen", "1");
  const Cid plain = add(folder_ / "d")->cid;
  write("d/.hidden", "2");
  write("d/.git/config", "3");
  EXPECT_EQ(add(folder_ / "d")->cid, plain);
  EXPECT_NE(add(folder_ / "d", true)->cid, plain);
  EXPECT_TRUE(add(folder_ / "d/.hidden"));
  EXPECT_TRUE(add(folder_ / "d/.git"));
}

TEST_F(FileSystem, SymlinksStaySymlinksUnlessThePathItselfIsToBeFollowed) {
  write("target", "content");
  fs::create_symlink("target", folder_ / "link");
  const auto link = add(folder_ / "link");
  EXPECT_EQ(link->kind, NodeKind::Symlink);
  EXPECT_EQ(*reader_.read_symlink(link->cid), "target");
  const auto followed = add_path(importer_, folder_ / "link", {.follow_path_link = true});
  EXPECT_EQ(followed->cid, add(folder_ / "target")->cid);
  fs::create_symlink("gone", folder_ / "dangling");
  EXPECT_EQ(add_path(importer_, folder_ / "dangling", {.follow_path_link = true}).error().kind,
            FaultKind::NotFound);
}

TEST_F(FileSystem, WhatCannotBeAddedIsNamedInOneLine) {
  const auto missing = add(folder_ / "missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, FaultKind::NotFound);
  EXPECT_EQ(missing.error().message,
            "cannot read '" + (folder_ / "missing").native() + "': No such file or directory");

  write("d/file", "1");
  const auto folder = add_path(importer_, folder_ / "d", {});
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind, FaultKind::BadUsage);
  EXPECT_NE(folder.error().message.find("it is a folder; use --recursive"), std::string::npos);

  ASSERT_EQ(::mkfifo((folder_ / "d/pipe").c_str(), 0600), 0);
  const auto pipe = add(folder_ / "d");
  ASSERT_FALSE(pipe);
  EXPECT_NE(pipe.error().message.find("d/pipe': it is a pipe"), std::string::npos) << pipe.error().message;
  EXPECT_FALSE(FileSource::open(folder_ / "d/pipe")) << "and opening it does not wait for a writer";
  EXPECT_FALSE(FileSource::open(folder_ / "d"));
}

TEST_F(FileSystem, FoldersDeeperThanADagMayBeAreRefused) {
  fs::path path = folder_ / "deep";
  for (std::size_t level = 1; level < limits::dag_depth; ++level) path /= "d";
  fs::create_directories(path);
  std::ofstream(path / "file") << "x";
  const auto node = add(folder_ / "deep");
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(node->height, limits::dag_depth);
  ASSERT_TRUE(export_path(reader_, node->cid, folder_ / "copy"));
  fs::create_directories(path / "d");
  const auto deeper = add(folder_ / "deep");
  ASSERT_FALSE(deeper);
  EXPECT_NE(deeper.error().message.find("deeper than 64 levels"), std::string::npos)
      << deeper.error().message;
}

TEST_F(FileSystem, ImportTellsBytesDoneOfTheTotalAndStopsWhenToldTo) {
  write("d/a", std::string(100, 'a'));
  write("d/b/c", std::string(23, 'c'));
  write("d/.hidden", std::string(1000, 'h'));
  ByteCount last = 0;
  const auto node =
      add_path(importer_, folder_ / "d", {.recursive = true}, [&](ByteCount done, ByteCount total) {
        EXPECT_EQ(total, 123U);
        EXPECT_GT(done, last);
        last = done;
        return Status();
      });
  ASSERT_TRUE(node);
  EXPECT_EQ(last, 123U);
  const auto stopped = add_path(importer_, folder_ / "d", {.recursive = true}, [](ByteCount, ByteCount) {
    return Status(fault(FaultKind::Failed, "interrupted"));
  });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "interrupted");
}

TEST_F(FileSystem, AnExportRefusesWhatExistsAndLeavesItAlone) {
  write("there", "mine");
  fs::create_symlink("gone", folder_ / "dangling");
  const Cid cid = add(folder_ / "there")->cid;
  for (const char* name : {"there", "dangling", ".", "there/"}) {
    const auto exported = export_path(reader_, cid, folder_ / name);
    ASSERT_FALSE(exported) << name;
  }
  EXPECT_EQ(export_path(reader_, cid, folder_ / "there").error().message,
            "cannot create '" + (folder_ / "there").native() + "': it exists already; name another path");
  EXPECT_EQ(read(folder_ / "there"), "mine");
  EXPECT_EQ(export_path(reader_, cid, folder_ / "no/such/folder").error().kind, FaultKind::NotFound);
  EXPECT_EQ(names_in(folder_), (std::vector<std::string>{"dangling", "there"}));
}

TEST_F(FileSystem, AnExportThatFailsLeavesNothing) {
  write("d/a", std::string(100, 'a'));
  write("d/z", std::string(50, 'z'));
  const auto node = add(folder_ / "d");
  fs::remove_all(folder_ / "d");
  store_.blocks.erase(sha2_256(as_bytes("zzzz")));
  const auto exported = export_path(reader_, node->cid, folder_ / "copy");
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().kind, FaultKind::NotFound);
  EXPECT_TRUE(names_in(folder_).empty());
}

TEST_F(FileSystem, NamesThatEscapeAreNeverWritten) {
  const Cid leaf = store_.put_raw(as_bytes("evil"));
  const Cid inner = store_.put_dag_pb(content_test::file_block({.type = UnixFsType::Directory}));
  for (const std::string& name : std::initializer_list<std::string>{
           "..", ".", "../evil", "/tmp/evil", "a/b", std::string("a\0b", 3), std::string(256, 'a')}) {
    for (const Cid& child : {leaf, inner}) {
      const Cid root = store_.put_dag_pb(
          content_test::file_block({.type = UnixFsType::Directory, .links = {child}, .link_name = name}));
      const auto exported = export_path(reader_, root, folder_ / "out");
      ASSERT_FALSE(exported) << name;
      EXPECT_EQ(exported.error().kind, FaultKind::BadData);
      EXPECT_TRUE(names_in(folder_).empty()) << name;
    }
  }
}

TEST_F(FileSystem, ASymlinkAndAFolderOfOneNameDoNotLeadOutside) {
  fs::create_directories(folder_ / "outside");
  const Cid leaf = store_.put_raw(as_bytes("evil"));
  const Cid link = importer_.add_symlink((folder_ / "outside").native())->cid;
  const Cid evil_folder = store_.put_dag_pb(
      content_test::file_block({.type = UnixFsType::Directory, .links = {leaf}, .link_name = "evil"}));
  const Cid root = store_.put_dag_pb(content_test::file_block(
      {.type = UnixFsType::Directory, .links = {link, evil_folder}, .link_name = "x"}));
  EXPECT_FALSE(export_path(reader_, root, folder_ / "out"));
  const Cid over_file = store_.put_dag_pb(
      content_test::file_block({.type = UnixFsType::Directory, .links = {link, leaf}, .link_name = "x"}));
  const auto exported = export_path(reader_, over_file, folder_ / "out");
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().kind, FaultKind::BadData);
  EXPECT_EQ(exported.error().message, "cannot create '" + (folder_ / "out/x").native() +
                                          "': the folder has two entries that are one name here");
  EXPECT_TRUE(fs::is_empty(folder_ / "outside"));
  EXPECT_EQ(names_in(folder_), std::vector<std::string>{"outside"});
}

TEST_F(FileSystem, ExportsOneFileOneSymlinkAndTellsProgress) {
  const auto file = add(write("f", std::string(100, 'f')));
  ByteCount last = 0;
  ASSERT_TRUE(export_path(reader_, file->cid, folder_ / "g", [&](ByteCount done, ByteCount total) {
    EXPECT_EQ(total, 100U);
    EXPECT_GT(done, last);
    last = done;
    return Status();
  }));
  EXPECT_EQ(last, 100U);
  EXPECT_EQ(read(folder_ / "g"), std::string(100, 'f'));
  ASSERT_TRUE(export_path(reader_, importer_.add_symlink("f")->cid, folder_ / "h"));
  EXPECT_EQ(fs::read_symlink(folder_ / "h"), "f");
  const auto stopped = export_path(reader_, file->cid, folder_ / "i", [](ByteCount, ByteCount) {
    return Status(fault(FaultKind::Failed, "interrupted"));
  });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(names_in(folder_), (std::vector<std::string>{"f", "g", "h"}));
}

TEST_F(FileSystem, AFullDiskSaysSoAndIsForLater) {
  FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full.is_open()) GTEST_SKIP() << "no /dev/full here";
  FileSink sink("/some/where", std::move(full));
  const auto written = sink.write(as_bytes("x"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, FaultKind::TryAgain);
  EXPECT_EQ(written.error().message, "cannot write '/some/where': No space left on device");
}

}  // namespace
}  // namespace cidbus
