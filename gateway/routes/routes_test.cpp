// Every rule of judge, compose and the answers to what went wrong. open_request has open_request_test.cpp.
#include "gateway/routes/routes.h"

#include <gmock/gmock.h>

namespace cidbus {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using Ranges = std::vector<HttpRange>;

const char* const folder_cid = "bafybeibvfkifsqbapirjrj7zbfwddz5qz5awvbftjgktpcqcxjkzstszlm";
const char* const file_cid = "bafkreialihlqnf5uwo4byh4n3cmwlntwqzxxs2fg5vanqdi3d7tb2l5xkm";
const char* const for_ever = "public, max-age=29030400, immutable";

Cid cid_of(const char* text) { return *Cid::parse(text); }

ContentQuestion ask(const std::string& target,
                    std::vector<std::pair<std::string_view, std::string_view>> headers = {},
                    std::string_view method = "GET") {
  const Asked asked = open_request({method, target, std::move(headers)});
  const auto* question = std::get_if<ContentQuestion>(&asked);
  if (question == nullptr) ADD_FAILURE() << target << " is no question";
  return question != nullptr ? *question : ContentQuestion();
}

Finding file_at(const ContentQuestion& question, ByteCount size) {
  Finding found{{cid_of(folder_cid)}, FoundFile{size, false}};
  for (std::size_t at = 0; at < question.segments.size(); ++at) found.path.push_back(cid_of(file_cid));
  return found;
}
Finding folder_at(const ContentQuestion& question) {
  Finding found = file_at(question, 0);
  found.node = FoundFolder{};
  return found;
}

Response answered(const ContentQuestion& question, const Finding& found) {
  Judgement verdict = judge(question, found);
  if (auto* response = std::get_if<Response>(&verdict)) return *std::move(response);
  return compose(question, found, {});
}
std::string text_of(const Response& response) {
  return response.body.empty() ? "" : response.body.front().text;
}
const std::string folder_path = std::string("/ipfs/") + folder_cid;

TEST(File, is_sent_whole_with_type_tag_and_lifetime) {
  const auto question = ask(folder_path + "/a%20b.txt");
  const Finding found = file_at(question, 31);
  const Judgement verdict = judge(question, found);
  const auto* need = std::get_if<NeedFile>(&verdict);
  ASSERT_NE(need, nullptr);
  EXPECT_EQ(need->ranges, (Ranges{{0, 30}}));
  EXPECT_FALSE(need->head);  // the name says enough
  const Response response = compose(question, found, {});
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.length(), 31U);
  EXPECT_EQ(response.headers.find("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(response.headers.find("ETag"), "\"" + std::string(file_cid) + "\"");
  EXPECT_EQ(response.headers.find("Cache-Control"), for_ever);
  EXPECT_EQ(response.headers.find("Accept-Ranges"), "bytes");
  EXPECT_EQ(response.headers.find("X-Ipfs-Path"), folder_path + "/a%20b.txt");
  EXPECT_EQ(response.headers.find("X-Ipfs-Roots"), std::string(folder_cid) + "," + file_cid);
  EXPECT_EQ(response.headers.find("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(response.headers.find("Content-Disposition"), "");
}

TEST(File, without_a_telling_name_is_typed_by_its_first_bytes) {
  const auto question = ask(folder_path);
  const Finding found = file_at(question, 31);
  const Judgement verdict = judge(question, found);
  EXPECT_TRUE(std::get<NeedFile>(verdict).head);
  EXPECT_EQ(compose(question, found, {to_bytes(as_bytes("<html>")), {}, false}).headers.find("Content-Type"),
            "text/html; charset=utf-8");
  EXPECT_EQ(compose(question, found, {}).headers.find("Content-Type"), "application/octet-stream");
}

TEST(File, that_is_empty_is_text_and_has_no_range) {
  const auto question = ask(folder_path);
  const Finding found = file_at(question, 0);
  EXPECT_THAT(std::get<NeedFile>(judge(question, found)).ranges, IsEmpty());
  const Response response = compose(question, found, {});
  EXPECT_EQ(response.length(), 0U);
  EXPECT_EQ(response.headers.find("Content-Type"), "text/plain; charset=utf-8");
}

TEST(File, called_otherwise_by_the_client_has_that_name_and_type) {
  const auto question = ask(folder_path + "/x?filename=z%C3%B3%22%5C%0d%0a/%25.png");
  const Response response = answered(question, file_at(question, 3));
  EXPECT_EQ(response.headers.find("Content-Type"), "image/png");
  EXPECT_EQ(response.headers.find("Content-Disposition"),
            "inline; filename=\"z________.png\"; filename*=UTF-8''z%C3%B3%22%5C%0D%0A%2F%25.png");
}

TEST(File, asked_for_as_a_download_is_an_attachment) {
  const auto named = ask(folder_path + "/x.txt?download=true");
  EXPECT_EQ(answered(named, file_at(named, 3)).headers.find("Content-Disposition"),
            "attachment; filename=\"x.txt\"; filename*=UTF-8''x.txt");
  const auto nameless = ask(folder_path + "?download=true");
  EXPECT_THAT(std::string(answered(nameless, file_at(nameless, 3)).headers.find("Content-Disposition")),
              HasSubstr(folder_cid));
}

TEST(FileRange, of_one_part_is_206_and_says_which) {
  const auto question = ask(folder_path + "/x.txt", {{"Range", "bytes=6-16"}});
  const Finding found = file_at(question, 31);
  EXPECT_EQ(std::get<NeedFile>(judge(question, found)).ranges, (Ranges{{6, 16}}));
  const Response response = compose(question, found, {});
  EXPECT_EQ(response.status, 206U);
  EXPECT_EQ(response.headers.find("Content-Range"), "bytes 6-16/31");
  EXPECT_EQ(response.headers.find("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(response.length(), 11U);
}

TEST(FileRange, of_several_parts_is_sent_as_such) {
  const auto question = ask(folder_path + "/x.txt", {{"Range", "bytes=6-16,0-4"}});
  const Response response = answered(question, file_at(question, 31));
  EXPECT_EQ(response.status, 206U);
  EXPECT_EQ(response.headers.find("Content-Range"), "");
  const std::string type(response.headers.find("Content-Type"));
  ASSERT_THAT(type, MatchesRegex("multipart/byteranges; boundary=[a-z0-9-]+"));
  const std::string boundary = type.substr(type.find('=') + 1);
  ASSERT_THAT(response.body, SizeIs(3));
  EXPECT_EQ(response.body[0].text, "--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\n" +
                                       "Content-Range: bytes 6-16/31\r\n\r\n");
  EXPECT_EQ(response.body[0].range, (HttpRange{6, 16}));
  EXPECT_THAT(response.body[1].text, ::testing::StartsWith("\r\n--" + boundary + "\r\n"));
  EXPECT_EQ(response.body[1].range, (HttpRange{0, 4}));
  EXPECT_EQ(response.body[2].text, "\r\n--" + boundary + "--\r\n");
  EXPECT_LE(boundary.size(), 70U);  // RFC 2046
}

TEST(FileRange, behind_the_end_is_416_with_the_size) {
  const auto question = ask(folder_path, {{"Range", "bytes=31-"}});
  const Response response = answered(question, file_at(question, 31));
  EXPECT_EQ(response.status, 416U);
  EXPECT_EQ(response.headers.find("Content-Range"), "bytes */31");
  EXPECT_EQ(text_of(response), "the content has 31 bytes\n");
}

TEST(FileRange, under_a_tag_that_is_another_is_the_whole) {
  const auto question = ask(folder_path + "/x.txt", {{"Range", "bytes=0-1"}, {"If-Range", "\"other\""}});
  EXPECT_EQ(answered(question, file_at(question, 31)).status, 200U);
}

TEST(Validators, make_304_with_tag_and_lifetime_and_no_body) {
  const auto question = ask(folder_path + "/x.txt",
                            {{"If-None-Match", "\"" + std::string(file_cid) + "\""}, {"Range", "bytes=99-"}});
  const Response response = answered(question, file_at(question, 31));
  EXPECT_EQ(response.status, 304U);
  EXPECT_EQ(response.headers.find("ETag"), "\"" + std::string(file_cid) + "\"");
  EXPECT_EQ(response.headers.find("Cache-Control"), for_ever);
  EXPECT_EQ(response.length(), 0U);
}

TEST(Validators, make_412_where_if_match_names_another) {
  const auto question = ask(folder_path + "/x.txt", {{"If-Match", "\"other\""}});
  EXPECT_EQ(answered(question, file_at(question, 31)).status, 412U);
}

TEST(Folder, without_a_slash_is_redirected_with_its_query) {
  const auto question = ask(folder_path + "/%C4%85%2Fb+c?x=1&filename=%C4%85");
  const Response response = answered(question, folder_at(question));
  EXPECT_EQ(response.status, 301U);
  EXPECT_EQ(response.headers.find("Location"), folder_path + "/%C4%85%2Fb+c/?x=1&filename=%C4%85");
}

TEST(Folder, redirect_stays_on_this_host_whatever_is_asked) {
  const auto question = ask(folder_path + "//evil.example/%0d%0aSet-Cookie:x");
  const Response response = answered(question, folder_at(question));
  EXPECT_EQ(response.headers.find("Location"), folder_path + "/evil.example/%0D%0ASet-Cookie:x/");
}

TEST(Folder, is_shown_as_a_page) {
  const auto question = ask(folder_path + "/");
  const Finding found = folder_at(question);
  ASSERT_TRUE(std::holds_alternative<NeedListing>(judge(question, found)));
  const Response response = compose(question, found, {{}, {{"a.txt", cid_of(file_cid), 3}}, false});
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.headers.find("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(std::string(response.headers.find("ETag")),
              MatchesRegex("\"DirIndex-[0-9a-z]+_CID-" + std::string(folder_cid) + "\""));
  EXPECT_EQ(response.headers.find("Cache-Control"), "public, max-age=604800, stale-while-revalidate=2678400");
  EXPECT_THAT(std::string(response.headers.find("Content-Security-Policy")), HasSubstr("default-src 'none'"));
  EXPECT_EQ(response.headers.find("X-Ipfs-Path"), folder_path + "/");
  EXPECT_THAT(text_of(response), HasSubstr(">a.txt</a>"));
}

TEST(Folder, page_is_304_under_its_own_tag_but_not_under_the_folders) {
  const auto plain = ask(folder_path + "/");
  const std::string tag(compose(plain, folder_at(plain), {}).headers.find("ETag"));
  const auto same = ask(folder_path + "/", {{"If-None-Match", "W/" + tag}});
  EXPECT_EQ(answered(same, folder_at(same)).status, 304U);
  const std::string bare = "\"" + std::string(folder_cid) + "\"";
  const auto other = ask(folder_path + "/", {{"If-None-Match", bare}});
  EXPECT_EQ(answered(other, folder_at(other)).status, 200U);
}

TEST(Folder, with_an_index_shows_it_under_the_folders_tag) {
  const auto question = ask(folder_path + "/");
  Finding found = folder_at(question);
  found.node = FoundFile{10, true};
  const Response response = answered(question, found);
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.headers.find("ETag"), "\"" + std::string(folder_cid) + "\"");
  EXPECT_EQ(response.headers.find("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(response.headers.find("Cache-Control"), for_ever);
}

TEST(Symlink, is_answered_with_its_target) {
  const auto question = ask(folder_path + "/bar");
  Finding found = file_at(question, 0);
  found.node = FoundSymlink{"foo"};
  const Response response = answered(question, found);
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(text_of(response), "foo");
  EXPECT_EQ(response.headers.find("Content-Type"), "inode/symlink");
}

TEST(RawBlock, is_an_attachment_with_a_tag_of_its_own) {
  const auto question = ask(folder_path + "/x?format=raw");
  Finding found = file_at(question, 0);
  found.node = FoundBlock{57};
  const Judgement verdict = judge(question, found);
  EXPECT_FALSE(std::get<NeedFile>(verdict).head);
  const Response response = compose(question, found, {});
  EXPECT_EQ(response.headers.find("Content-Type"), "application/vnd.ipld.raw");
  EXPECT_EQ(response.headers.find("ETag"), "\"" + std::string(file_cid) + ".raw\"");
  EXPECT_EQ(response.headers.find("X-Content-Type-Options"), "nosniff");
  EXPECT_THAT(std::string(response.headers.find("Content-Disposition")),
              HasSubstr("attachment; filename=\"" + std::string(file_cid) + ".bin\""));
  EXPECT_EQ(response.headers.find("Cache-Control"), for_ever);
  EXPECT_EQ(response.length(), 57U);
}

TEST(RawBlock, of_a_folder_is_not_redirected) {
  const auto question = ask(folder_path + "?format=raw", {{"Range", "bytes=6-16"}});
  Finding found = file_at(question, 0);
  found.node = FoundBlock{57};
  const Response response = answered(question, found);
  EXPECT_EQ(response.status, 206U);
  EXPECT_EQ(response.headers.find("Content-Range"), "bytes 6-16/57");
}

TEST(OtherCodecs, are_406_with_what_to_do) {
  const auto question = ask(folder_path);
  Finding found = file_at(question, 0);
  found.node = FoundOther{Codec::DagCbor};
  const Response response = answered(question, found);
  EXPECT_EQ(response.status, 406U);
  EXPECT_THAT(text_of(response), HasSubstr("dag-cbor, which is served here with format=raw only"));
}

TEST(Faults, become_a_status_and_one_line_that_is_not_kept) {
  const auto question = ask(folder_path);
  const std::vector<std::pair<FaultKind, unsigned>> expected = {
      {FaultKind::NotFound, 404}, {FaultKind::TimedOut, 504}, {FaultKind::Unavailable, 503},
      {FaultKind::TryAgain, 503}, {FaultKind::BadData, 502},  {FaultKind::NotAllowed, 403},
      {FaultKind::BadUsage, 400}, {FaultKind::Failed, 500}};
  for (const auto& [kind, status] : expected) {
    const Response response = respond_to_fault(question, {kind, "no node holds x"});
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(text_of(response), "no node holds x\n");
    EXPECT_EQ(response.headers.find("Cache-Control"), "no-store");
    EXPECT_EQ(response.headers.find("Retry-After"), status == 503 ? "1" : "");
    EXPECT_EQ(response.headers.find("Access-Control-Allow-Origin"), "*");
  }
}

TEST(Faults, of_a_cold_cache_are_412_for_who_wants_the_cache_only) {
  const auto question = ask(folder_path, {{"Cache-Control", "max-age=0, Only-If-Cached"}});
  EXPECT_EQ(respond_to_fault(question, {FaultKind::NotFound, "x"}).status, 404U);
  EXPECT_EQ(respond_to_fault(question, {FaultKind::TryAgain, "x"}).status, 412U);
  EXPECT_EQ(respond_to_fault(question, {FaultKind::BadData, "x"}).status, 502U);
}

TEST(Readiness, is_503_as_soon_as_one_check_fails) {
  const std::vector<ReadinessCheck> good = {{"http", true, "127.0.0.1:8080"}, {"bus", true, ""}};
  EXPECT_EQ(respond_readiness({false}, good).status, 200U);
  EXPECT_EQ(text_of(respond_readiness({false}, good)), "ready\n");
  EXPECT_EQ(text_of(respond_readiness({true}, good)), "[+]http ok: 127.0.0.1:8080\n[+]bus ok\nready\n");
  const std::vector<ReadinessCheck> bad = {{"http", true, ""}, {"bus", false, "no broker reachable"}};
  EXPECT_EQ(respond_readiness({false}, bad).status, 503U);
  EXPECT_EQ(text_of(respond_readiness({false}, bad)), "[-]bus failed: no broker reachable\nnot ready\n");
}

}  // namespace
}  // namespace cidbus
