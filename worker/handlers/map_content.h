// A node's content for tests: a map, and a task as a handler sees it.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "worker/handlers/handler.h"

namespace cidbus {

class MapContent final : public Content {
 public:
  // Pieces that stream() hands on; small, so that every file is several.
  static constexpr std::size_t piece = 1000;

  Result<Bytes> read(const Cid& input, ByteCount limit) override {
    if (on_read) on_read();
    const auto file = files_.find(input);
    if (file == files_.end()) return fault(FaultKind::NotFound, "nobody holds " + to_text(input));
    if (file->second.size() > limit) return fault(FaultKind::BadData, "the file is larger than the limit");
    return file->second;
  }
  Status stream(const Cid& input, const std::function<Status(ByteView)>& sink) override {
    const auto file = files_.find(input);
    if (file == files_.end()) return fault(FaultKind::NotFound, "nobody holds " + to_text(input));
    ByteView rest = file->second;
    while (!rest.empty()) {
      if (on_read) on_read();
      const ByteView head = rest.first(std::min(rest.size(), piece));
      if (Status taken = sink(head); !taken) return taken;
      rest = rest.subspan(head.size());
    }
    return {};
  }
  Result<Cid> write(ByteView bytes) override {
    if (write_fault) return tl::unexpected(*write_fault);
    const Cid cid = Cid::v1(Codec::Raw, sha2_256(bytes));
    files_[cid] = to_bytes(bytes);
    return cid;
  }

  Cid add(ByteView bytes) { return write(bytes).value(); }
  Cid add(std::string_view text) { return add(as_bytes(text)); }
  [[nodiscard]] const Bytes& at(const Cid& cid) const { return files_.at(cid); }
  [[nodiscard]] std::size_t size() const { return files_.size(); }

  std::function<void()> on_read;     // before every piece
  std::optional<Fault> write_fault;  // what write() answers instead

 private:
  std::map<Cid, Bytes> files_;
};

// A handler, its content, and what a run needs.
struct HandlerBench {
  std::unique_ptr<Handler> handler;
  MapContent content = {};
  CancelToken cancelled = {};
  RunProgress progress = {};

  Result<HandlerOutput> run(std::vector<Cid> inputs, NamedTexts parameters) {
    return handler->run({.inputs = std::move(inputs),
                         .parameters = std::move(parameters),
                         .cancelled = cancelled,
                         .progress = progress},
                        content);
  }
  // The line of a fault of this kind; any other end is said instead.
  std::string refusal(std::vector<Cid> inputs, NamedTexts parameters, FaultKind kind = FaultKind::BadUsage) {
    const auto output = run(std::move(inputs), std::move(parameters));
    if (output) return "it worked";
    if (output.error().kind != kind) return "another kind of fault: " + output.error().message;
    return output.error().message;
  }
};

}  // namespace cidbus
