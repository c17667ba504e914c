#include "gateway/content_server.h"

#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "gateway/test_support.h"
#include "shared/io/http_test_client.h"

namespace cidbus {
namespace {

using gateway_test::pattern;
using gateway_test::TestCluster;
using http_test::Answer;
using http_test::Client;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class ContentServerTest : public ::testing::Test {
 protected:
  const std::string& start() { return start(gateway_test::options_of(cluster_)); }
  const std::string& start(ContentServerOptions options) {
    auto server = ContentServer::start(std::move(options));
    if (!server) ADD_FAILURE() << server.error().message;
    server_ = *std::move(server);
    return server_->address();
  }
  Answer get(const std::string& target, const std::string& headers = {}) {
    return Client(server_->address()).get(target, headers);
  }
  static std::string path(const Cid& cid, const std::string& below = {}) {
    return "/ipfs/" + to_text(cid) + below;
  }

  TestCluster cluster_;
  std::unique_ptr<ContentServer> server_;
};

TEST_F(ContentServerTest, serves_a_file_and_asks_the_cluster_once) {
  const Cid cid = cluster_.raw("hello\n");
  Client client(start());
  for (int round = 0; round < 3; ++round) {
    const Answer answer = client.get(path(cid));
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, "hello\n");
    EXPECT_EQ(answer.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(answer.header("ETag"), "\"" + to_text(cid) + "\"");
  }
  EXPECT_EQ(cluster_.times_asked(cid), 1U);
}

TEST_F(ContentServerTest, streams_a_file_of_many_blocks_and_levels) {
  const std::string text = pattern(1'000'003);
  const Cid cid = cluster_.file(text, 1000);
  Client client(start());
  const Answer cold = client.get(path(cid));
  EXPECT_TRUE(cold.body == text);
  EXPECT_EQ(cluster_.blocks_asked(), cluster_.size());
  EXPECT_TRUE(client.get(path(cid)).body == text);
}

TEST_F(ContentServerTest, answers_head_exactly_as_get_without_the_body) {
  const Cid big = cluster_.file(pattern(5000), 1000);
  const Cid small = cluster_.raw("hello\n");
  const Cid folder = cluster_.folder({{"a.txt", small}});
  const Cid lost = cluster_.raw("lost");
  cluster_.lose(lost);
  Client client(start());
  const std::vector<std::string> targets = {path(big),
                                            path(small),
                                            path(folder),
                                            path(folder, "/"),
                                            path(folder, "/no"),
                                            path(lost),
                                            path(small, "?format=raw"),
                                            "/ipfs/nonsense",
                                            "/",
                                            "/livez",
                                            "/readyz?verbose",
                                            "/nothing"};
  for (const std::string& target : targets) {
    const Answer answer = client.get(target);
    client.request(target, {}, "HEAD");
    const Answer head = client.read(true);
    // The second may change between the two.
    const auto without_date = [](std::string text) { return text.erase(text.find("Date: "), 37); };
    EXPECT_EQ(without_date(head.head), without_date(answer.head)) << target;
    EXPECT_EQ(answer.header("Content-Length"), std::to_string(answer.body.size())) << target;
  }
}

TEST_F(ContentServerTest, fetches_for_a_range_only_the_blocks_it_needs) {
  const std::string text = pattern(8 * 8 * 100);  // a root, 8 nodes below it, 64 leaves
  const Cid cid = cluster_.file(text, 100);
  start();
  const Answer answer = get(path(cid, "?filename=a.txt"), "Range: bytes=3250-3349\r\n");
  EXPECT_EQ(answer.status, 206U);
  EXPECT_EQ(answer.header("Content-Range"), "bytes 3250-3349/6400");
  EXPECT_EQ(answer.body, text.substr(3250, 100));
  EXPECT_EQ(cluster_.blocks_asked(), 1U + 1U + 2U);
}

TEST_F(ContentServerTest, serves_a_range_when_blocks_outside_it_are_lost) {
  const std::string text = pattern(3000);
  const Cid cid = cluster_.file(text, 1000);
  cluster_.lose(Cid::v1(Codec::Raw, sha2_256(as_bytes(text.substr(0, 1000)))));
  start();
  const Answer answer = get(path(cid), "Range: bytes=1500-2500\r\n");
  EXPECT_EQ(answer.status, 206U);
  EXPECT_EQ(answer.body, text.substr(1500, 1001));
  EXPECT_EQ(get(path(cid), "Range: bytes=-1\r\n").body, text.substr(2999));
  EXPECT_EQ(get(path(cid)).status, 404U);
}

TEST_F(ContentServerTest, sends_several_ranges_with_their_bytes_in_order) {
  const std::string text = pattern(100'000);
  const Cid cid = cluster_.file(text, 1000);
  start();
  const Answer answer = get(path(cid, "?filename=a.txt"), "Range: bytes=90000-92999,500-1499,99999-\r\n");
  EXPECT_EQ(answer.status, 206U);
  const std::string type = answer.header("Content-Type");
  const std::string boundary = "--" + type.substr(type.find("boundary=") + 9);
  const auto part = [&](const std::string& range, const std::string& bytes) {
    return boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes " + range +
           "/100000\r\n\r\n" + bytes + "\r\n";
  };
  EXPECT_EQ(answer.body, part("90000-92999", text.substr(90000, 3000)) +
                             part("500-1499", text.substr(500, 1000)) +
                             part("99999-99999", text.substr(99999)) + boundary + "--\r\n");
}

TEST_F(ContentServerTest, answers_404_for_what_nobody_holds_and_504_for_holders_that_are_silent) {
  const Cid lost = cluster_.raw("lost");
  cluster_.lose(lost);
  const Cid silent = cluster_.raw("silent");
  cluster_.fail(silent, {FaultKind::TimedOut, "w1 should hold it but did not answer"});
  const Cid alone = cluster_.raw("alone");
  cluster_.fail(alone, {FaultKind::Unavailable, "no broker reachable"});
  start();
  const Answer absent = get(path(lost));
  EXPECT_EQ(absent.status, 404U);
  EXPECT_EQ(absent.body, "no node holds " + to_text(lost) + "\n");
  EXPECT_EQ(get(path(silent)).status, 504U);
  EXPECT_EQ(get(path(alone)).status, 503U);
  EXPECT_EQ(get(path(silent), "Range: bytes=0-1\r\n").status, 504U);
}

TEST_F(ContentServerTest, answers_404_and_not_a_broken_200_when_the_first_block_of_a_file_is_lost) {
  const std::string text = pattern(3000);
  const Cid cid = cluster_.file(text, 1000);
  cluster_.lose(Cid::v1(Codec::Raw, sha2_256(as_bytes(text.substr(0, 1000)))));
  start();
  EXPECT_EQ(get(path(cid)).status, 404U);
  EXPECT_EQ(get(path(cid, "?filename=a.txt")).status, 404U);
  EXPECT_EQ(get(path(cid), "Range: bytes=10-20,30-40\r\n").status, 404U);
}

TEST_F(ContentServerTest, breaks_the_connection_when_a_later_block_is_lost) {
  const std::string text = pattern(3000);
  const Cid cid = cluster_.file(text, 1000);
  cluster_.lose(Cid::v1(Codec::Raw, sha2_256(as_bytes(text.substr(2000)))));
  start();
  const Answer answer = get(path(cid));
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.header("Content-Length"), "3000");
  EXPECT_TRUE(answer.broken);
  EXPECT_LE(answer.body.size(), 2000U);
}

TEST_F(ContentServerTest, shows_a_folder_follows_its_names_and_redirects_to_its_slash) {
  const Cid file = cluster_.raw("zażółć");
  const Cid inner = cluster_.folder({{"file-źł.txt", file}, {"50%+1 a", file}});
  const Cid root = cluster_.folder({{"ą", inner}, {"b&<c>", file}});
  start();
  const Answer page = get(path(root, "/"));
  EXPECT_EQ(page.status, 200U);
  EXPECT_THAT(page.body, HasSubstr(">ą</a>"));
  EXPECT_THAT(page.body, HasSubstr("b&amp;&lt;c&gt;"));
  const Answer redirect = get(path(root, "/%C4%85?x=y"));
  EXPECT_EQ(redirect.status, 301U);
  EXPECT_EQ(redirect.header("Location"), path(root, "/%C4%85/?x=y"));
  EXPECT_EQ(get(path(root, "/%C4%85/file-%C5%BA%C5%82.txt")).body, "zażółć");
  EXPECT_EQ(get(path(root, "/%C4%85/50%25+1%20a")).body, "zażółć");
  EXPECT_EQ(get(path(root, "/%C4%85/50%2525+1%20a")).status, 404U);
  EXPECT_EQ(get(path(root, "/%C4%85/50%25%2B1%20a")).body, "zażółć");
  EXPECT_EQ(get(path(root, "/%C4%85%2Ffile-%C5%BA%C5%82.txt")).status, 404U);
  EXPECT_EQ(get(path(root, "/%C4%85/file-%C5%BA%C5%82.txt/deeper")).status, 404U);
}

TEST_F(ContentServerTest, serves_the_index_of_a_folder_that_has_one) {
  const Cid page = cluster_.raw("<html>hi</html>");
  const Cid with_index = cluster_.folder({{"index.html", page}, {"other", page}});
  const Cid with_folder_of_that_name = cluster_.folder({{"index.html", with_index}});
  start();
  const Answer index = get(path(with_index, "/"));
  EXPECT_EQ(index.body, "<html>hi</html>");
  EXPECT_EQ(index.header("ETag"), "\"" + to_text(with_index) + "\"");
  EXPECT_EQ(index.header("X-Ipfs-Roots"), to_text(with_index));
  EXPECT_EQ(get(path(with_index)).status, 301U);
  EXPECT_THAT(get(path(with_folder_of_that_name, "/")).body, HasSubstr("Index of"));
}

TEST_F(ContentServerTest, finds_a_name_in_a_sharded_folder_by_its_shards_alone_and_lists_it_whole) {
  std::vector<std::pair<std::string, Cid>> entries;
  for (int at = 0; at < 2000; ++at) entries.emplace_back("file-" + std::to_string(at), cluster_.raw("same"));
  const Cid root = cluster_.folder(entries, 1000);
  start();
  EXPECT_EQ(get(path(root, "/file-1234")).body, "same");
  EXPECT_LE(cluster_.blocks_asked(), 4U);
  const Answer page = get(path(root, "/"));
  EXPECT_THAT(page.body, HasSubstr("2000 entries"));
  EXPECT_LT(page.body.find(">file-1</a>"), page.body.find(">file-10</a>"));
  EXPECT_EQ(get(path(root, "/file-2000")).status, 404U);
}

TEST_F(ContentServerTest, lists_a_bounded_part_of_a_huge_folder_and_says_so) {
  std::vector<std::pair<std::string, Cid>> entries;
  for (int at = 0; at < 12'000; ++at) entries.emplace_back("f" + std::to_string(at), cluster_.raw("same"));
  const Cid root = cluster_.folder(entries);
  start();
  const Answer page = get(path(root, "/"));
  EXPECT_THAT(page.body, HasSubstr("the first 10000 entries of more"));
}

TEST_F(ContentServerTest, gives_single_blocks_as_they_are) {
  const Cid file = cluster_.raw("hello\n");
  const Cid folder = cluster_.folder({{"a", file}});
  Client client(start());
  const Answer block = client.get(path(folder, "?format=raw"));
  EXPECT_TRUE(verify(folder, as_bytes(block.body)));
  EXPECT_EQ(block.header("Content-Type"), "application/vnd.ipld.raw");
  EXPECT_EQ(client.get(path(folder, "/a"), "Accept: application/vnd.ipld.raw\r\n").body, "hello\n");
  EXPECT_EQ(client.get("/ipfs/bafkqaaa?format=raw").status, 200U);  // the probe: a block of nothing
  EXPECT_EQ(client.get("/ipfs/bafkqaaa?format=raw").header("Content-Length"), "0");
  EXPECT_EQ(client.get("/ipfs/bafkqabtimvwgy3yk").body, "hello\n");
}

TEST_F(ContentServerTest, answers_406_for_content_that_is_neither_file_nor_folder_and_gives_its_block) {
  const Cid cbor = Cid::v1(Codec::DagCbor, sha2_256(as_bytes("\xa0")));
  static_cast<void>(cluster_.put(cbor, as_bytes("\xa0")));
  start();
  EXPECT_EQ(get(path(cbor)).status, 406U);
  EXPECT_EQ(get(path(cbor, "/a/b")).status, 406U);
  EXPECT_EQ(get(path(cbor, "?format=raw")).body, "\xa0");
  EXPECT_EQ(get(path(cbor, "?format=car")).status, 406U);
}

TEST_F(ContentServerTest, answers_from_the_cache_alone_when_asked_to) {
  const Cid cid = cluster_.raw("hello\n");
  Client client(start());
  const std::string only = "Cache-Control: only-if-cached\r\n";
  EXPECT_EQ(client.get(path(cid), only).status, 412U);
  EXPECT_EQ(cluster_.blocks_asked(), 0U);
  EXPECT_EQ(client.get(path(cid)).status, 200U);
  EXPECT_EQ(client.get(path(cid), only).status, 200U);
}

TEST_F(ContentServerTest, answers_304_without_fetching_the_content_again) {
  const Cid cid = cluster_.file(pattern(3000), 1000);
  start();
  const Answer answer = get(path(cid), "If-None-Match: W/\"" + to_text(cid) + "\"\r\n");
  EXPECT_EQ(answer.status, 304U);
  EXPECT_EQ(answer.header("ETag"), "\"" + to_text(cid) + "\"");
  EXPECT_EQ(cluster_.blocks_asked(), 1U);
}

TEST_F(ContentServerTest, refuses_paths_that_climb_and_codes_that_are_none) {
  const Cid root = cluster_.folder({{"a", cluster_.raw("a")}});
  start();
  for (const char* below : {"/../../../etc/passwd", "/a/%2e%2e/a", "/%zz", "/a%"}) {
    EXPECT_EQ(get(path(root, below)).status, 400U) << below;
  }
  EXPECT_EQ(get("/../../etc/passwd").status, 404U);
  EXPECT_EQ(get("/ipfs/../etc/passwd").status, 400U);
}

TEST_F(ContentServerTest, breaks_off_or_refuses_content_that_lies_about_itself) {
  const Cid leaf = cluster_.raw("0123456789");
  const Cid longer = cluster_.node({leaf}, {11});
  const Cid second_shorter = cluster_.node({leaf, leaf}, {10, 9});
  const Cid folder = cluster_.folder({{"a", leaf}});
  const Cid of_folder = cluster_.node({folder}, {10});
  const Cid rubbish = Cid::v1(Codec::DagPb, sha2_256(as_bytes("rubbish")));
  static_cast<void>(cluster_.put(rubbish, as_bytes("rubbish")));
  start();
  EXPECT_EQ(get(path(longer)).status, 502U);
  EXPECT_TRUE(get(path(second_shorter)).broken);
  EXPECT_EQ(get(path(of_folder)).status, 502U);
  EXPECT_EQ(get(path(rubbish)).status, 502U);
}

TEST_F(ContentServerTest, ends_the_walk_down_a_file_that_is_endlessly_deep) {
  Cid cid = cluster_.raw("x");
  for (int level = 0; level < 100; ++level) cid = cluster_.node({cid}, {1});
  start();
  EXPECT_EQ(get(path(cid)).status, 502U);
}

TEST_F(ContentServerTest, serves_others_while_some_wait_for_blocks_that_do_not_come) {
  const Cid stuck = cluster_.raw("stuck");
  const Cid there = cluster_.raw("there");
  cluster_.hold(stuck);
  start();
  Client waiting(server_->address());
  waiting.request(path(stuck));
  cluster_.await_asked(stuck);
  EXPECT_EQ(get(path(there)).body, "there");
  cluster_.release();
  EXPECT_EQ(waiting.read().body, "stuck");
}

TEST_F(ContentServerTest, answers_504_when_an_answer_takes_longer_than_it_may) {
  const Cid stuck = cluster_.raw("stuck");
  cluster_.hold(stuck);
  auto options = gateway_test::options_of(cluster_);
  options.http.answer_time = 40ms;
  start(std::move(options));
  EXPECT_EQ(get(path(stuck)).status, 504U);
  cluster_.release();
}

TEST_F(ContentServerTest, survives_clients_that_leave_while_their_blocks_are_fetched) {
  const std::string text = pattern(3000);
  const Cid cid = cluster_.file(text, 1000);
  const Cid last = Cid::v1(Codec::Raw, sha2_256(as_bytes(text.substr(2000))));
  cluster_.hold(last);
  start();
  {
    Client leaving(server_->address());
    leaving.request(path(cid));
    cluster_.await_asked(last);
  }
  cluster_.release();
  EXPECT_TRUE(get(path(cid)).body == text);
}

TEST_F(ContentServerTest, stops_while_a_fetch_is_under_way) {
  const Cid stuck = cluster_.raw("stuck");
  cluster_.hold(stuck);
  auto options = gateway_test::options_of(cluster_);
  options.http.drain_time = 10ms;
  start(std::move(options));
  Client waiting(server_->address());
  waiting.request(path(stuck));
  cluster_.await_asked(stuck);
  std::thread stopping([this] { server_->stop(); });
  cluster_.release();
  stopping.join();
}

TEST_F(ContentServerTest, gives_many_clients_the_same_bytes) {
  const std::string text = pattern(200'000);
  const Cid cid = cluster_.file(text, 1000);
  start();
  std::vector<std::future<bool>> clients;
  for (int count = 0; count < 8; ++count) {
    clients.push_back(std::async(std::launch::async, [&] {
      Client client(server_->address());
      bool all_right = true;
      for (int round = 0; round < 5; ++round) all_right = all_right && client.get(path(cid)).body == text;
      return all_right;
    }));
  }
  for (auto& client : clients) EXPECT_TRUE(client.get());
}

TEST_F(ContentServerTest, serves_more_content_than_its_cache_holds) {
  const std::string text = pattern(300'000);
  const Cid cid = cluster_.file(text, 1000);
  auto options = gateway_test::options_of(cluster_);
  options.cache_bytes = 50'000;
  start(std::move(options));
  EXPECT_TRUE(get(path(cid)).body == text);
  EXPECT_TRUE(get(path(cid)).body == text);
}

TEST_F(ContentServerTest, tells_whether_it_is_alive_and_ready) {
  auto options = gateway_test::options_of(cluster_);
  std::atomic<bool> ready{false};
  options.checks = [&] { return std::vector<ReadinessCheck>{{"bus", ready, "b1"}}; };
  start(std::move(options));
  EXPECT_EQ(get("/livez").status, 200U);
  EXPECT_EQ(get("/readyz").status, 503U);
  ready = true;
  EXPECT_EQ(get("/readyz?verbose").body, "[+]bus ok: b1\nready\n");
}

}  // namespace
}  // namespace cidbus
