#include "gateway/routes/content_type.h"

#include <gtest/gtest.h>

#include <string>

namespace cidbus {
namespace {

using namespace std::string_literals;

std::string by_bytes(const std::string& head) { return std::string(content_type_by_bytes(as_bytes(head))); }

constexpr const char* text = "text/plain; charset=utf-8";
constexpr const char* html = "text/html; charset=utf-8";
constexpr const char* unknown = "application/octet-stream";

TEST(ContentTypeByName, goes_by_the_last_extension_in_any_case) {
  EXPECT_EQ(content_type_by_name("index.html"), html);
  EXPECT_EQ(content_type_by_name("A.B.JpG"), "image/jpeg");
  EXPECT_EQ(content_type_by_name("x.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type_by_name("żółw.png"), "image/png");
  EXPECT_EQ(content_type_by_name("first.7z"), "application/x-7z-compressed");
  EXPECT_EQ(content_type_by_name("last.zst"), "application/zstd");
}

TEST(ContentTypeByName, says_nothing_of_what_it_does_not_know) {
  for (const char* name : {"", "html", ".", "a.", "a.nonsense", "a.html/b", "a.averyveryverylongextension"}) {
    EXPECT_EQ(content_type_by_name(name), "") << name;
  }
}

TEST(ContentTypeByBytes, knows_pages_by_their_first_tag) {
  EXPECT_EQ(by_bytes("<!DOCTYPE html>"), html);
  EXPECT_EQ(by_bytes(" \t\r\n\f<hTmL lang=en>"), html);
  EXPECT_EQ(by_bytes("<a href='x'>"), html);
  EXPECT_EQ(by_bytes("<!-- x -->"), html);
  EXPECT_EQ(by_bytes("<?xml version='1.0'?>"), "text/xml; charset=utf-8");
}

TEST(ContentTypeByBytes, does_not_take_text_for_a_page) {
  EXPECT_EQ(by_bytes("<abc>"), text);
  EXPECT_EQ(by_bytes("<html"), text);
  EXPECT_EQ(by_bytes("a <html>"), text);
  EXPECT_EQ(by_bytes("<"), text);
}

TEST(ContentTypeByBytes, knows_media_by_their_signatures) {
  EXPECT_EQ(by_bytes("\x89PNG\r\n\x1a\n...."), "image/png");
  EXPECT_EQ(by_bytes("\xff\xd8\xff\xe0"), "image/jpeg");
  EXPECT_EQ(by_bytes("GIF89a"), "image/gif");
  EXPECT_EQ(by_bytes("RIFF\1\2\3\4WEBPVP8 "), "image/webp");
  EXPECT_EQ(by_bytes("RIFF\1\2\3\4WAVEfmt "), "audio/wav");
  EXPECT_EQ(by_bytes("\0\0\0\x20"
                     "ftypisom"s),
            "video/mp4");
  EXPECT_EQ(by_bytes("\0\0\0\x20"
                     "ftypavif"s),
            "image/avif");
  EXPECT_EQ(by_bytes("%PDF-1.7"), "application/pdf");
  EXPECT_EQ(by_bytes("\x1f\x8b\x08"), "application/gzip");
  EXPECT_EQ(by_bytes("PK\3\4"), "application/zip");
  EXPECT_EQ(by_bytes("\0asm\1\0\0\0"s), "application/wasm");
  EXPECT_EQ(by_bytes(std::string(257, 'x') + "ustar"), "application/x-tar");
}

TEST(ContentTypeByBytes, takes_what_has_no_binary_byte_for_text) {
  EXPECT_EQ(by_bytes(""), text);
  EXPECT_EQ(by_bytes("hello\n"), text);
  EXPECT_EQ(by_bytes("zażółć\x1b[0m"), text);
  EXPECT_EQ(by_bytes("a\0b"s), unknown);
  EXPECT_EQ(by_bytes("\x01"), unknown);
}

TEST(ContentTypeByBytes, looks_at_the_first_bytes_only) {
  EXPECT_EQ(by_bytes(std::string(sniffed_bytes, 'a') + "\0"s), text);
  EXPECT_EQ(by_bytes(std::string(sniffed_bytes - 1, 'a') + "\0"s), unknown);
}

}  // namespace
}  // namespace cidbus
