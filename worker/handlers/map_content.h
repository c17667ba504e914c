// A node's content for tests: a map, and a task as a handler sees it.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <map>
#include <set>
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

  Result<Cid> write_stream(ByteSource& source) override {
    Bytes bytes;
    std::array<std::uint8_t, piece> buffer{};
    for (;;) {
      const auto size = source.read(buffer);
      if (!size) return tl::unexpected(size.error());
      if (*size == 0) return write(bytes);
      bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*size));
    }
  }
  // A folder is stored as the list of its files' names and contents.
  Result<Cid> write_folder(const std::filesystem::path& folder) override {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream file(entry.path());
      files[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
    std::string listing;
    for (const auto& [name, content] : files) listing += name + ": " + content + "\n";
    return write(as_bytes(listing));
  }
  // A file here is one block.
  Result<DagSize> keep(const Cid& root, const std::function<bool()>& cancelled) override {
    if (cancelled()) return fault(FaultKind::TryAgain, "stopped before it was done");
    const auto file = files_.find(root);
    if (file == files_.end()) return fault(FaultKind::NotFound, "nobody holds " + to_text(root));
    return DagSize{1, file->second.size()};
  }
  Result<bool> pin(const Cid& root) override { return pins.insert(root).second; }
  Result<bool> unpin(const Cid& root) override { return pins.erase(root) > 0; }
  Status export_to(const Cid& input, NodeKind kind, const std::filesystem::path& destination,
                   ByteCount limit) override {
    if (kind != NodeKind::File) return fault(FaultKind::BadUsage, "this map has files only");
    const auto bytes = read(input, limit);
    if (!bytes) return tl::unexpected(bytes.error());
    std::ofstream(destination) << as_text(*bytes);
    return {};
  }

  Cid add(ByteView bytes) { return write(bytes).value(); }
  Cid add(std::string_view text) { return add(as_bytes(text)); }
  [[nodiscard]] const Bytes& at(const Cid& cid) const { return files_.at(cid); }
  [[nodiscard]] std::size_t size() const { return files_.size(); }

  std::function<void()> on_read;  // before every piece
  std::set<Cid> pins;
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
  RunLog log = {};

  Result<HandlerOutput> run(std::vector<Cid> inputs, NamedTexts parameters) {
    return handler->run({.inputs = std::move(inputs),
                         .parameters = std::move(parameters),
                         .cancelled = cancelled,
                         .progress = progress,
                         .log = log},
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
