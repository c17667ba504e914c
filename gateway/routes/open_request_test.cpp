#include <gmock/gmock.h>

#include "gateway/routes/routes.h"

namespace cidbus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string file_path = "/ipfs/bafkreialihlqnf5uwo4byh4n3cmwlntwqzxxs2fg5vanqdi3d7tb2l5xkm";
using Headers = std::vector<std::pair<std::string_view, std::string_view>>;

Asked open(const std::string& target, Headers headers = {}, std::string_view method = "GET") {
  return open_request({method, target, std::move(headers)});
}
unsigned status_of(const Asked& asked) {
  const auto* response = std::get_if<Response>(&asked);
  return response != nullptr ? response->status : 0;
}
std::string line_of(const Asked& asked) {
  const auto* response = std::get_if<Response>(&asked);
  return response != nullptr && !response->body.empty() ? response->body.front().text : "";
}
ContentQuestion question(const std::string& target, Headers headers = {}) {
  const Asked asked = open(target, std::move(headers));
  const auto* found = std::get_if<ContentQuestion>(&asked);
  if (found == nullptr) ADD_FAILURE() << target << " is no question: " << line_of(asked);
  return found != nullptr ? *found : ContentQuestion();
}

TEST(OpenRequest, takes_a_path_apart_and_decodes_each_name_once) {
  const auto asked = question(file_path + "/Portugal%252C+Espa%C3%B1a/a%2Fb//c?x=%41");
  EXPECT_THAT(asked.segments, ElementsAre("Portugal%2C+España", "a/b", "c"));
  EXPECT_EQ(to_text(asked.root), asked.root_text);
  EXPECT_EQ(asked.query, "x=%41");
  EXPECT_FALSE(asked.slash_at_end);
  EXPECT_EQ(asked.form, Form::Page);
  EXPECT_TRUE(question(file_path + "/").slash_at_end);
  EXPECT_EQ(question("http://host:8080" + file_path).segments.size(), 0U);
}

TEST(OpenRequest, keeps_the_root_as_it_was_typed) {
  const std::string upper = "BAFKREIALIHLQNF5UWO4BYH4N3CMWLNTWQZXXS2FG5VANQDI3D7TB2L5XKM";
  EXPECT_EQ(question("/ipfs/" + upper).root_text, upper);
  EXPECT_EQ("/ipfs/" + to_text(question("/ipfs/" + upper).root), file_path);
}

TEST(OpenRequest, refuses_dots_so_that_no_path_climbs) {
  for (const char* below : {"/..", "/../../etc/passwd", "/a/%2e%2E/b", "/.", "/%2e/"}) {
    EXPECT_EQ(status_of(open(file_path + below)), 400U) << below;
  }
  EXPECT_THAT(question(file_path + "/..a/.b/...").segments, ElementsAre("..a", ".b", "..."));
}

TEST(OpenRequest, refuses_what_is_no_cid_with_one_line) {
  for (const char* target :
       {"/ipfs/", "/ipfs", "/ipfs//", "/ipfs/nonsense", "/ipfs/Qm", "/ipfs/%62afy", "/ipfs/../x"}) {
    const Asked asked = open(target);
    EXPECT_EQ(status_of(asked), 400U) << target;
    EXPECT_EQ(line_of(asked).find('\n'), line_of(asked).size() - 1) << target;
  }
  EXPECT_EQ(status_of(open("/ipfs/" + std::string(5000, 'b'))), 414U);
  EXPECT_EQ(status_of(open("/ipfs/b" + std::string(1000, 'a'))), 400U);
}

TEST(OpenRequest, refuses_a_key_where_content_belongs) {
  EXPECT_EQ(status_of(open("/ipfs/k51qzi5uqu5dlxdsdu5fpuu7h69wu4ohp32iwm9pdt9nq3y5rpn3ln9j12zfhe")), 400U);
}

TEST(OpenRequest, refuses_broken_percent_codes) {
  EXPECT_EQ(status_of(open(file_path + "/a%zz")), 400U);
  EXPECT_EQ(status_of(open(file_path + "/%")), 400U);
}

TEST(OpenRequest, bounds_names_and_bytes_of_a_path) {
  std::string path = file_path;
  for (int at = 0; at < 64; ++at) path += "/a";
  EXPECT_EQ(question(path).segments.size(), 64U);
  EXPECT_EQ(status_of(open(path + "/a")), 414U);
  EXPECT_EQ(status_of(open(file_path + "/" + std::string(5000, 'a'))), 414U);
}

TEST(OpenRequest, lets_the_query_decide_before_the_accept_header) {
  const Headers wants_car = {{"Accept", "application/vnd.ipld.car"}};
  EXPECT_EQ(question(file_path + "?format=raw", wants_car).form, Form::RawBlock);
  EXPECT_EQ(status_of(open(file_path + "?format=car", {{"Accept", "application/vnd.ipld.raw"}})), 406U);
}

TEST(OpenRequest, answers_406_to_formats_it_does_not_serve_and_400_to_unknown_ones) {
  for (const char* format : {"car", "tar", "dag-json", "dag-cbor", "json", "cbor", "ipns-record"}) {
    EXPECT_EQ(status_of(open(file_path + "?format=" + format)), 406U) << format;
  }
  EXPECT_EQ(status_of(open(file_path + "?format=nonsense")), 400U);
  EXPECT_EQ(status_of(open(file_path + "?format=")), 400U);
}

TEST(OpenRequest, reads_the_accept_header_as_a_weighted_list) {
  const auto form = [](std::string_view accept) { return question(file_path, {{"Accept", accept}}).form; };
  EXPECT_EQ(form("application/vnd.ipld.raw"), Form::RawBlock);
  EXPECT_EQ(form("Application/vnd.ipld.RAW; q=0.8"), Form::RawBlock);
  EXPECT_EQ(form("application/vnd.ipld.raw, application/vnd.ipld.car"), Form::RawBlock);
  EXPECT_EQ(form("application/vnd.ipld.car, application/vnd.ipld.raw;q=0.5"), Form::RawBlock);
  EXPECT_EQ(form("text/html,application/xml;q=0.9,*/*;q=0.8"), Form::Page);
  EXPECT_EQ(form("application/vnd.ipld.raw;q=0.5, */*"), Form::Page);
  EXPECT_EQ(form("application/vnd.ipld.car, */*;q=0.1"), Form::Page);
  EXPECT_EQ(form("application/json"), Form::Page);
  EXPECT_EQ(form(""), Form::Page);
  EXPECT_EQ(form(" , "), Form::Page);
}

TEST(OpenRequest, answers_406_where_no_accepted_type_is_served) {
  for (const char* accept : {"application/vnd.ipld.car", "application/vnd.ipld.car; version=1; dups=n",
                             "application/x-tar, application/vnd.ipld.dag-json", "text/html;q=0",
                             "application/vnd.ipfs.ipns-record"}) {
    EXPECT_EQ(status_of(open(file_path, {{"Accept", accept}})), 406U) << accept;
  }
}

TEST(OpenRequest, takes_several_fields_of_one_name_for_one_list) {
  const auto asked = question(file_path, {{"if-none-match", "\"a\""}, {"IF-NONE-MATCH", "\"b\""}});
  EXPECT_EQ(asked.conditions.if_none_match, "\"a\", \"b\"");
}

TEST(OpenRequest, hears_only_if_cached) {
  EXPECT_TRUE(question(file_path, {{"Cache-Control", "no-cache, only-if-cached"}}).only_if_cached);
  EXPECT_FALSE(question(file_path, {{"Cache-Control", "only-if-cached-not"}}).only_if_cached);
}

TEST(OpenRequest, treats_head_as_get) {
  const Asked asked = open(file_path, {}, "HEAD");
  EXPECT_TRUE(std::holds_alternative<ContentQuestion>(asked));
}

TEST(OpenRequest, says_to_other_methods_what_is_allowed) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "CONNECT", "get", "BREW"}) {
    const Asked asked = open(file_path, {}, method);
    ASSERT_EQ(status_of(asked), 405U) << method;
    EXPECT_EQ(std::get<Response>(asked).headers.find("Allow"), "GET, HEAD, OPTIONS");
  }
}

TEST(OpenRequest, answers_options_for_other_origins) {
  const Asked asked = open(file_path, {}, "OPTIONS");
  EXPECT_EQ(status_of(asked), 204U);
  const HttpHeaders& headers = std::get<Response>(asked).headers;
  EXPECT_EQ(headers.find("Access-Control-Allow-Origin"), "*");
  EXPECT_THAT(std::string(headers.find("Access-Control-Allow-Methods")), HasSubstr("HEAD"));
  EXPECT_THAT(std::string(headers.find("Access-Control-Expose-Headers")), HasSubstr("X-Ipfs-Roots"));
}

TEST(OpenRequest, serves_its_own_few_pages) {
  EXPECT_EQ(status_of(open("/livez")), 200U);
  EXPECT_EQ(line_of(open("/livez")), "ok\n");
  EXPECT_EQ(status_of(open("/")), 200U);
  EXPECT_THAT(line_of(open("/")), HasSubstr("/ipfs/CID"));
  EXPECT_FALSE(std::get<ReadinessQuestion>(open("/readyz")).verbose);
  EXPECT_TRUE(std::get<ReadinessQuestion>(open("/readyz?verbose")).verbose);
}

TEST(OpenRequest, says_404_of_the_rest) {
  EXPECT_EQ(status_of(open("/favicon.ico")), 404U);
  EXPECT_EQ(status_of(open("/ipfsx/a")), 404U);
  EXPECT_THAT(line_of(open("/ipns/example.org/")), HasSubstr("IPNS"));
  EXPECT_EQ(status_of(open("*")), 400U);
}

}  // namespace
}  // namespace cidbus
