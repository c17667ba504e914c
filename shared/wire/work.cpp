#include "shared/wire/work.h"

#include <capnp/serialize.h>
#include <kj/exception.h>

#include <array>
#include <cstring>

#include "shared/base/limits/words.h"
#include "shared/core/trace_context.h"
#include "shared/wire/values.h"

namespace cidbus {
namespace {

template <typename List>
void put_pairs(List out, const std::vector<std::pair<std::string_view, std::string_view>>& pairs) {
  for (unsigned place = 0; place < out.size(); ++place) {
    out[place].setName(wire::text_of(pairs[place].first));
    out[place].setValue(wire::text_of(pairs[place].second));
  }
}
template <typename List>
void put_data(List out, const std::vector<ByteView>& items) {
  for (unsigned place = 0; place < out.size(); ++place)
    out.set(place, {items[place].data(), items[place].size()});
}

constexpr std::size_t words_of(std::size_t bytes) {
  return (bytes + sizeof(capnp::word) - 1) / sizeof(capnp::word);
}
std::size_t words_of(const std::vector<ByteView>& items) {
  std::size_t words = items.size();
  for (const ByteView item : items) words += words_of(item.size());
  return words;
}
std::size_t words_of(const std::vector<std::pair<std::string_view, std::string_view>>& pairs) {
  std::size_t words = 1 + 2 * pairs.size();
  for (const auto& [name, value] : pairs) words += words_of(name.size() + 1) + words_of(value.size() + 1);
  return words;
}

// Of a struct with up to three pointers: the segment table, the root's pointer, the struct, and what they
// point to. It is built where it is to lie, in one segment: this is done for every task, and a builder of its
// own costs more than that.
template <typename Root, typename Fill>
Bytes encode(std::size_t words_pointed_to, Fill fill) {
  constexpr std::size_t table_words = 1;
  Bytes frame((table_words + 4 + words_pointed_to) * sizeof(capnp::word));
  auto* const words = reinterpret_cast<capnp::word*>(frame.data());
  const std::size_t count = frame.size() / sizeof(capnp::word) - table_words;
  capnp::FlatMessageBuilder builder({words + table_words, count});
  fill(builder.initRoot<Root>());
  const std::size_t used = builder.getSegmentsForOutput()[0].size();
  const std::array<std::uint32_t, 2> table{0, static_cast<std::uint32_t>(used)};
  std::memcpy(frame.data(), table.data(), sizeof(table));
  frame.resize((table_words + used) * sizeof(capnp::word));
  return frame;
}

template <typename List>
auto get_pairs(const List& in, wire::Checks& checks, std::size_t most) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs(
      checks.count(in, "more parameters or values than allowed", limits::parameters));
  for (unsigned place = 0; place < pairs.size(); ++place) {
    pairs[place] = {checks.text(in[place].getName(), limits::name_length, "a parameter's name over 64 bytes"),
                    checks.text(in[place].getValue(), most, "a parameter over its size limit")};
  }
  return pairs;
}
template <typename List>
std::vector<ByteView> get_cids(const List& in, wire::Checks& checks) {
  std::vector<ByteView> cids(checks.count(in, "more than 256 CIDs", limits::inputs));
  for (unsigned place = 0; place < cids.size(); ++place)
    cids[place] = checks.data(in[place], limits::cid_length, "a CID over 200 bytes");
  return cids;
}

// A task's bytes may start anywhere in a frame or a page: those that do not lie as words must are copied.
template <typename Value, typename Root, typename Get>
Result<Decoded<Value>> decode(ByteView bytes, std::size_t most, const char* what, Get get) {
  if (bytes.empty() || bytes.size() > most || bytes.size() % sizeof(capnp::word) != 0) {
    return fault(FaultKind::BadData, std::string(what) + " is damaged: its size cannot be right");
  }
  const std::size_t count = bytes.size() / sizeof(capnp::word);
  std::unique_ptr<std::uint64_t[]> words;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % sizeof(capnp::word) != 0) {
    words = std::make_unique_for_overwrite<std::uint64_t[]>(count);
    std::memcpy(words.get(), bytes.data(), bytes.size());
  }
  const void* const start = words == nullptr ? static_cast<const void*>(bytes.data()) : words.get();
  try {
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 4 * count + 64;
    options.nestingLimit = 8;
    capnp::FlatArrayMessageReader reader({static_cast<const capnp::word*>(start), count}, options);
    wire::Checks checks;
    Value value = get(reader.getRoot<Root>(), checks);
    if (checks.problem() != nullptr)
      return fault(FaultKind::BadData, std::string(what) + " holds " + checks.problem());
    return Decoded<Value>(std::move(words), std::move(value));
  } catch (const kj::Exception& exception) {
    return fault(FaultKind::BadData, std::string(what) + " is damaged: " + exception.getDescription().cStr());
  }
}

}  // namespace

Bytes encode_work(const Work& work) {
  const std::size_t words =
      words_of(work.inputs) + words_of(work.parameters) + words_of(work.traceparent.size() + 1);
  return encode<schema::Work>(words, [&](auto root) {
    put_data(root.initInputs(static_cast<unsigned>(work.inputs.size())), work.inputs);
    put_pairs(root.initParameters(static_cast<unsigned>(work.parameters.size())), work.parameters);
    if (!work.traceparent.empty()) root.setTraceparent(wire::text_of(work.traceparent));
  });
}

Bytes encode_result(const TaskResult& result) {
  return encode<schema::TaskResult>(words_of(result.cids) + words_of(result.values), [&](auto root) {
    put_data(root.initCids(static_cast<unsigned>(result.cids.size())), result.cids);
    put_pairs(root.initValues(static_cast<unsigned>(result.values.size())), result.values);
  });
}

Result<Decoded<Work>> decode_work(ByteView bytes) {
  return decode<Work, schema::Work>(
      bytes, limits::payload_bytes, "the task's work", [](schema::Work::Reader in, wire::Checks& checks) {
        return Work{get_cids(in.getInputs(), checks),
                    get_pairs(in.getParameters(), checks, limits::payload_bytes),
                    checks.text(in.getTraceparent(), traceparent_length, "a traceparent over 55 bytes")};
      });
}

Bytes asked_by(ByteView work) {
  const auto decoded = decode_work(work);
  return decoded ? encode_work({(*decoded)->inputs, (*decoded)->parameters}) : to_bytes(work);
}

Result<Decoded<TaskResult>> decode_result(ByteView bytes) {
  return decode<TaskResult, schema::TaskResult>(
      bytes, limits::result_bytes, "the task's result",
      [](schema::TaskResult::Reader in, wire::Checks& checks) {
        return TaskResult{get_cids(in.getCids(), checks),
                          get_pairs(in.getValues(), checks, limits::result_bytes)};
      });
}

}  // namespace cidbus
