#include "shared/wire/work.h"

#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstring>

#include "shared/base/limits/words.h"
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

Bytes to_frame(capnp::MessageBuilder& builder) {
  const auto words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asBytes();
  return {bytes.begin(), bytes.end()};
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

// The bytes are copied to words of their own: a task's bytes start anywhere in a frame or a page.
template <typename Value, typename Root, typename Get>
Result<Decoded<Value>> decode(ByteView bytes, std::size_t most, const char* what, Get get) {
  if (bytes.empty() || bytes.size() > most || bytes.size() % sizeof(capnp::word) != 0) {
    return fault(FaultKind::BadData, std::string(what) + " is damaged: its size cannot be right");
  }
  const std::size_t count = bytes.size() / sizeof(capnp::word);
  auto words = std::make_unique<std::uint64_t[]>(count);
  std::memcpy(words.get(), bytes.data(), bytes.size());
  try {
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 4 * count + 64;
    options.nestingLimit = 8;
    capnp::FlatArrayMessageReader reader({reinterpret_cast<const capnp::word*>(words.get()), count}, options);
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
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<schema::Work>();
  put_data(root.initInputs(static_cast<unsigned>(work.inputs.size())), work.inputs);
  put_pairs(root.initParameters(static_cast<unsigned>(work.parameters.size())), work.parameters);
  return to_frame(builder);
}

Bytes encode_result(const TaskResult& result) {
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<schema::TaskResult>();
  put_data(root.initCids(static_cast<unsigned>(result.cids.size())), result.cids);
  put_pairs(root.initValues(static_cast<unsigned>(result.values.size())), result.values);
  return to_frame(builder);
}

Result<Decoded<Work>> decode_work(ByteView bytes) {
  return decode<Work, schema::Work>(
      bytes, limits::payload_bytes, "the task's work", [](schema::Work::Reader in, wire::Checks& checks) {
        return Work{get_cids(in.getInputs(), checks),
                    get_pairs(in.getParameters(), checks, limits::payload_bytes)};
      });
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
