#include <algorithm>
#include <array>

#include "gateway/routes/answers.h"
#include "gateway/routes/routes.h"
#include "gateway/routes/target.h"
#include "shared/base/limits/content.h"
#include "shared/base/limits/http.h"
#include "shared/content/quote.h"

namespace cidbus {

namespace {

constexpr std::string_view content_prefix = "/ipfs/";

std::string parameter(const std::vector<std::pair<std::string, std::string>>& query, std::string_view name) {
  const auto found =
      std::find_if(query.begin(), query.end(), [&](const auto& pair) { return pair.first == name; });
  return found == query.end() ? std::string() : found->second;
}

bool has_parameter(const std::vector<std::pair<std::string, std::string>>& query, std::string_view name) {
  return std::any_of(query.begin(), query.end(), [&](const auto& pair) { return pair.first == name; });
}

// Whether a comma-separated header names the directive.
bool names_directive(std::string_view list, std::string_view directive) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    item.remove_prefix(std::min(item.find_first_not_of(" \t"), item.size()));
    item = item.substr(0, item.find_first_of(" \t="));
    if (equal_ignoring_case(item, directive)) return true;
  }
  return false;
}

struct Wish {
  enum class Kind { Page, RawBlock, NotOffered, Unknown } kind = Kind::Page;
  std::string what;
};

Wish wish_of_format(const std::string& format) {
  static constexpr std::array not_offered = {"car",  "tar",  "dag-json",    "dag-cbor",
                                             "json", "cbor", "ipns-record", "dag-jose"};
  if (format == "raw") return {Wish::Kind::RawBlock, {}};
  const bool known = std::find(not_offered.begin(), not_offered.end(), format) != not_offered.end();
  return {known ? Wish::Kind::NotOffered : Wish::Kind::Unknown, "format=" + format};
}

// Thousandths of a media range's weight: 1000 without a q, 0 for one that makes no sense.
int weight_of(std::string_view parameters) {
  const auto at = parameters.find("q=");
  if (at == std::string_view::npos) return 1000;
  std::string_view number = parameters.substr(at + 2);
  number = number.substr(0, number.find_first_not_of("0123456789."));
  if (number.starts_with('1')) return 1000;
  if (!number.starts_with("0.")) return 0;
  int weight = 0;
  int place = 100;
  for (const char c : number.substr(2, 3)) {
    weight += (c - '0') * place;
    place /= 10;
  }
  return weight;
}

// The first of the most wanted media types that is offered; browsers and fetch() say */* or text/html.
Wish wish_of_accept(std::string_view accept) {
  static constexpr std::array not_offered = {
      "application/vnd.ipld.car",         "application/x-tar",
      "application/vnd.ipld.dag-json",    "application/vnd.ipld.dag-cbor",
      "application/vnd.ipfs.ipns-record", "application/vnd.ipld.dag-jose"};
  Wish best;
  int best_weight = 0;
  const std::string_view whole = accept;
  while (!accept.empty()) {
    const auto end = std::min(accept.find(','), accept.size());
    std::string_view item = accept.substr(0, end);
    accept.remove_prefix(std::min(end + 1, accept.size()));
    item.remove_prefix(std::min(item.find_first_not_of(" \t"), item.size()));
    const std::string_view type = item.substr(0, item.find_first_of("; \t"));
    const int weight = weight_of(item.substr(type.size()));
    const auto is_type = [&](std::string_view other) { return equal_ignoring_case(type, other); };
    if (type.empty() || weight <= best_weight) continue;
    if (std::any_of(not_offered.begin(), not_offered.end(), is_type)) continue;
    best = {is_type("application/vnd.ipld.raw") ? Wish::Kind::RawBlock : Wish::Kind::Page, {}};
    best_weight = weight;
  }
  const bool asks = whole.find_first_not_of(" \t,") != std::string_view::npos;
  if (asks && best_weight == 0) return {Wish::Kind::NotOffered, "Accept: " + std::string(whole)};
  return best;
}

// Fills in root and segments; a response when the path is none.
std::optional<Response> take_path(std::string_view path, ContentQuestion& question) {
  std::string_view rest = path.substr(content_prefix.size());
  if (rest.size() > limits::path_bytes) return one_line(414, "the path is too long for this gateway");
  const auto end = std::min(rest.find('/'), rest.size());
  question.root_text = std::string(rest.substr(0, end));
  if (question.root_text.empty()) return one_line(400, "no CID: ask for /ipfs/CID or /ipfs/CID/path");
  auto root = Cid::parse(question.root_text);
  if (!root) return one_line(400, root.error().message);
  if (root->codec() == Codec::Libp2pKey) {
    return one_line(400, in_quotes(question.root_text) + " names a key (IPNS), not content");
  }
  question.root = *std::move(root);
  rest.remove_prefix(end);
  question.slash_at_end = rest.ends_with('/');
  while (!rest.empty()) {
    const auto next = std::min(rest.find('/'), rest.size());
    const std::string_view encoded = rest.substr(0, next);
    rest.remove_prefix(std::min(next + 1, rest.size()));
    if (encoded.empty()) continue;
    auto segment = percent_decode(encoded);
    if (!segment) return one_line(400, in_quotes(encoded) + " is not percent-encoded right");
    if (*segment == "." || *segment == "..") {
      return one_line(400, in_quotes(*segment) + " is no name below a CID: leave it out");
    }
    if (question.segments.size() == limits::http_path_segments) {
      return one_line(414, "the path has more than " + std::to_string(limits::http_path_segments) + " names");
    }
    question.segments.push_back(*std::move(segment));
  }
  return std::nullopt;
}

Asked open_content(const HttpRequest& request, const Target& target) {
  ContentQuestion question;
  if (auto refused = take_path(target.path, question)) return with_cross_origin(*std::move(refused));
  const auto query = parse_query(target.query);
  const bool by_query = has_parameter(query, "format");
  const Wish wish =
      by_query ? wish_of_format(parameter(query, "format")) : wish_of_accept(request.header("Accept"));
  if (wish.kind == Wish::Kind::Unknown) {
    return with_cross_origin(
        one_line(400, in_quotes(wish.what) + " is not known here: use format=raw or nothing"));
  }
  if (wish.kind == Wish::Kind::NotOffered) {
    return with_cross_origin(
        one_line(406, in_quotes(wish.what) + " is not served here: ask for single blocks with format=raw"));
  }
  question.form = wish.kind == Wish::Kind::RawBlock ? Form::RawBlock : Form::Page;
  question.query = std::string(target.query);
  question.filename = parameter(query, "filename");
  question.as_download = parameter(query, "download") == "true";
  question.only_if_cached = names_directive(request.header("Cache-Control"), "only-if-cached");
  question.conditions = {request.header("If-Match"), request.header("If-None-Match"),
                         request.header("If-Range"), request.header("Range")};
  return question;
}

Response welcome() {
  Response response;
  response.headers.add("Content-Type", "text/html; charset=utf-8");
  response.headers.add("Content-Security-Policy", page_policy);
  response.headers.add("Cache-Control", "public, max-age=3600");
  response.body.push_back({welcome_page(), std::nullopt});
  return response;
}

Response options() {
  Response response;
  response.status = 204;
  response.headers.add("Allow", "GET, HEAD, OPTIONS");
  return with_cross_origin(std::move(response));
}

}  // namespace

Asked open_request(const HttpRequest& request) {
  if (request.method == "OPTIONS") return options();
  if (request.method != "GET" && request.method != "HEAD") {
    Response refused = one_line(405, in_quotes(request.method) + " is not done here: use GET or HEAD");
    refused.headers.add("Allow", "GET, HEAD, OPTIONS");
    return refused;
  }
  const auto target = split_target(request.target);
  if (!target) return one_line(400, "the request target is no path");
  if (target->path.starts_with(content_prefix)) return open_content(request, *target);
  if (target->path == "/ipfs") return one_line(400, "no CID: ask for /ipfs/CID or /ipfs/CID/path");
  if (target->path == "/") return welcome();
  if (target->path == "/livez") return one_line(200, "ok");
  if (target->path == "/readyz") {
    return ReadinessQuestion{has_parameter(parse_query(target->query), "verbose")};
  }
  if (target->path.starts_with("/ipns/"))
    return one_line(404, "IPNS names are not served here: ask for /ipfs/CID");
  return one_line(404, "nothing is served at " + in_quotes(target->path) + ": ask for /ipfs/CID");
}

}  // namespace cidbus
