#include "leecher/status.h"

#include <boost/json.hpp>

#include "client/command/json_writer.h"
#include "shared/base/limits/leecher.h"

namespace cidbus {
namespace {

std::string_view state_word(Outbox::State state) {
  switch (state) {
    case Outbox::State::Waiting:
      return "waiting";
    case Outbox::State::HandedIn:
      return "handed_in";
    case Outbox::State::Refused:
      return "refused";
    case Outbox::State::Cancelled:
      return "cancelled";
  }
  return "";
}

void write_store(JsonWriter& json, std::string_view name, const StoreCounts& counts) {
  json.name(name).open_object().name("blocks").number(counts.blocks).name("bytes").number(counts.bytes);
  json.name("limit").number(counts.capacity_bytes);
}

void write_pins(JsonWriter& json, const std::vector<PinState>& pins) {
  json.name("pins").open_array();
  for (const PinState& pin : pins) {
    json.open_object().name("pin").string(pin.pin.text).name("cids").open_array();
    for (const Cid& cid : pin.cids) json.string(to_text(cid));
    json.close_array().name("whole").boolean(pin.whole);
    json.name("blocks").number(pin.blocks).name("bytes").number(pin.bytes);
    json.name("error").string_or_null(pin.trouble).close_object();
  }
  json.close_array();
}

void write_outbox(JsonWriter& json, const Outbox& outbox, std::string_view trouble) {
  const Outbox::Counts& counts = outbox.counts();
  json.name("outbox").open_object().name("waiting").number(counts.waiting);
  json.name("waiting_bytes").number(counts.waiting_bytes).name("handed_in").number(counts.handed_in);
  json.name("refused").number(counts.refused).name("cancelled").number(counts.cancelled);
  json.name("error").string_or_null(trouble);
  json.name("items").open_array();
  const std::size_t told = std::min(limits::outbox_told, outbox.items().size());
  for (auto at = std::prev(outbox.items().end(), static_cast<std::ptrdiff_t>(told));
       at != outbox.items().end(); ++at) {
    const auto& [number, item] = *at;
    json.open_object().name("id").string(to_text(outbox_item(number))).name("type").string(item.type);
    json.name("state").string(state_word(item.state));
    json.name("task").string_or_null(item.task == TaskId{} ? "" : to_text(item.task));
    json.name("error").string_or_null(item.reason);
    json.name("queued_at").string(to_rfc3339(item.queued_at));
    json.name("settled_at").string_or_null(to_rfc3339(item.settled_at)).close_object();
  }
  json.close_array().close_object();
}

std::string text_of(const boost::json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : std::string();
}
std::string number_of(const boost::json::value& value) { return boost::json::serialize(value); }

std::string with_trouble(const boost::json::value& value) {
  return value.is_string() ? "; " + text_of(value) : std::string();
}

std::string pin_line(const boost::json::value& pin) {
  const bool whole = pin.at("whole").as_bool();
  return "pin       " + text_of(pin.at("pin")) + "  " + (whole ? "whole" : "not whole") + ", " +
         number_of(pin.at("blocks")) + " blocks, " + number_of(pin.at("bytes")) + " bytes" +
         with_trouble(pin.at("error")) + "\n";
}

std::string item_line(const boost::json::value& item) {
  const std::string task = text_of(item.at("task"));
  return "  " + text_of(item.at("id")) + "  " + text_of(item.at("state")) +
         (task.empty() ? "" : " as " + task) + "  " + text_of(item.at("type")) + "  " +
         text_of(item.at("queued_at")) + with_trouble(item.at("error")) + "\n";
}

std::string table_of(const boost::json::value& status) {
  const bool online = status.at("online").as_bool();
  const auto& cache = status.at("cache");
  const auto& added = status.at("added");
  const auto& outbox = status.at("outbox");
  std::string text =
      "leecher   " + text_of(status.at("name")) + " of cluster " + text_of(status.at("cluster"));
  text += "\nbrokers   " +
          (online ? "online, led at " + text_of(status.at("leader")) : std::string("cut off")) + ", since " +
          text_of(status.at("since"));
  text += "\nbus       " + text_of(status.at("listen"));
  text += "\ncache     " + number_of(cache.at("bytes")) + " of " + number_of(cache.at("limit")) + " bytes, " +
          number_of(cache.at("blocks")) + " blocks, " + number_of(cache.at("pinned_bytes")) + " bytes pinned";
  text += "\nadded     " + number_of(added.at("blocks")) + " blocks, " + number_of(added.at("bytes")) +
          " bytes not yet with the workers" + with_trouble(added.at("error"));
  text += "\noutbox    " + number_of(outbox.at("waiting")) + " waiting, " +
          number_of(outbox.at("handed_in")) + " handed in, " + number_of(outbox.at("refused")) +
          " refused, " + number_of(outbox.at("cancelled")) + " cancelled" + with_trouble(outbox.at("error")) +
          "\n";
  for (const auto& item : outbox.at("items").as_array()) text += item_line(item);
  for (const auto& pin : status.at("pins").as_array()) text += pin_line(pin);
  return text;
}

template <typename Reader>
Result<std::string> read_by(Reader reader, std::string_view json) {
  try {
    return reader(boost::json::parse(boost::json::string_view(json.data(), json.size())));
  } catch (const std::exception&) {
    return fault(FaultKind::BadData, "what answers there is no leecher of this version; check --http");
  }
}

}  // namespace

std::string status_json(const LeecherStatus& status, const Outbox& outbox) {
  JsonWriter json;
  json.open_object().name("name").string(status.name).name("cluster").string(status.cluster);
  json.name("online").boolean(status.online).name("since").string(to_rfc3339(status.since));
  json.name("leader").string_or_null(status.leader).name("listen").string(status.listen);
  json.name("exchange").string(status.exchange);
  write_store(json, "cache", status.cache);
  json.name("pinned_bytes").number(status.kept_bytes).close_object();
  write_store(json, "added", status.added);
  json.name("error").string_or_null(status.added_trouble).close_object();
  write_outbox(json, outbox, status.outbox_trouble);
  write_pins(json, status.pins);
  return json.close_object().text();
}

Result<std::string> status_table(std::string_view json) { return read_by(table_of, json); }
Result<std::string> status_name(std::string_view json) {
  return read_by([](const auto& status) { return text_of(status.at("name")) + "\n"; }, json);
}

}  // namespace cidbus
