// The answer to a question about content: the rules of gateway/routes, carried out on blocks.
//
// The first piece of the body is in hand before there is a response at all, so that what cannot be had is
// answered 404 or 504 and not by a body that breaks off at once.
//
// Thread rule: one thread at a time; calls wait as long as the source does. Limits: FileCursor's, and
// limits::http_listing_entries.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "gateway/file_cursor.h"
#include "gateway/routes/routes.h"
#include "shared/base/limits/http.h"
#include "shared/content/block.h"
#include "shared/io/http_server.h"

namespace cidbus {

// The rest of a response's body: texts and stretches of one file, piece by piece.
class ContentStream {
 public:
  ContentStream(std::vector<BodyPart> parts, UnixFsNode file);

  [[nodiscard]] bool at_end() const { return part_ == parts_.size() && !ready_; }
  // Never empty. A fault leaves the stream where it was. REQUIRES: !at_end()
  Result<HttpPiece> next(BlockSource& source, Ahead ahead);
  // The first piece, given only when the first bytes of the file are in hand too. Called first, once; after a
  // fault the stream is of no use.
  Result<HttpPiece> begin(BlockSource& source, Ahead ahead);

 private:
  void begin_part();
  Result<HttpPiece> produce(BlockSource& source, Ahead ahead);

  std::vector<BodyPart> parts_;
  std::size_t part_ = 0;            // the one to go on with
  bool text_done_ = false;          // of that part
  FileCursor cursor_;               // in the range of that part, if it has one
  std::optional<HttpPiece> ready_;  // produced ahead of its turn
};

struct ContentAnswer {
  Response response;  // its body's parts are in `first` and `rest`
  ByteCount length = 0;
  HttpPiece first;
  std::unique_ptr<ContentStream> rest;  // null when `first` is all
};

enum class Effort : std::uint8_t {
  Quick,  // little work: TryAgain for what takes longer than a few milliseconds
  Thorough,
};

// A fault when a block that is needed could not be had, or is not what it claims to be.
Result<ContentAnswer> answer_content(const ContentQuestion& question, BlockSource& source, Effort effort);

// A response that is all text.
ContentAnswer answer_text(Response response);

}  // namespace cidbus
