#include "shared/content/dag_pb.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/content/protobuf.h"

namespace cidbus {

namespace {

namespace node_field {
constexpr std::uint64_t data = 1;
constexpr std::uint64_t links = 2;
}  // namespace node_field

namespace link_field {
constexpr std::uint64_t hash = 1;
constexpr std::uint64_t name = 2;
constexpr std::uint64_t tsize = 3;
}  // namespace link_field

tl::unexpected<Fault> not_dag_pb(const std::string& why) {
  return fault(FaultKind::BadData, "not a dag-pb block: " + why);
}

// True when the field was not seen before.
bool once(unsigned& seen, std::uint64_t field) {
  const unsigned bit = 1U << field;
  return (std::exchange(seen, seen | bit) & bit) == 0;
}

Result<DagPbLink> decode_link(ByteView message) {
  DagPbLink link;
  unsigned seen = 0;
  ProtobufReader reader(message);
  while (const auto field = reader.next()) {
    if (field->is(link_field::hash, WireType::Sized)) {
      auto cid = Cid::from_bytes(field->bytes);
      if (!cid) return not_dag_pb("a link's CID: " + cid.error().message);
      link.cid = *std::move(cid);
    } else if (field->is(link_field::name, WireType::Sized)) {
      link.name = as_text(field->bytes);
    } else if (field->is(link_field::tsize, WireType::Varint)) {
      link.tsize = field->value;
    } else {
      return not_dag_pb("an unknown field in a link");
    }
    if (!once(seen, field->number)) return not_dag_pb("a field of a link stands twice");
  }
  if (reader.failed()) return not_dag_pb("a link is cut short or badly encoded");
  if (link.cid.is_null()) return not_dag_pb("a link without a CID");
  return link;
}

std::size_t link_message_bytes(std::size_t cid_bytes, std::size_t name_bytes, ByteCount tsize) {
  return 1 + varint_size(cid_bytes) + cid_bytes + 1 + varint_size(name_bytes) + name_bytes + 1 +
         varint_size(tsize);
}

}  // namespace

Result<DagPbNode> decode_dag_pb(ByteView block) {
  if (block.size() > limits::block_bytes) {
    return not_dag_pb(std::to_string(block.size()) + " bytes, where " + std::to_string(limits::block_bytes) +
                      " are the most");
  }
  DagPbNode node;
  ProtobufReader reader(block);
  while (const auto field = reader.next()) {
    if (field->is(node_field::links, WireType::Sized)) {
      if (node.links.size() == limits::node_links) {
        return not_dag_pb("more than " + std::to_string(limits::node_links) + " links");
      }
      auto link = decode_link(field->bytes);
      if (!link) return tl::unexpected(link.error());
      node.links.push_back(*std::move(link));
    } else if (field->is(node_field::data, WireType::Sized)) {
      if (node.data) return not_dag_pb("its data stands twice");
      node.data = field->bytes;
    } else {
      return not_dag_pb("an unknown field");
    }
  }
  if (reader.failed()) return not_dag_pb("it is cut short or badly encoded");
  return node;
}

Bytes encode_dag_pb(std::span<const DagPbLink> links, std::optional<ByteView> data) {
  const auto by_name = [](const DagPbLink& left, const DagPbLink& right) { return left.name < right.name; };
  ENSURE(std::is_sorted(links.begin(), links.end(), by_name), links.size());
  std::size_t size = data ? encoded_data_bytes(data->size()) : 0;
  for (const DagPbLink& link : links) {
    size += encoded_link_bytes(link.cid.bytes().size(), link.name.size(), link.tsize);
  }
  Bytes block;
  block.reserve(size);
  ProtobufWriter writer(block);
  for (const DagPbLink& link : links) {
    const ByteView cid = link.cid.bytes();
    writer.length(node_field::links, link_message_bytes(cid.size(), link.name.size(), link.tsize));
    writer.bytes(link_field::hash, cid);
    writer.bytes(link_field::name, as_bytes(link.name));
    writer.number(link_field::tsize, link.tsize);
  }
  if (data) writer.bytes(node_field::data, *data);
  ENSURE(block.size() == size, block.size(), size);
  return block;
}

std::size_t encoded_link_bytes(std::size_t cid_bytes, std::size_t name_bytes, ByteCount tsize) {
  const std::size_t message = link_message_bytes(cid_bytes, name_bytes, tsize);
  return 1 + varint_size(message) + message;
}

std::size_t encoded_data_bytes(std::size_t data_bytes) { return 1 + varint_size(data_bytes) + data_bytes; }

}  // namespace cidbus
