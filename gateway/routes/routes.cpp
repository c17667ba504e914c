#include "gateway/routes/routes.h"

#include <algorithm>

#include "gateway/routes/answers.h"
#include "gateway/routes/content_type.h"
#include "gateway/routes/target.h"
#include "shared/base/ensure.h"
#include "shared/content/quote.h"

namespace cidbus {

namespace {

constexpr std::string_view raw_block_type = "application/vnd.ipld.raw";
constexpr std::string_view for_ever = "public, max-age=29030400, immutable";
// A listing is the gateway's own work, which changes with its version: a week, and stale while a newer one is
// fetched.
constexpr std::string_view for_a_week = "public, max-age=604800, stale-while-revalidate=2678400";

// Every response to a question whose path was found says what the path is.
Response about(const ContentQuestion& question, const Finding& found, unsigned status) {
  Response response;
  response.status = status;
  const std::string slash = question.slash_at_end ? "/" : "";
  response.headers.add("X-Ipfs-Path", encoded_path(question, question.segments.size()) + slash);
  std::string roots;
  for (const Cid& cid : found.path) roots += (roots.empty() ? "" : ",") + to_text(cid);
  response.headers.add("X-Ipfs-Roots", roots);
  response.headers.add("Vary", "Accept");
  return with_cross_origin(std::move(response));
}

void add_validators(Response& response, const ContentQuestion& question, const Finding& found) {
  response.headers.add("ETag", entity_tag(question, found));
  const bool listing = std::holds_alternative<FoundFolder>(found.node);
  response.headers.add("Cache-Control", listing ? for_a_week : for_ever);
}

// The name the content goes by: what the client calls it, or the end of the path.
std::string file_name(const ContentQuestion& question, const Finding& found) {
  if (!question.filename.empty()) return question.filename;
  const auto* file = std::get_if<FoundFile>(&found.node);
  if (file != nullptr && file->is_index) return "index.html";
  return question.segments.empty() ? std::string() : question.segments.back();
}

// RFC 6266: a name in ASCII for old clients, and the whole of it in UTF-8.
std::string disposition(std::string_view how, std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const bool kept = c > 0x1f && c < 0x7f && c != '"' && c != '\\' && c != '/' && c != '%';
    plain += kept ? c : '_';
  }
  return std::string(how) + "; filename=\"" + plain + "\"; filename*=UTF-8''" + percent_encode_strictly(name);
}

void add_disposition(Response& response, const ContentQuestion& question, const Finding& found) {
  if (question.form == Form::RawBlock) {
    const std::string name =
        question.filename.empty() ? to_text(found.path.back()) + ".bin" : question.filename;
    response.headers.add("Content-Disposition", disposition("attachment", name));
    response.headers.add("X-Content-Type-Options", "nosniff");
  } else if (question.as_download) {
    std::string name = file_name(question, found);
    if (name.empty()) name = to_text(found.path.back());
    response.headers.add("Content-Disposition", disposition("attachment", name));
  } else if (!question.filename.empty()) {
    response.headers.add("Content-Disposition", disposition("inline", question.filename));
  }
}

Response redirect_to_folder(const ContentQuestion& question, const Finding& found) {
  const std::string query = question.query.empty() ? "" : "?" + question.query;
  const std::string place = encoded_path(question, question.segments.size()) + "/" + query;
  Response response = about(question, found, 301);
  response.headers.add("Location", place);
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body.push_back({"a folder: ask with a slash at the end\n", std::nullopt});
  return response;
}

Response not_served(const ContentQuestion& question, const Finding& found, Codec codec) {
  Response response = one_line(406, in_quotes(encoded_path(question, question.segments.size())) + " is " +
                                        to_text(codec) + ", which is served here with format=raw only");
  response.headers.add("X-Ipfs-Roots", to_text(found.path.front()));
  return with_cross_origin(std::move(response));
}

bool is_folder(const Finding& found) {
  const auto* file = std::get_if<FoundFile>(&found.node);
  return std::holds_alternative<FoundFolder>(found.node) || (file != nullptr && file->is_index);
}

// The bytes a range counts in.
ByteCount content_size(const Finding& found) {
  if (const auto* file = std::get_if<FoundFile>(&found.node)) return file->size;
  if (const auto* block = std::get_if<FoundBlock>(&found.node)) return block->size;
  return 0;
}

std::vector<HttpRange> whole(ByteCount size) {
  return size == 0 ? std::vector<HttpRange>() : std::vector<HttpRange>{{0, size - 1}};
}

std::string content_range(const HttpRange& range, ByteCount size) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" +
         std::to_string(size);
}

std::string content_type(const ContentQuestion& question, const Finding& found, ByteView head) {
  if (question.form == Form::RawBlock) return std::string(raw_block_type);
  if (const auto by_name = content_type_by_name(file_name(question, found)); !by_name.empty()) {
    return std::string(by_name);
  }
  if (head.empty() && content_size(found) > 0)
    return "application/octet-stream";  // its head could not be had
  return std::string(content_type_by_bytes(head));
}

// multipart/byteranges (RFC 9110, section 14.6). No boundary can be proved absent from the content without
// reading it; this one is long, and readers count by Content-Length and Content-Range besides.
void add_parts(Response& response, const std::vector<HttpRange>& ranges, std::string_view type,
               ByteCount size) {
  std::uint64_t mixed = size;
  for (const HttpRange& range : ranges) mixed = mix_bits(mixed ^ range.first) + range.last;
  const std::string boundary = "cidbus-byteranges-" + std::to_string(mix_bits(mixed)) + "-part";
  response.headers.add("Content-Type", "multipart/byteranges; boundary=" + boundary);
  for (const HttpRange& range : ranges) {
    const std::string before = response.body.empty() ? "--" : "\r\n--";
    response.body.push_back({before + boundary + "\r\nContent-Type: " + std::string(type) +
                                 "\r\nContent-Range: " + content_range(range, size) + "\r\n\r\n",
                             range});
  }
  response.body.push_back({"\r\n--" + boundary + "--\r\n", std::nullopt});
}

Response compose_file(const ContentQuestion& question, const Finding& found, ByteView head) {
  const ByteCount size = content_size(found);
  const std::string type = content_type(question, found, head);
  const RangeVerdict verdict = judge_range(question.conditions, entity_tag(question, found), size);
  const auto* ranges = std::get_if<std::vector<HttpRange>>(&verdict);
  Response response = about(question, found, ranges != nullptr ? 206 : 200);
  add_validators(response, question, found);
  add_disposition(response, question, found);
  response.headers.add("Accept-Ranges", "bytes");
  if (ranges != nullptr && ranges->size() > 1) {
    add_parts(response, *ranges, type, size);
    return response;
  }
  response.headers.add("Content-Type", type);
  if (ranges != nullptr) response.headers.add("Content-Range", content_range(ranges->front(), size));
  const auto sent = ranges != nullptr ? *ranges : whole(size);
  if (!sent.empty()) response.body.push_back({{}, sent.front()});
  return response;
}

Response compose_symlink(const ContentQuestion& question, const Finding& found, const FoundSymlink& symlink) {
  Response response = about(question, found, 200);
  add_validators(response, question, found);
  response.headers.add("Content-Type", "inode/symlink");
  response.body.push_back({symlink.target, std::nullopt});
  return response;
}

Response compose_listing(const ContentQuestion& question, const Finding& found, Material material) {
  Response response = about(question, found, 200);
  add_validators(response, question, found);
  response.headers.add("Content-Type", "text/html; charset=utf-8");
  response.headers.add("Content-Security-Policy", page_policy);
  response.headers.add("X-Content-Type-Options", "nosniff");
  const Listing listing{question.root_text, question.segments, std::move(material.entries),
                        material.entries_cut};
  response.body.push_back({folder_page(listing), std::nullopt});
  return response;
}

}  // namespace

Judgement judge(const ContentQuestion& question, const Finding& found) {
  ENSURE(!found.path.empty());
  if (const auto* other = std::get_if<FoundOther>(&found.node)) {
    return not_served(question, found, other->codec);
  }
  if (is_folder(found) && !question.slash_at_end) return redirect_to_folder(question, found);
  const std::string tag = entity_tag(question, found);
  const Precondition precondition = judge_preconditions(question.conditions, tag);
  if (precondition == Precondition::Failed) {
    return with_cross_origin(one_line(412, "the entity tag here is " + tag));
  }
  if (precondition == Precondition::NotModified) {
    Response response = about(question, found, 304);
    add_validators(response, question, found);
    return response;
  }
  if (std::holds_alternative<FoundFolder>(found.node)) return NeedListing{};
  if (const auto* symlink = std::get_if<FoundSymlink>(&found.node)) {
    return compose_symlink(question, found, *symlink);
  }
  const ByteCount size = content_size(found);
  RangeVerdict verdict = judge_range(question.conditions, tag, size);
  if (std::holds_alternative<Unsatisfiable>(verdict)) {
    Response response = one_line(416, "the content has " + std::to_string(size) + " bytes");
    response.headers.add("Content-Range", "bytes */" + std::to_string(size));
    response.headers.add("Accept-Ranges", "bytes");
    return with_cross_origin(std::move(response));
  }
  NeedFile need;
  auto* ranges = std::get_if<std::vector<HttpRange>>(&verdict);
  need.ranges = ranges != nullptr ? std::move(*ranges) : whole(size);
  need.head = question.form == Form::Page && content_type_by_name(file_name(question, found)).empty();
  return need;
}

Response compose(const ContentQuestion& question, const Finding& found, Material material) {
  if (std::holds_alternative<FoundFolder>(found.node)) {
    return compose_listing(question, found, std::move(material));
  }
  return compose_file(question, found, material.head);
}

}  // namespace cidbus
