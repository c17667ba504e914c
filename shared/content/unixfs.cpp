#include "shared/content/unixfs.h"

#include "shared/base/ensure.h"
#include "shared/content/protobuf.h"

namespace cidbus {

namespace {

enum Field : std::uint64_t { Type = 1, Data = 2, FileSize = 3, BlockSizes = 4, HashType = 5, Fanout = 6 };

tl::unexpected<Fault> not_unixfs(const std::string& why) {
  return fault(FaultKind::BadData, "not UnixFS: " + why);
}

// Sets what must stand once; false when it stood before.
template <typename Value>
bool set_once(std::optional<Value>& place, Value value) {
  if (place) return false;
  place = value;
  return true;
}

bool add_packed(std::vector<ByteCount>& sizes, ByteView packed) {
  ByteReader reader(packed);
  while (!reader.at_end() && sizes.size() <= limits::node_links) {
    sizes.push_back(reader.varint());
    if (reader.failed()) return false;
  }
  return true;
}

// False when the field repeats what may stand once or is badly encoded.
bool take_field(const ProtobufField& field, UnixFsData& into, std::optional<std::uint64_t>& type) {
  if (field.is(Field::Type, WireType::Varint)) return set_once(type, field.value);
  if (field.is(Field::Data, WireType::Sized)) return set_once(into.data, field.bytes);
  if (field.is(Field::FileSize, WireType::Varint)) return set_once(into.file_size, field.value);
  if (field.is(Field::HashType, WireType::Varint)) return set_once(into.hash_type, field.value);
  if (field.is(Field::Fanout, WireType::Varint)) return set_once(into.fanout, field.value);
  if (field.is(Field::BlockSizes, WireType::Sized)) return add_packed(into.block_sizes, field.bytes);
  if (field.is(Field::BlockSizes, WireType::Varint)) {
    into.block_sizes.push_back(field.value);
    return true;
  }
  return field.number > Field::Fanout;  // a known field of another wire type is no field of ours
}

}  // namespace

const char* to_text(NodeKind kind) {
  switch (kind) {
    case NodeKind::File:
      return "file";
    case NodeKind::Directory:
      return "folder";
    case NodeKind::Symlink:
      return "symlink";
  }
  return "node";
}

Result<UnixFsData> decode_unixfs(ByteView message) {
  UnixFsData data;
  std::optional<std::uint64_t> type;
  ProtobufReader reader(message);
  while (const auto field = reader.next()) {
    if (!take_field(*field, data, type)) return not_unixfs("a field stands twice or is badly encoded");
    if (data.block_sizes.size() > limits::node_links) {
      return not_unixfs("more than " + std::to_string(limits::node_links) + " block sizes");
    }
  }
  if (reader.failed()) return not_unixfs("it is cut short or badly encoded");
  if (!type) return not_unixfs("it has no type");
  if (*type > static_cast<std::uint64_t>(UnixFsType::HamtShard)) {
    return not_unixfs("there is no type " + std::to_string(*type));
  }
  data.type = static_cast<UnixFsType>(*type);
  return data;
}

Bytes encode_unixfs(const UnixFsData& data) {
  Bytes message;
  message.reserve(32 + (data.data ? data.data->size() : 0) + data.block_sizes.size() * 5);
  ProtobufWriter writer(message);
  writer.number(Field::Type, static_cast<std::uint64_t>(data.type));
  if (data.data) writer.bytes(Field::Data, *data.data);
  if (data.file_size) writer.number(Field::FileSize, *data.file_size);
  for (const ByteCount size : data.block_sizes) writer.number(Field::BlockSizes, size);
  if (data.hash_type) writer.number(Field::HashType, *data.hash_type);
  if (data.fanout) writer.number(Field::Fanout, *data.fanout);
  return message;
}

}  // namespace cidbus
