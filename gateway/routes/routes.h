// Every rule of the gateway, from request to response, without a socket: what is asked, what that needs, what
// is answered (https://specs.ipfs.tech/http-gateways/path-gateway, RFC 9110).
//
// A request goes through three questions, each a function here. open_request: what is asked, or the answer at
// once. judge: given what the path leads to, the answer (a redirect, 304, 416, ...) or which bytes it needs.
// compose: given those, the answer. Between them the caller fetches, however long it takes.
//
// Not offered: CAR, TAR and IPLD formats, IPNS. Requests for them are answered 406 or 404 with the reason.
//
// Thread rule: functions of their arguments. Limits: limits::path_bytes and http_path_segments, 414 past
// them.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/routes/conditions.h"
#include "gateway/routes/listing.h"
#include "gateway/routes/response.h"
#include "shared/base/http_message.h"
#include "shared/base/limits/content.h"
#include "shared/base/readiness.h"
#include "shared/base/result.h"
#include "shared/content/cid.h"

namespace cidbus {

// ---- what is asked

enum class Form { Page, RawBlock };  // Page: as a browser wants it, files as bytes and folders as HTML

// GET or HEAD of /ipfs/CID[/path]: all that later steps need of the request.
struct ContentQuestion {
  Cid root;
  std::string root_text;              // as it was typed
  std::vector<std::string> segments;  // decoded
  bool slash_at_end = false;
  std::string query;  // as it came
  Form form = Form::Page;
  bool only_if_cached = false;
  std::string filename;      // ?filename=
  bool as_download = false;  // ?download=true
  Conditions conditions;
};
struct ReadinessQuestion {
  bool verbose = false;
};
using Asked = std::variant<Response, ReadinessQuestion, ContentQuestion>;
Asked open_request(const HttpRequest& request);

// ---- what the path leads to

struct FoundFile {
  ByteCount size = 0;
  bool is_index = false;  // the index.html of the folder that the path names
};
struct FoundFolder {};
struct FoundSymlink {
  std::string target;
};
struct FoundBlock {  // for Form::RawBlock
  ByteCount size = 0;
};
struct FoundOther {  // not UnixFS
  Codec codec = Codec::DagCbor;
};
struct Finding {
  std::vector<Cid> path;  // the root, then one a segment
  std::variant<FoundFile, FoundFolder, FoundSymlink, FoundBlock, FoundOther> node;
};

// What compose() is to be given before there is an answer.
struct NeedFile {
  // What will be sent, in this order: the first byte of it must be in hand before anything is answered.
  std::vector<HttpRange> ranges;
  bool head = false;  // Material::head is wanted, if it can be had
};
struct NeedListing {};
using Judgement = std::variant<Response, NeedFile, NeedListing>;
// REQUIRES: found.path is not empty
Judgement judge(const ContentQuestion& question, const Finding& found);

struct Material {
  Bytes head;  // first bytes of the file, as many as sniffed_bytes asks or it has; empty when not wanted
  std::vector<PageEntry> entries;
  bool entries_cut = false;
};
Response compose(const ContentQuestion& question, const Finding& found, Material material);

// ---- what went wrong on the way

// One line, with the status that the kind of fault means: 404 NotFound, 504 TimedOut, 503 Unavailable and
// TryAgain, 502 BadData (the content is not what it claims to be), 403, 400, 500. TryAgain is 412 for who
// asked for what is cached only.
Response respond_to_fault(const ContentQuestion& question, const Fault& fault);

// ---- health

// 200 when all passed, otherwise 503; `verbose` names each.
Response respond_readiness(const ReadinessQuestion& question, const std::vector<ReadinessCheck>& checks);

}  // namespace cidbus
