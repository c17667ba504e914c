#include "shared/content/car.h"

#include <gtest/gtest.h>

#include "shared/base/prng.h"
#include "shared/content/posix_file.h"
#include "shared/content/test_support.h"

namespace cidbus {
namespace {

using content_test::cid_of;
using content_test::fixture;
using content_test::from_hex;
using content_test::to_hex;

constexpr const char* empty_file = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

Bytes header_with(std::string_view body_hex) {
  const Bytes body = from_hex(body_hex);
  Bytes out;
  ByteWriter(out).varint(body.size());
  ByteWriter(out).raw(body);
  return out;
}

void add_section(Bytes& car, const Cid& cid, ByteView content) {
  ByteWriter writer(car);
  writer.varint(cid.bytes().size() + content.size());
  writer.raw(cid.bytes());
  writer.raw(content);
}

// {"roots": [bafkqaaa], "version": 1}, then the sections given.
Bytes small_car() {
  Bytes car = header_with(
      "a265726f6f747381d82a45000155000067766572"
      "73696f6e01");
  add_section(car, Cid::v1(Codec::Raw, sha2_256(as_bytes("hello"))), as_bytes("hello"));
  add_section(car, cid_of(empty_file), {});
  add_section(car, cid_of("bafkqabtimvwgy3yk"), as_bytes("hello\n"));
  return car;
}

struct Read {
  std::vector<Cid> roots;
  std::vector<Block> blocks;
};

// Gives its source away a few bytes at a time, as a socket would.
class Dribble final : public ByteSource {
 public:
  Dribble(ByteView bytes, std::size_t most) : source_(bytes), most_(most) {}
  Result<std::size_t> read(std::span<std::uint8_t> buffer) override {
    return source_.read(buffer.first(std::min(buffer.size(), most_)));
  }

 private:
  MemorySource source_;
  std::size_t most_;
};

Result<Read> read_car(ByteView bytes, std::size_t at_a_time = 1 << 20) {
  Dribble source(bytes, at_a_time);
  auto car = CarReader::open(source);
  if (!car) return tl::unexpected(car.error());
  Read read{car->roots(), {}};
  for (;;) {
    auto block = car->next();
    if (!block) return tl::unexpected(block.error());
    if (!*block) return read;
    read.blocks.push_back(**std::move(block));
  }
}

TEST(Car, GivesRootsAndBlocksHoweverTheyArrive) {
  const Bytes car = small_car();
  for (const std::size_t at_a_time : {1U, 2U, 7U, 1000U}) {
    const auto read = read_car(car, at_a_time);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->roots, std::vector<Cid>{cid_of("bafkqaaa")});
    ASSERT_EQ(read->blocks.size(), 3U);
    EXPECT_EQ(as_text(read->blocks[0].bytes()), "hello");
    EXPECT_TRUE(read->blocks[1].bytes().empty());
    EXPECT_TRUE(read->blocks[2].cid().is_identity());
  }
}

TEST(Car, PublicVersion1FileReadsAsItsDescriptionSays) {
  const auto path = fixture("multiformats/ipld/car/fixture/carv1-basic/carv1-basic.car");
  SKIP_WITHOUT_FIXTURE(path);
  auto file = FileSource::open(path);
  ASSERT_TRUE(file);
  auto car = CarReader::open(*file);
  ASSERT_TRUE(car) << car.error().message;
  EXPECT_EQ(car->roots(),
            (std::vector<Cid>{cid_of("bafyreihyrpefhacm6kkp4ql6j6udakdit7g3dmkzfriqfykhjw6cad5lrm"),
                              cid_of("bafyreidj5idub6mapiupjwjsyyxhyhedxycv4vihfsicm2vt46o7morwlm")}));
  std::vector<std::size_t> sizes;
  while (true) {
    const auto block = car->next();
    ASSERT_TRUE(block) << block.error().message;
    if (!*block) break;
    sizes.push_back((*block)->bytes().size());
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{55, 97, 4, 94, 4, 47, 4, 18}));
}

TEST(Car, Version2IsRefused) {
  const auto path = fixture("multiformats/ipld/car/fixture/carv2-basic/carv2-basic.car");
  SKIP_WITHOUT_FIXTURE(path);
  const auto read = read_car(content_test::read_file(path));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "not a CAR: only version 1 is read here");
}

TEST(Car, ACutFileNeverLooksWhole) {
  const Bytes car = small_car();
  int whole = 0;
  for (std::size_t size = 0; size < car.size(); ++size) {
    const auto read = read_car(ByteView(car).first(size));
    if (!read) {
      EXPECT_EQ(read.error().kind, FaultKind::BadData);
      continue;
    }
    ++whole;
    EXPECT_LT(read->blocks.size(), 3U);
  }
  EXPECT_EQ(whole, 3) << "cuts between two sections cannot be seen: the DAG is what tells";
}

TEST(Car, ABlockThatIsNotWhatItSaysIsRefusedByName) {
  Bytes car = header_with("a265726f6f7473806776657273696f6e01");
  add_section(car, cid_of(empty_file), as_bytes("not empty"));
  const auto read = read_car(car);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message,
            std::string("block ") + empty_file + ": the content does not have the hash it was asked by");
}

TEST(Car, LengthsAreCheckedBeforeRoomIsMade) {
  const Bytes header = header_with("a265726f6f7473806776657273696f6e01");
  for (const std::uint64_t length :
       {std::uint64_t{0}, limits::block_bytes + limits::cid_bytes + std::uint64_t{1},
        std::uint64_t{1} << 62}) {
    Bytes car = header;
    ByteWriter(car).varint(length);
    ByteWriter(car).raw(Bytes(100));
    const auto read = read_car(car);
    ASSERT_FALSE(read) << length;
    EXPECT_EQ(read.error().message, "not a CAR: a section of " + std::to_string(length) + " bytes");
  }
  Bytes long_header;
  ByteWriter(long_header).varint(limits::car_header_bytes + 1);
  EXPECT_FALSE(read_car(long_header));
  for (const char* varint : {"8000", "ffffffffffffffffffff01"}) {
    Bytes car = header;
    ByteWriter(car).raw(from_hex(varint));
    EXPECT_EQ(read_car(car).error().message, "not a CAR: a badly encoded length");
  }
}

TEST(Car, TheLargestBlockPasses) {
  Bytes car = header_with("a265726f6f7473806776657273696f6e01");
  const Bytes content(limits::block_bytes, 7);
  add_section(car, Cid::v1(Codec::Raw, sha2_256(content)), content);
  const auto read = read_car(car, 1000);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->blocks.at(0).bytes().size(), limits::block_bytes);
}

TEST(Car, HeadersThatAreNoneAreRefused) {
  for (const char* body :
       {"80", "a0", "a1", "a165726f6f747380", "a16776657273696f6e02", "a16776657273696f6e01ff",
        "a16776657273696f6e61", "bf6776657273696f6e01ff", "a265726f6f747381016776657273696f6e01",
        "a265726f6f747381d82a4101", "a265726f6f74739bffffffffffffffff", "a1616101"}) {
    EXPECT_FALSE(read_car(header_with(body))) << body;
  }
  EXPECT_TRUE(read_car(header_with("a16776657273696f6e01"))) << "no roots named";
  EXPECT_TRUE(read_car(header_with("a26776657273696f6e0165726f6f747380"))) << "any order";
  EXPECT_FALSE(read_car({}));
}

TEST(Car, MutatedFilesAreReadOrRefusedWithoutHarm) {
  const Bytes valid = small_car();
  Prng prng(17);
  int refused = 0;
  for (int round = 0; round < 50'000; ++round) {
    Bytes car = valid;
    for (std::uint64_t changes = prng.between(1, 3); changes > 0; --changes) {
      car[prng.below(car.size())] = static_cast<std::uint8_t>(prng());
    }
    if (!read_car(car)) ++refused;
  }
  EXPECT_GT(refused, 40'000);
}

}  // namespace
}  // namespace cidbus
