// Runs the public gateway conformance suite (gateway-conformance/run.py, where present) against the product's
// own server over the suite's fixtures.
//
// What this gateway does not offer is left out by name, so that what it starts to offer has to be taken off
// the list: CAR, TAR and IPLD formats, IPNS, DNSLink, subdomains, _redirects, and Kubo's own HTML.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <unordered_map>

#include "gateway/content_server.h"
#include "shared/content/car.h"

namespace cidbus {
namespace {

namespace fs = std::filesystem;

constexpr const char* groups =
    "path-unixfs-gateway,path-raw-gateway,path-range-gateway,trustless-block-gateway";

using Blocks = std::unordered_map<Multihash, Block>;

Bytes read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

void load_car(const fs::path& path, Blocks& blocks) {
  const Bytes bytes = read_file(path);
  MemorySource source(bytes);
  auto car = CarReader::open(source);
  ASSERT_TRUE(car) << path << ": " << car.error().message;
  for (;;) {
    auto block = car->next();
    ASSERT_TRUE(block) << path << ": " << block.error().message;
    if (!*block) return;
    const Multihash key = (*block)->cid().multihash();
    blocks.insert_or_assign(key, **std::move(block));
  }
}

class FixtureSource final : public BlockSource {
 public:
  FixtureSource(const Blocks& blocks, MemoryStore& cache) : blocks_(blocks), cache_(cache) {}
  Result<Block> get(const Cid& cid) override {
    const auto found = blocks_.find(cid.multihash());
    if (found == blocks_.end()) return fault(FaultKind::NotFound, "no node holds " + to_text(cid));
    cache_.put_verified(found->second);
    return found->second;
  }

 private:
  const Blocks& blocks_;
  MemoryStore& cache_;
};

TEST(GatewayConformance, the_public_suite_passes_for_what_is_offered) {
  const fs::path suite = fs::path(CIDBUS_FIXTURES) / "gateway-conformance";
  if (!fs::exists(suite / "run.py")) GTEST_SKIP() << "the public suite is not in " CIDBUS_FIXTURES;
  Blocks blocks;
  for (const auto& entry : fs::recursive_directory_iterator(suite / "fixtures")) {
    if (entry.path().extension() == ".car") load_car(entry.path(), blocks);
  }
  ASSERT_GT(blocks.size(), 100U);

  ContentServerOptions options;
  options.http.address = "127.0.0.1:0";
  options.make_source = [&](MemoryStore& cache) { return std::make_unique<FixtureSource>(blocks, cache); };
  options.checks = [] { return std::vector<ReadinessCheck>(); };
  const auto server = ContentServer::start(std::move(options));
  ASSERT_TRUE(server) << server.error().message;

  const std::string command = std::string(CIDBUS_PYTHON) + " '" + (suite / "run.py").string() + "' http://" +
                              (*server)->address() + " --groups " + groups +
                              " --skip IPNS --no-kubo-html 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  char part[4096];
  while (const std::size_t count = std::fread(part, 1, sizeof(part), pipe)) output.append(part, count);
  const int status = ::pclose(pipe);
  EXPECT_EQ(status, 0) << output;
  std::puts(output.c_str());
}

}  // namespace
}  // namespace cidbus
