#include "gateway/routes/listing.h"

#include <gmock/gmock.h>

namespace cidbus {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const char* const file_cid = "bafkreialihlqnf5uwo4byh4n3cmwlntwqzxxs2fg5vanqdi3d7tb2l5xkm";

PageEntry entry(std::string name, std::optional<ByteCount> size = 5) {
  return {std::move(name), *Cid::parse(file_cid), size};
}

TEST(FolderPage, links_every_entry_by_its_encoded_name) {
  const std::string page =
      folder_page({"bafyroot", {"ą"}, {entry("file-źł.txt"), entry("50%? #1/x")}, false});
  EXPECT_THAT(page, HasSubstr("<a href=\"/ipfs/bafyroot/%C4%85/file-%C5%BA%C5%82.txt\">file-źł.txt</a>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/ipfs/bafyroot/%C4%85/50%25%3F%20%231%2Fx\">50%? #1/x</a>"));
  EXPECT_THAT(page, HasSubstr("Index of /ipfs/<a href=\"/ipfs/bafyroot\">bafyroot</a>/"
                              "<a href=\"/ipfs/bafyroot/%C4%85\">ą</a>"));
  EXPECT_THAT(page, HasSubstr(std::string("href=\"/ipfs/") + file_cid + "?filename=file-%C5%BA%C5%82.txt\""));
}

TEST(FolderPage, has_a_way_up_only_below_the_root) {
  EXPECT_THAT(folder_page({"bafyroot", {}, {}, false}), Not(HasSubstr(">..<")));
  EXPECT_THAT(folder_page({"bafyroot", {"a"}, {}, false}),
              HasSubstr("<a href=\"/ipfs/bafyroot/a/..\">..</a>"));
}

TEST(FolderPage, lets_no_name_become_markup) {
  const std::string page = folder_page({"r", {"<b>"}, {entry("\"><script>alert('1')</script>&amp;")}, false});
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, HasSubstr("&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;"));
}

TEST(FolderPage, says_when_it_does_not_show_everything) {
  EXPECT_THAT(folder_page({"r", {}, {entry("a")}, true}), HasSubstr("the first 1 entry of more"));
  EXPECT_THAT(folder_page({"r", {}, {entry("a"), entry("b")}, false}), HasSubstr("2 entries</p>"));
  EXPECT_THAT(folder_page({"r", {}, {}, false}), HasSubstr("0 entries</p>"));
}

TEST(FolderPage, loads_nothing_and_runs_nothing) {
  const std::string page = folder_page({"r", {}, {entry("a")}, false});
  for (const char* forbidden : {"<script", "<link", "<img", "url(", "@import", "http:", "https:"}) {
    EXPECT_THAT(page, Not(HasSubstr(forbidden)));
    EXPECT_THAT(welcome_page(), Not(HasSubstr(forbidden)));
  }
}

TEST(EscapeHtml, shows_what_is_no_text_as_a_replacement) {
  EXPECT_EQ(escape_html("a\xffz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(escape_html("\xc3"), "\xEF\xBF\xBD");                                  // cut off
  EXPECT_EQ(escape_html("\xed\xa0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  EXPECT_EQ(escape_html("\xc0\xaf"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // longer than need be
  EXPECT_EQ(escape_html("\n"), "\xEF\xBF\xBD");
  EXPECT_EQ(escape_html("😀ą"), "😀ą");
}

TEST(HumanSize, keeps_three_digits_or_so) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(1023), "1023 B");
  EXPECT_EQ(human_size(1024), "1.0 KiB");
  EXPECT_EQ(human_size(1536), "1.5 KiB");
  EXPECT_EQ(human_size(150 << 10), "150 KiB");
  EXPECT_EQ(human_size((1 << 20) - 1), "1023 KiB");
  EXPECT_EQ(human_size(1 << 20), "1.0 MiB");
  EXPECT_EQ(human_size(~ByteCount{0}), "15.9 EiB");
}

}  // namespace
}  // namespace cidbus
