#include "worker/handlers/analyze.h"

#include <magic.h>

#include <algorithm>

#include "shared/base/limits/images.h"
#include "worker/handlers/image.h"
#include "worker/handlers/parameters.h"
#include "worker/handlers/text_statistics.h"

namespace cidbus {
namespace {

// By its beginning. One reader a run: libmagic's are not for several threads. Nothing is unpacked.
Result<std::string> type_of(ByteView head) {
  const std::unique_ptr<magic_set, decltype(&magic_close)> reader(
      magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS), magic_close);
  if (!reader || magic_load(reader.get(), nullptr) != 0) {
    return fault(FaultKind::TryAgain, "libmagic has no data here; install the package libmagic-mgc");
  }
  const char* const type = magic_buffer(reader.get(), head.data(), head.size());
  if (type == nullptr) return std::string("application/octet-stream");
  return std::string(type);
}

class Analyze final : public Handler {
 public:
  std::string_view type() const override { return "analyze"; }
  std::string_view summary() const override {
    return "what a file is: type, size, an image's dimensions, a text's lines, words and characters";
  }
  std::span<const ParameterHelp> help() const override { return {}; }
  int version() const override { return 1; }
  bool deterministic() const override { return true; }

  Result<HandlerOutput> run(const HandlerInput& input, Content& content) const override {
    Parameters parameters("analyze", input.parameters);
    if (Status checked = parameters.finish(); !checked) return tl::unexpected(checked.error());
    const auto file = only_input("analyze", input);
    if (!file) return tl::unexpected(file.error());

    Bytes head;
    ByteCount size = 0;
    TextStatistics text;
    const Status streamed = content.stream(*file, [&](ByteView bytes) -> Status {
      if (input.cancelled.cancelled()) return cancelled_fault("analyze");
      size += bytes.size();
      text.add(bytes);
      const std::size_t room = limits::analyzed_head - head.size();
      head.insert(head.end(), bytes.begin(),
                  bytes.begin() + static_cast<std::ptrdiff_t>(std::min(room, bytes.size())));
      return {};
    });
    if (!streamed) return tl::unexpected(streamed.error());
    return describe_file(head, size, text);
  }

 private:
  [[nodiscard]] Result<HandlerOutput> describe_file(ByteView head, ByteCount size,
                                                    const TextStatistics& text) const {
    const auto type = type_of(head);
    if (!type) return fault(type.error().kind, "analyze: " + type.error().message);
    HandlerOutput output;
    const auto add = [&](const char* name, std::uint64_t number) {
      output.values.emplace_back(name, std::to_string(number));
    };
    output.values.emplace_back("type", *type);
    add("size", size);
    if (const auto image = images_.measure(head)) {
      add("width", image->width);
      add("height", image->height);
    }
    output.values.emplace_back("encoding", text.encoding());
    if (text.is_text()) {
      add("lines", text.lines());
      add("words", text.words());
      add("characters", text.characters());
    }
    return output;
  }

  ImageTransformer images_;
};

}  // namespace

std::unique_ptr<Handler> make_analyze() { return std::make_unique<Analyze>(); }

}  // namespace cidbus
