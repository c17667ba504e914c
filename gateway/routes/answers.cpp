#include "gateway/routes/answers.h"

#include "gateway/routes/target.h"
#include "shared/content/quote.h"

namespace cidbus {

Response one_line(unsigned status, std::string_view line) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("Cache-Control", "no-store");
  response.body.push_back({std::string(line) + "\n", std::nullopt});
  return response;
}

Response with_cross_origin(Response response) {
  HttpHeaders& headers = response.headers;
  headers.add("Access-Control-Allow-Origin", "*");
  headers.add("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
  headers.add("Access-Control-Allow-Headers", "Content-Type, Range, User-Agent, X-Requested-With");
  headers.add("Access-Control-Expose-Headers",
              "Content-Length, Content-Range, X-Chunked-Output, X-Ipfs-Path, X-Ipfs-Roots, X-Stream-Output");
  return response;
}

std::string encoded_path(const ContentQuestion& question, std::size_t segments) {
  std::string path = "/ipfs/" + question.root_text;
  for (std::size_t at = 0; at < segments; ++at) path += "/" + percent_encode_segment(question.segments[at]);
  return path;
}

std::string entity_tag(const ContentQuestion& question, const Finding& found) {
  const std::string cid = to_text(found.path.back());
  if (question.form == Form::RawBlock) return "\"" + cid + ".raw\"";
  if (!std::holds_alternative<FoundFolder>(found.node)) return "\"" + cid + "\"";
  return "\"DirIndex-" + std::string(folder_page_version()) + "_CID-" + cid + "\"";
}

namespace {

unsigned status_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::NotFound:
      return 404;
    case FaultKind::TimedOut:
      return 504;
    case FaultKind::Unavailable:
    case FaultKind::TryAgain:
      return 503;
    case FaultKind::BadData:
      return 502;
    case FaultKind::NotAllowed:
      return 403;
    case FaultKind::BadUsage:
      return 400;
    case FaultKind::Failed:
      return 500;
  }
  return 500;
}

}  // namespace

Response respond_to_fault(const ContentQuestion& question, const Fault& fault) {
  if (question.only_if_cached && fault.kind == FaultKind::TryAgain) {
    return with_cross_origin(one_line(412, "not in the cache of this gateway: ask without only-if-cached"));
  }
  Response response = one_line(status_of(fault.kind), fault.message);
  if (response.status == 503) response.headers.add("Retry-After", "1");
  return with_cross_origin(std::move(response));
}

Response respond_readiness(const ReadinessQuestion& question, const std::vector<ReadinessCheck>& checks) {
  return one_line(is_ready(checks) ? 200 : 503, readiness_report(checks, question.verbose));
}

}  // namespace cidbus
