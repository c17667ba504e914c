#include "shared/content/importer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "shared/base/prng.h"
#include "shared/content/test_blocks.h"
#include "shared/content/test_support.h"

namespace cidbus {
namespace {

using content_test::CountingSink;
using content_test::from_hex;
using content_test::MapStore;
using content_test::pattern_bytes;
using content_test::PatternSource;
using content_test::small_profile;
using content_test::to_hex;

// Made with ipfs-unixfs-importer 17.1.1 (npm), byte i of the content being i modulo 251; `tsize` is its
// `size`. small_profile: chunks of 4 bytes and 3 links a node, so that trees of seven levels need a thousand
// bytes.
struct KnownFile {
  ImportProfile profile;
  ByteCount size;
  const char* cid;
  ByteCount tsize;
};

const KnownFile known_files[] = {
    {unixfs_v1_2025, 0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", 0},
    {unixfs_v1_2025, 1, "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu", 1},
    {unixfs_v1_2025, 1048575, "bafkreielkxdkfu2eicjkgfuykayoada6n6dar2xzclejnxxhyn2niqhnce", 1048575},
    {unixfs_v1_2025, 1048576, "bafkreidddocae7lltzjlkooe5a3tmiwsgazn7logjvqk7bzttsidpzhxne", 1048576},
    {unixfs_v1_2025, 1048577, "bafybeidjogjfwuhbzwopgd4bn3skcf5m6oz72xshywcndzxgqb623nfclu", 1048681},
    {unixfs_v1_2025, 3145735, "bafybeidf5ibbwfq6vjf5gbu2zzqt2xzzq5kanx6iygbjb6nb5xjutqe6vm", 3145940},
    {unixfs_v1_2025, 1073741824, "bafybeicwzrjcl3bf6vaai6cmvhdkgwnyezzlwmdqp3fnu33im55ssch6ve", 1073793035},
    {unixfs_v1_2025, 1073741825, "bafybeicvbrlogmtthu7pz4o64c7yzm4v6dtshggbqsldxcm4fi2ftbxazu", 1073793198},
    {unixfs_v0_2015, 0, "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH", 6},
    {unixfs_v0_2015, 1, "QmS9JArPwa55ePgDnyg6TzX24mYTS1b1vLqWNebyVotKxQ", 9},
    {unixfs_v0_2015, 127, "QmTRCmJEMGgRBSq1N4uULzndNwdkrCJGQNK81W367SXC2C", 136},
    {unixfs_v0_2015, 128, "QmUYu9UUYnPmvriLauRehtYRvpy9LAozxJ8Ke4yfeZpCJr", 139},
    {unixfs_v0_2015, 16384, "QmV665N59zgLGHvpDAFNzBsP6JCbgvFLMr5Ko4pvCTVaG8", 16398},
    {unixfs_v0_2015, 262143, "QmRfm83kqBpGJbGxJg1en9hpwq8eNnP4E2Dj8K73F4m983", 262157},
    {unixfs_v0_2015, 262144, "QmeqfRyS3vkku7n6krqC3DgGMex3x2sCpSeKMDmrG13QQq", 262158},
    {unixfs_v0_2015, 262145, "QmUSjGawaz4ptvREcMKSMJneWCa5j8dAz2wSAAvHtW2rnB", 262267},
    {unixfs_v0_2015, 45613055, "QmSpC61nY4dcarPju8f7JsXaMpEL99ZAYsMbQnfymuVJBs", 45623853},
    {unixfs_v0_2015, 45613056, "QmXCym15aFeWjAWyPFaAgwVmkuKB7EBsV77Skt54KmxChF", 45623854},
    {unixfs_v0_2015, 45613057, "QmTedsTekQQkgACJXb1sPZSW8bLdS9LPMrT7L4YdjNRd4n", 45624016},
    {unixfs_v0_2015, 91226112, "QmYkLpueLANGRQYbKnFi9a2BtebuhbUSasChqaAWzjFna1", 91247817},
    {unixfs_v0_2015, 91226113, "QmWS8b6yZxWD74H3M3Ptvw4DgJscGbAQuB4rqKzJMneRrU", 91247920},
    {kubo_cidv1_raw_256k, 0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", 0},
    {kubo_cidv1_raw_256k, 1, "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu", 1},
    {kubo_cidv1_raw_256k, 262143, "bafkreiagptg6ztonoojy4wflk3wwusl5xt4vcy6uult4wa7oemsjtxhjsu", 262143},
    {kubo_cidv1_raw_256k, 262144, "bafkreibruh455iawsviqslif5c7uurdcfdemh22mtnytyzvnzn75kpejxy", 262144},
    {kubo_cidv1_raw_256k, 262145, "bafybeiexg2oqkfnj56l7fcmawswqbijt5shq4b5rg6a546uwpkqqzwjioi", 262249},
    {kubo_cidv1_raw_256k, 45613055, "bafybeihq7k7e5vdrnuuzu3rrsvjotsdjvaf7neht7uw4j5dhywvk5bwqyq", 45621765},
    {kubo_cidv1_raw_256k, 45613056, "bafybeihpe5snhzneq7xs53nivmsopto5lrogo3wjynauqylqeym5a3irbm", 45621766},
    {kubo_cidv1_raw_256k, 45613057, "bafybeib4y7ghw2rq7bracc4xwtxrbzo7cfvagdpte2tmrkgwl6dyard3cm", 45621926},
    {kubo_cidv1_raw_256k, 91488261, "bafybeihtobrm5i25ombdbunc3en7julkbzitijyrgnnf26cwahn3ufzkiy", 91505948},
    {small_profile(1), 0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", 0},
    {small_profile(1), 3, "bafkreifojmzibzlof6xyh5auu3r5vpu5l67brf3fitaf73isdlglqw2t7q", 3},
    {small_profile(1), 4, "bafkreiafj3pmdubbd5re73imxsu5j6kabmheshcdoqvpfrnqvpv7bsmq3a", 4},
    {small_profile(1), 5, "bafybeidoaxjtfzmllhcway5ubogf3onacj5hcjxkps6ltqkicxj5degtta", 103},
    {small_profile(1), 11, "bafybeidewv42it2d274muyxrcqwtcuuyozwnqmsevorfn6wbgjmbaqjdsy", 155},
    {small_profile(1), 12, "bafybeiescpchc5ia7pu7ztozfeiu6k4yith5dbt3r43xshnyudv7krmtae", 156},
    {small_profile(1), 13, "bafybeigioqx7mhmr5omwrkizhlha6jprh2gzlqmazplk4cj2ezmbx6lhei", 308},
    {small_profile(1), 24, "bafybeifzxqblojrs7zfksjmxbfl36mildujrfqjeqokf2yg356xsp6crc4", 412},
    {small_profile(1), 36, "bafybeiazbw7qde46yxbdyyv4rzu3cbrk2cf7f3h7vtbpbzhooueqfws6ti", 615},
    {small_profile(1), 37, "bafybeidiwnloirt3sptf4j5vz6iif5pod6yee4z23t57sftychzrp2n4ge", 819},
    {small_profile(1), 48, "bafybeie3mynvwf374jh23e536r5klbch6jmts2pcig3gilfo5kd64hlj7m", 924},
    {small_profile(1), 49, "bafybeicn2g7j4t37qsi2afcp4ronl2q7s73f6c4y6la25y52kc3lsitcii", 1023},
    {small_profile(1), 107, "bafybeignt742yk5ex3vt55gc3grakl54mhmdhq7o6dt5qw3b3hww6zummq", 1991},
    {small_profile(1), 108, "bafybeifkinfsm2fujjoekag7yheqoh2modzg4md4d3wlotmykqz3giqbay", 1992},
    {small_profile(1), 109, "bafybeihqjgih5vr3po3xckv2yf67fsl7qf6mgclby5ik7to5zm6knpzbli", 2249},
    {small_profile(1), 110, "bafybeigrmypdhe262nyg5n36y5njyol7qi5s64vbc3fxkdwl46ufoiwvvq", 2250},
    {small_profile(1), 324, "bafybeih3g3y354f7lujjnhuertghwsn3a325pcpgsrhpmiyy4cc222hcd4", 6124},
    {small_profile(1), 325, "bafybeiea6zonyssmc3ljjmeoytmr5w2lfnbn3zqyhgc7httkybm4mdcgzi", 6436},
    {small_profile(1), 1000, "bafybeigyscl3gpnr6flcilmrzpipwlidpnlkljpanmsj4g5f2pvjzltluy", 19299},
    {small_profile(0), 0, "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH", 6},
    {small_profile(0), 3, "QmV8BswP26H2stWWUXgizp3iyL8YCqzjicgs9rFsoqGu12", 11},
    {small_profile(0), 4, "QmSpgrxS7GV2xivpNPmgy8YPyPhSDmTJumDwv3RGNBXjE9", 12},
    {small_profile(0), 5, "Qmf2coSLeNjuq1scU2DSVGD8F51awNaZzYwKmhVaarNUdE", 115},
    {small_profile(0), 11, "QmZGfpLjinFxBFTxjYz4r3dW9WBqabZ1vNcEa2mvA8MVZg", 173},
    {small_profile(0), 12, "QmVyBTWKNq9Hrk6QDeg6qAqQrF1jiSchichpC3i6edekov", 174},
    {small_profile(0), 13, "Qmc1Du5QVrAgTSdvJecBgekPgVZfaTxdYMrGXmQ62L9n5Q", 328},
    {small_profile(0), 24, "QmdVhoPJhGZNXUTdof1K5sDJupfo4zXrNam3udLyMdUSZW", 444},
    {small_profile(0), 36, "QmSrLbaad7uec55vAJfn39XBCsppQtT8ivcRnAJMvzfhNA", 663},
    {small_profile(0), 37, "QmYD7tcjqnMfeEXS4sRvUBevtzcpxRLCFKSD83NXVEmX2J", 867},
    {small_profile(0), 48, "QmUbgnLhFeRmiB9nbQ66C3QhTVrNCeGxfkjhi7KEbjWfeB", 984},
    {small_profile(0), 49, "QmV4jpRWyspDrxrBueaEthkZdddfqTapuDrUB9Rn7p4ih5", 1087},
    {small_profile(0), 107, "QmQpihEuhNFELR4uzXpvaWgLzko1kQKmNA7kzBRxbdVQxR", 2129},
    {small_profile(0), 108, "QmdPVRLeYcnkUz63MEcFPWfnfLhzEMY4AjYK4iGUfX8nMe", 2130},
    {small_profile(0), 109, "QmThZomnMt4M1vQLJNm1BuHSnEQhK5j3Cv65eEpdoUGp3K", 2385},
    {small_profile(0), 110, "QmVmkKmF4i4J9Yaqc3sDGTSC4q23RdztzAEByBSWb6bcH3", 2386},
    {small_profile(0), 324, "QmXsrGMzeo4TEzSk967A2HuCfTAA68MpDG92331W2U19M8", 6532},
    {small_profile(0), 325, "QmXZ7t7jtdxFkLfTCRQ8TJmZz9y6yoLaeJYTpNF6Xx7Vwt", 6840},
    {small_profile(0), 1000, "Qmd2qT9Xf8gCwjfQV1xKyGPQerFVuXrsKz9ibnQ28N2quh", 20543},
};

TEST(Importer, GivesFilesTheCidsOfTheReferenceImplementation) {
  for (const KnownFile& known : known_files) {
    CountingSink sink;
    Importer importer(known.profile, sink);
    PatternSource source(known.size);
    const auto node = importer.add_file(source);
    ASSERT_TRUE(node) << node.error().message;
    EXPECT_EQ(to_text(node->cid), known.cid) << known.profile.name << ' ' << known.size;
    EXPECT_EQ(node->tsize, known.tsize) << known.profile.name << ' ' << known.size;
    EXPECT_EQ(node->size, known.size);
    EXPECT_EQ(sink.total, known.tsize) << "Tsize is the sum of all blocks put";
    EXPECT_EQ(node->kind, NodeKind::File);
  }
}

// Entries "entry-000000.txt", "entry-000001.txt", ... of the content "0", "1", ..., and perhaps one more of
// content "x"; sizes just at and just above both sharding rules. From ipfs-unixfs-importer 17.1.1.
struct KnownDirectory {
  ImportProfile profile;
  unsigned entries;
  const char* extra_name;
  const char* cid;
  ByteCount tsize;
};

const KnownDirectory known_directories[] = {
    {unixfs_v1_2025, 0, "", "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354", 4},
    {unixfs_v1_2025, 1, "", "bafybeiaq5bj3tuainiudflqqb5xoknlizgyfnmp7gbyopt7brsvpbul5ta", 65},
    {unixfs_v1_2025, 2, "", "bafybeia6w3cwqg3qkwurx3sq5jfldakrjwr44fw4sllh7kedbhuzencxpa", 126},
    {unixfs_v1_2025, 1000, "", "bafybeihgnor5kqgh3pqtof2za5xu7fobegjkrc4hl3wnr5p2n6ne5gnu5y", 62894},
    {unixfs_v1_2025, 4369, "", "bafybeictzg3sxzch5ixarsuaexd3vh5sdexmgoarfjkigfhujdh4xhq55u", 278510},
    {unixfs_v1_2025, 4370, "", "bafybeid3xad3mugdsqyfhapvmbj3tz3vvlbrfvcxeq3xivww5gmpsuptd4", 321570},
    {unixfs_v1_2025, 5041, "", "bafybeibm6fjlafgokidwiiux7cg3xgukrw5r3tq5hhllxupmj7qqqv7mgi", 369352},
    {unixfs_v1_2025, 5042, "", "bafybeibgeoha5b2z2napynckgxthscho5nof2ydxchlsc7hatv6sibkgam", 369418},
    {unixfs_v1_2025, 5242, "", "bafybeidsa6gtzugu3hmvdivgzn42xli5zm5ydgu4yg3y7jmbsk7gamtpd4", 383748},
    {unixfs_v1_2025, 5243, "", "bafybeiewmfbv74o4bdfkd3wqtwm32ld7p6zthb7zn6srzbw34z3rh72doy", 383814},
    {unixfs_v1_2025, 6000, "", "bafybeigt6qjopv3lgxbeu5vrtxezzfdiv5hrjxoilvlzmiiel5nbe64l2i", 439165},
    {unixfs_v1_2025, 70000, "", "bafybeiby6d2li7lgittivjedgrqbz3h7aq7uch3ew552or4y5xzsh5xvgu", 6250513},
    {unixfs_v0_2015, 0, "", "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", 4},
    {unixfs_v0_2015, 1, "", "QmWqNwCFrjmgpy9Ldp6N5cA6DPfPoA9TN5HoASQiS7QcWg", 71},
    {unixfs_v0_2015, 2, "", "QmcdAjV9vBw2bCU2XY6bHFnSiKSgKLGgWcNW4sSDd6LkSy", 138},
    {unixfs_v0_2015, 1000, "", "QmYwpixmYNp2SE8KtgvEQ2RFx7SvZwZdY8AMDHqCwE7Rs5", 68894},
    {unixfs_v0_2015, 4369, "", "QmSe4bbuo2mgKPSHRQwaepMQspz2zpTdiH6uRG7dy6Nsxj", 304724},
    {unixfs_v0_2015, 4370, "", "QmbwwfZi9L5zsomHGRBChHBAGdpXREVp6AozkRucX8CaKc", 304794},
    {unixfs_v0_2015, 5041, "", "QmfWKqVvGjY9pe5VEzv2uPjYQQfmTxmGMgAWVL5KV1vSY4", 351764},
    {unixfs_v0_2015, 5042, "", "QmNqYmSgTU6pNAyNoRDjQv2BfuC2PsvE8fhGs6CqZBsSkV", 351834},
    {unixfs_v0_2015, 5242, "", "QmPLfHBzrbJEDdRsCuH9B23KxyicE3F1anPu8pTnXMyMsZ", 365834},
    {unixfs_v0_2015, 5243, "", "QmXkjw93YNnUU7nb6dmWaevVVeYT7woyHgFsAL5Z4eK2Ke", 414352},
    {unixfs_v0_2015, 6000, "", "QmTRp5DocF5K8PuubjFA2ddogbw1kt9HyMxsAhsBEG6m4B", 474111},
    {unixfs_v0_2015, 70000, "", "QmXR8xDT22ow6ocbFKERdBqtVsinmUjch1LKby7EzJQZ3C", 6631699},
    {kubo_cidv1_raw_256k, 0, "", "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354", 4},
    {kubo_cidv1_raw_256k, 1, "", "bafybeiaq5bj3tuainiudflqqb5xoknlizgyfnmp7gbyopt7brsvpbul5ta", 65},
    {kubo_cidv1_raw_256k, 2, "", "bafybeia6w3cwqg3qkwurx3sq5jfldakrjwr44fw4sllh7kedbhuzencxpa", 126},
    {kubo_cidv1_raw_256k, 1000, "", "bafybeihgnor5kqgh3pqtof2za5xu7fobegjkrc4hl3wnr5p2n6ne5gnu5y", 62894},
    {kubo_cidv1_raw_256k, 4369, "", "bafybeictzg3sxzch5ixarsuaexd3vh5sdexmgoarfjkigfhujdh4xhq55u", 278510},
    {kubo_cidv1_raw_256k, 4370, "", "bafybeifnnpjxtditcwnvtejzzuhomsogwxx6hymo6hblelvdlwvwyhplc4", 278574},
    {kubo_cidv1_raw_256k, 5041, "", "bafybeiefqtntf32ofjqurlpjifczew6rwgg65n7bjudr5vqc7rcgojcpxi", 321518},
    {kubo_cidv1_raw_256k, 5042, "", "bafybeibgeoha5b2z2napynckgxthscho5nof2ydxchlsc7hatv6sibkgam", 369418},
    {kubo_cidv1_raw_256k, 5242, "", "bafybeidsa6gtzugu3hmvdivgzn42xli5zm5ydgu4yg3y7jmbsk7gamtpd4", 383748},
    {kubo_cidv1_raw_256k, 5243, "", "bafybeiewmfbv74o4bdfkd3wqtwm32ld7p6zthb7zn6srzbw34z3rh72doy", 383814},
    {kubo_cidv1_raw_256k, 6000, "", "bafybeigt6qjopv3lgxbeu5vrtxezzfdiv5hrjxoilvlzmiiel5nbe64l2i", 439165},
    {kubo_cidv1_raw_256k, 70000, "", "bafybeiby6d2li7lgittivjedgrqbz3h7aq7uch3ew552or4y5xzsh5xvgu", 6250513},
    {unixfs_v0_2015, 5242, "xxxxxxxxxx", "QmV7iCQ3vkFGeEjwrPfCu4fgem8Yo69YryDxNpvVMcaMoY", 365895},
    {unixfs_v0_2015, 5242, "xxxxxxxxxxx", "Qmf9X8LWS3DRYsaTTsoj4RCYsy358QayaCe9CwEbNSwZdj", 414344},
    {kubo_cidv1_raw_256k, 5040, "xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
     "bafybeiescnhzvx2h7m43co5c25tijix3ycv2lfcknj3wqgc2zxzdscr4ky", 321527},
    {kubo_cidv1_raw_256k, 5040, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
     "bafybeiafdza62uziz2psulawrlb4boan4g5xg3lfogqmjx6dm6d77nt4ji", 369362},
};

DirectoryEntry file_entry(Importer& importer, const std::string& name, const std::string& content) {
  MemorySource source(as_bytes(content));
  const auto node = importer.add_file(source);
  EXPECT_TRUE(node);
  return {name, node->cid, node->tsize, node->height};
}

std::vector<DirectoryEntry> numbered_entries(Importer& importer, unsigned count) {
  std::vector<DirectoryEntry> entries;
  for (unsigned number = 0; number < count; ++number) {
    const std::string text = std::to_string(number);
    entries.push_back(
        file_entry(importer, "entry-" + std::string(6 - text.size(), '0') + text + ".txt", text));
  }
  return entries;
}

TEST(Importer, GivesFoldersTheCidsOfTheReferenceImplementation) {
  for (const KnownDirectory& known : known_directories) {
    CountingSink sink;
    Importer importer(known.profile, sink);
    auto entries = numbered_entries(importer, known.entries);
    if (*known.extra_name != 0) entries.push_back(file_entry(importer, known.extra_name, "x"));
    Prng prng(known.entries);
    for (std::size_t at = entries.size(); at > 1; --at) std::swap(entries[at - 1], entries[prng.below(at)]);
    const auto node = importer.add_directory(std::move(entries));
    ASSERT_TRUE(node) << node.error().message;
    EXPECT_EQ(to_text(node->cid), known.cid)
        << known.profile.name << ' ' << known.entries << known.extra_name;
    EXPECT_EQ(node->tsize, known.tsize) << known.profile.name << ' ' << known.entries;
    EXPECT_EQ(sink.total, known.tsize);
    EXPECT_EQ(node->kind, NodeKind::Directory);
  }
}

// UTF-8 order and UTF-16 order differ on these; two of them are one letter to people. Content is the name.
TEST(Importer, OrdersNamesByTheirBytes) {
  const char* names[] = {"B", "a", "\uFF5E", "\U0001F600", "e\u0301", "\u00e9", "Z",         "0",
                         " ", "~", "\u0105", "a.b",        "a-b",     "ab",     "\U0010FFFF"};
  struct Known {
    ImportProfile profile;
    std::size_t threshold;
    const char* cid;
  };
  for (const Known& known :
       {Known{unixfs_v1_2025, 262144, "bafybeigbiztvov6u6rbqe47hvjmhrsaokigfhsz6uq7wtyrib74ohskkea"},
        Known{unixfs_v1_2025, 0, "bafybeigwmq3tqj62zdjeis3ykitcwsvnfraxsedesovgrscmfodl52c67i"},
        Known{unixfs_v0_2015, 262144, "QmV73sBLovTx6Prg9XRDhDtw3nmzofzUmjoNNQADpjAJfz"},
        Known{unixfs_v0_2015, 0, "QmSbmSmbN78nZAk6RkwPqNrhdW1TXtLR58gEYLFeeTpZs2"}}) {
    ImportProfile profile = known.profile;
    profile.sharding_threshold = known.threshold;
    CountingSink sink;
    Importer importer(profile, sink);
    std::vector<DirectoryEntry> entries;
    for (const char* name : names) entries.push_back(file_entry(importer, name, name));
    EXPECT_EQ(to_text(importer.add_directory(std::move(entries))->cid), known.cid);
  }
}

TEST(Importer, ShardsWithOtherFanouts) {
  for (const auto& [fanout, cid] :
       {std::pair{8U, "bafybeifc64gfpfumxlgswifxmpyui4efv4rgxtjrifpl7ign7zf6wjnnm4"},
        std::pair{16U, "bafybeib4hxkdfniut4kbh67hmfz6urwa7eavctu7oke6pbrimwmbhmpvf4"},
        std::pair{256U, "bafybeiasfqdgzat2uooum4tbvkj6vv3xdvwr7awi22jdyevnqtn2etnaym"},
        std::pair{1024U, "bafybeibdjemmmrkz36k2sqcoqez5l53da4pysxprge3yqyxfa2i6zzvoqy"}}) {
    ImportProfile profile = unixfs_v1_2025;
    profile.sharding_threshold = 0;
    profile.hamt_fanout = fanout;
    CountingSink sink;
    Importer importer(profile, sink);
    EXPECT_EQ(to_text(importer.add_directory(numbered_entries(importer, 1000))->cid), cid) << fanout;
  }
}

TEST(Importer, HowTheContentArrivesDoesNotMatter) {
  const Bytes content = pattern_bytes(0, 1000);
  CountingSink sink;
  FileBuilder file(small_profile(1), sink);
  Prng prng(2);
  for (ByteView rest = content; !rest.empty();) {
    const std::size_t count = std::min<std::size_t>(rest.size(), prng.below(11));
    ASSERT_TRUE(file.write(rest.first(count)));
    rest = rest.subspan(count);
  }
  EXPECT_EQ(to_text(file.finish()->cid), "bafybeigyscl3gpnr6flcilmrzpipwlidpnlkljpanmsj4g5f2pvjzltluy");
  EXPECT_EQ(to_text(file.finish()->cid), "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
      << "ready for another file";
}

TEST(Importer, PutsChildrenBeforeTheirNodeAndTheRootLast) {
  MapStore store;
  Importer importer(small_profile(1), store);
  PatternSource source(37);
  const auto node = importer.add_file(source);
  EXPECT_EQ(store.order.back(), node->cid);
  EXPECT_EQ(node->height, 3U);
  std::vector<Cid> seen;
  for (const Cid& cid : store.order) {
    if (cid.codec() == Codec::DagPb) {
      const auto decoded = decode_dag_pb(store.blocks.at(cid.multihash()).bytes());
      for (const DagPbLink& link : decoded->links)
        EXPECT_NE(std::find(seen.begin(), seen.end(), link.cid), seen.end());
    }
    seen.push_back(cid);
  }
}

TEST(Importer, SymlinksHoldTheirTarget) {
  MapStore store;
  Importer importer(unixfs_v0_2015, store);
  const auto node = importer.add_symlink("foo");
  ASSERT_TRUE(node);
  EXPECT_EQ(to_text(node->cid), "QmTB8BaCJdCH5H3k7GrxJsxgDNmNYGGR71C58ERkivXoj5")
      << "the public gateway suite's";
  EXPECT_EQ(to_hex(store.blocks.at(node->cid.multihash()).bytes()), "0a0708041203666f6f");
  EXPECT_EQ(node->kind, NodeKind::Symlink);
  EXPECT_FALSE(importer.add_symlink(""));
  EXPECT_TRUE(importer.add_symlink(std::string(limits::path_bytes, 'a')));
  EXPECT_FALSE(importer.add_symlink(std::string(limits::path_bytes + 1, 'a')));
}

TEST(Importer, AFullStoreEndsTheFileAndLeavesTheImporterFit) {
  CountingSink sink;
  sink.refuse_after = 5;
  Importer importer(small_profile(1), sink);
  PatternSource source(1000);
  const auto node = importer.add_file(source);
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().message, "the store is full");
  sink.refuse_after = ~0ULL;
  PatternSource again(11);
  EXPECT_EQ(to_text(importer.add_file(again)->cid),
            "bafybeidewv42it2d274muyxrcqwtcuuyozwnqmsevorfn6wbgjmbaqjdsy");
}

TEST(Importer, TellsTheBytesTakenAndStopsWhenToldTo) {
  CountingSink sink;
  Importer importer(small_profile(1), sink);
  ByteCount taken = 0;
  PatternSource source(101);
  ASSERT_TRUE(importer.add_file(source, [&](ByteCount count) {
    taken += count;
    return Status();
  }));
  EXPECT_EQ(taken, 101U);
  PatternSource stopped(101);
  const auto node =
      importer.add_file(stopped, [](ByteCount) { return Status(fault(FaultKind::Failed, "interrupted")); });
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().message, "interrupted");
}

TEST(DirectoryBuilder, RefusesNamesThatNoFolderCanHold) {
  CountingSink sink;
  DirectoryBuilder builder(unixfs_v1_2025, sink);
  const Cid cid = content_test::cid_of("bafkqaaa");
  for (const std::string& name :
       std::initializer_list<std::string>{"", ".", "..", "a/b", "/", std::string("a\0b", 3),
                                          std::string(limits::entry_name_bytes + 1, 'a')}) {
    const auto added = builder.add({name, cid});
    ASSERT_FALSE(added) << name;
    EXPECT_EQ(added.error().kind, FaultKind::BadUsage);
  }
  for (const std::string& name : std::initializer_list<std::string>{
           "...", ".hidden", " ", "\xff\xfe", "a\nb", std::string(limits::entry_name_bytes, 'a')}) {
    EXPECT_TRUE(builder.add({name, cid})) << name;
  }
  EXPECT_TRUE(builder.finish());
}

TEST(DirectoryBuilder, RefusesANameTwiceAndIsEmptyAfterwards) {
  CountingSink sink;
  DirectoryBuilder builder(unixfs_v1_2025, sink);
  ASSERT_TRUE(builder.add({"a", content_test::cid_of("bafkqaaa")}));
  ASSERT_TRUE(builder.add({"b", content_test::cid_of("bafkqaaa")}));
  ASSERT_TRUE(builder.add({"a", content_test::cid_of("bafkqabtimvwgy3yk")}));
  const auto node = builder.finish();
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().message, "a folder cannot hold 'a' twice");
  EXPECT_EQ(to_text(builder.finish()->cid), "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
}

TEST(DirectoryBuilder, StopsAtItsBoundOfEntries) {
  CountingSink sink;
  DirectoryBuilder builder(unixfs_v1_2025, sink);
  const Cid cid = content_test::cid_of("bafkqaaa");
  for (std::size_t number = 0; number < limits::directory_entries; ++number) {
    ASSERT_TRUE(builder.add({std::to_string(number), cid}));
  }
  const auto added = builder.add({"one more", cid});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message, "a folder holds at most 1000000 entries; spread them over several");
  const auto node = builder.finish();
  ASSERT_TRUE(node);
  EXPECT_GE(node->height, 2U);
}

TEST(ImportProfiles, AreFoundByName) {
  EXPECT_EQ(find_profile("unixfs-v0-2015")->cid_version, 0U);
  EXPECT_EQ(find_profile("unixfs-v1-2025")->width, 1024U);
  EXPECT_EQ(find_profile("kubo-cidv1-raw-256k")->chunk_bytes, 262144U);
  EXPECT_EQ(find_profile("v2").error().message,
            "unknown profile 'v2'; use one of unixfs-v1-2025, unixfs-v0-2015, kubo-cidv1-raw-256k");
}

}  // namespace
}  // namespace cidbus
