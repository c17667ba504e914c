#include "gateway/content_answer.h"

#include <algorithm>

#include "gateway/routes/content_type.h"
#include "shared/base/ensure.h"
#include "shared/content/directory_reader.h"
#include "shared/content/reader.h"

namespace cidbus {

namespace {

constexpr std::string_view index_name = "index.html";
constexpr std::size_t quickly_listed = 200;  // entries of a plain folder

// What the path leads to, and the node that the answer is made of.
struct Located {
  Finding found;
  UnixFsNode node;
};

// A block as the file of its bytes.
Result<UnixFsNode> load_raw_block(BlockSource& source, const Cid& cid) {
  auto block = load_block(source, cid);
  if (!block) return tl::unexpected(block.error());
  return decode_node(Cid::v1(Codec::Raw, cid.multihash()), *std::move(block));
}

bool is_unixfs(const Cid& cid) { return cid.codec() == Codec::Raw || cid.codec() == Codec::DagPb; }

// The folder's index.html, when it has one that is a file.
Result<std::optional<UnixFsNode>> load_index(BlockSource& source, const UnixFsNode& folder) {
  const auto entry = find_entry(source, folder, index_name);
  if (!entry) return tl::unexpected(entry.error());
  if (!*entry || !is_unixfs(**entry)) return std::nullopt;
  auto node = load_node(source, **entry);
  if (!node) return tl::unexpected(node.error());
  if (node->kind != NodeKind::File) return std::nullopt;
  return *std::move(node);
}

Status settle_page(const ContentQuestion& question, BlockSource& source, Located& located) {
  switch (located.node.kind) {
    case NodeKind::File:
      located.found.node = FoundFile{located.node.size, false};
      return {};
    case NodeKind::Symlink:
      located.found.node = FoundSymlink{std::string(as_text(located.node.data))};
      return {};
    case NodeKind::Directory:
      break;
  }
  located.found.node = FoundFolder{};
  if (!question.slash_at_end) return {};  // it will be a redirect
  auto index = load_index(source, located.node);
  if (!index) return tl::unexpected(index.error());
  if (*index) {
    located.node = **std::move(index);
    located.found.node = FoundFile{located.node.size, true};
  }
  return {};
}

Result<Located> locate(const ContentQuestion& question, BlockSource& source) {
  Located located;
  if (!is_unixfs(question.root) && !question.segments.empty()) {
    located.found = {{question.root}, FoundOther{question.root.codec()}};
    return located;
  }
  auto path = Reader(source).resolve({question.root, question.segments});
  if (!path) return tl::unexpected(path.error());
  located.found.path = *std::move(path);
  const Cid& last = located.found.path.back();
  if (question.form == Form::Page && !is_unixfs(last)) {
    located.found.node = FoundOther{last.codec()};
    return located;
  }
  auto node = question.form == Form::RawBlock ? load_raw_block(source, last) : load_node(source, last);
  if (!node) return tl::unexpected(node.error());
  located.node = *std::move(node);
  if (question.form == Form::RawBlock) {
    located.found.node = FoundBlock{located.node.size};
  } else if (const Status settled = settle_page(question, source, located); !settled) {
    return tl::unexpected(settled.error());
  }
  return located;
}

Status list(const UnixFsNode& folder, BlockSource& source, Effort effort, Material& material) {
  if (effort == Effort::Quick && (folder.shape || folder.links.size() > quickly_listed)) {
    return fault(FaultKind::TryAgain, "a long list takes longer");
  }
  const Status listed = list_directory(source, folder, [&](const ListedEntry& entry) -> Result<Visit> {
    if (material.entries.size() == limits::http_listing_entries) {
      material.entries_cut = true;
      return Visit::Stop;
    }
    material.entries.push_back({std::string(entry.name), entry.cid, entry.tsize});
    return Visit::Continue;
  });
  std::sort(material.entries.begin(), material.entries.end(),
            [](const PageEntry& left, const PageEntry& right) { return left.name < right.name; });
  return listed;
}

// The file's first bytes. When they cannot be had, none: what they would say is not worth the whole response.
Bytes read_head(const UnixFsNode& file, BlockSource& source) {
  Bytes head;
  if (file.size == 0) return head;
  FileCursor cursor(file);
  cursor.seek({0, std::min<ByteCount>(file.size, sniffed_bytes) - 1});
  while (!cursor.at_end()) {
    const auto piece = cursor.next(source, Ahead::Leave);
    if (!piece) break;
    head.insert(head.end(), piece->bytes.begin(), piece->bytes.end());
  }
  return head;
}

Result<ContentAnswer> begin_answer(Response response, UnixFsNode file, BlockSource& source, Ahead ahead) {
  const bool all_text = std::none_of(response.body.begin(), response.body.end(),
                                     [](const BodyPart& part) { return part.range.has_value(); });
  if (all_text) return answer_text(std::move(response));
  ContentAnswer answer;
  answer.length = response.length();
  answer.rest = std::make_unique<ContentStream>(std::exchange(response.body, {}), std::move(file));
  answer.response = std::move(response);
  auto first = answer.rest->begin(source, ahead);
  if (!first) return tl::unexpected(first.error());
  answer.first = *std::move(first);
  if (answer.rest->at_end()) answer.rest.reset();
  return answer;
}

}  // namespace

ContentStream::ContentStream(std::vector<BodyPart> parts, UnixFsNode file)
    : parts_(std::move(parts)), cursor_(std::move(file)) {
  begin_part();
}

// Or the one after it, when it is empty.
void ContentStream::begin_part() {
  while (part_ < parts_.size() && parts_[part_].text.empty() && !parts_[part_].range) ++part_;
  if (part_ == parts_.size()) return;
  text_done_ = parts_[part_].text.empty();
  if (parts_[part_].range) cursor_.seek(*parts_[part_].range);
}

Result<HttpPiece> ContentStream::produce(BlockSource& source, Ahead ahead) {
  ENSURE(part_ < parts_.size());
  BodyPart& part = parts_[part_];
  Result<HttpPiece> piece;
  bool part_ended = false;
  if (text_done_) {
    piece = cursor_.next(source, ahead);
    part_ended = piece && cursor_.at_end();
  } else {
    piece = http_text(std::move(part.text));
    text_done_ = true;
    part_ended = !part.range;
  }
  if (part_ended) {
    ++part_;
    begin_part();
  }
  return piece;
}

Result<HttpPiece> ContentStream::next(BlockSource& source, Ahead ahead) {
  if (ready_) return *std::exchange(ready_, std::nullopt);
  return produce(source, ahead);
}

Result<HttpPiece> ContentStream::begin(BlockSource& source, Ahead ahead) {
  const bool text_stands_before = !text_done_ && parts_[part_].range;
  auto first = produce(source, ahead);
  if (!first || !text_stands_before) return first;
  auto data = produce(source, ahead);
  if (!data) return data;
  ready_ = *std::move(data);
  return first;
}

Result<ContentAnswer> answer_content(const ContentQuestion& question, BlockSource& source, Effort effort) {
  auto located = locate(question, source);
  if (!located) return tl::unexpected(located.error());
  Judgement verdict = judge(question, located->found);
  if (auto* response = std::get_if<Response>(&verdict)) return answer_text(*std::move(response));
  Material material;
  if (std::holds_alternative<NeedListing>(verdict)) {
    if (const Status listed = list(located->node, source, effort, material); !listed) {
      return tl::unexpected(listed.error());
    }
    return answer_text(compose(question, located->found, std::move(material)));
  }
  if (std::get<NeedFile>(verdict).head) material.head = read_head(located->node, source);
  Response response = compose(question, located->found, std::move(material));
  const Ahead ahead = effort == Effort::Thorough ? Ahead::Hint : Ahead::Leave;
  return begin_answer(std::move(response), std::move(located->node), source, ahead);
}

ContentAnswer answer_text(Response response) {
  ContentAnswer answer;
  std::string text;
  for (BodyPart& part : response.body) text += part.text;
  response.body.clear();
  answer.length = text.size();
  if (!text.empty()) answer.first = http_text(std::move(text));
  answer.response = std::move(response);
  return answer;
}

}  // namespace cidbus
