#include "shared/io/move_record.h"

#include <array>
#include <charconv>
#include <optional>

#include "shared/base/limits/roles.h"
#include "shared/content/quote.h"
#include "shared/io/replace_file.h"

namespace cidbus {
namespace {

constexpr const char* file_name = "moves";

std::string plain(std::string_view text, std::size_t most) {
  std::string line = escaped(text).substr(0, most);
  while (!is_plain_line(line)) line.pop_back();  // a character was cut
  return line;
}

// Nothing for a line that is none of ours.
std::optional<std::array<std::string_view, 5>> fields_of(std::string_view line) {
  std::array<std::string_view, 5> fields;
  for (std::size_t place = 0; place < fields.size(); ++place) {
    const bool is_last = place + 1 == fields.size();
    const auto end = is_last ? line.size() : line.find('\t');
    if (end == std::string_view::npos) return std::nullopt;
    fields[place] = line.substr(0, end);
    line.remove_prefix(is_last ? line.size() : end + 1);
    if (!is_plain_line(fields[place])) return std::nullopt;
  }
  return fields;
}

}  // namespace

MoveRecord::MoveRecord(FileSystem& files, std::string folder, Log& log)
    : files_(files), folder_(std::move(folder)), log_(log) {
  if (!folder_.empty()) read();
}

void MoveRecord::read() {
  const auto kept = read_whole(files_, folder_ + "/" + file_name);
  if (!kept) return log_.warning("what it moved before is not known: " + kept.error().message);
  if (!*kept) return;
  std::string_view text = as_text(**kept);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto fields = fields_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!fields) continue;
    Entry entry{{},
                plain((*fields)[1], limits::move_text),
                plain((*fields)[2], limits::move_text),
                plain((*fields)[3], limits::move_text),
                plain((*fields)[4], limits::move_reason)};
    const std::string_view at = fields->front();
    std::from_chars(at.data(), at.data() + at.size(), entry.at.milliseconds);
    entries_.push_back(std::move(entry));
    if (entries_.size() > limits::moves_kept) entries_.pop_front();
  }
}

void MoveRecord::add(WallTime at, std::string_view what, std::string_view from, std::string_view to,
                     std::string_view reason) {
  entries_.push_back({at, plain(what, limits::move_text), plain(from, limits::move_text),
                      plain(to, limits::move_text), plain(reason, limits::move_reason)});
  if (entries_.size() > limits::moves_kept) entries_.pop_front();
  if (!folder_.empty()) write();
}

void MoveRecord::write() {
  std::string text;
  for (const Entry& entry : entries_) {
    text += std::to_string(entry.at.milliseconds) + '\t' + entry.what + '\t' + entry.from + '\t' + entry.to +
            '\t' + entry.reason + '\n';
  }
  if (Status written = replace_file(files_, folder_, file_name, as_bytes(text)); !written)
    log_.warning("what it moved is not kept: " + written.error().message);
}

std::vector<Move> MoveRecord::moves() const {
  std::vector<Move> moves;
  for (const Entry& entry : entries_)
    moves.push_back({entry.at, entry.what, entry.from, entry.to, entry.reason});
  return moves;
}

}  // namespace cidbus
