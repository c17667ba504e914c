#include "broker/consensus/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/journal/batch_builder.h"
#include "shared/base/ensure.h"

namespace cidbus::group {
namespace {

LogPosition position_from(const std::string& text) {
  const auto slash = text.find('/');
  ENSURE(slash != std::string::npos, text);
  return {{std::stoull(text.substr(0, slash))}, {std::stoull(text.substr(slash + 1))}};
}

std::string text_of(const LogPosition& position) {
  return std::to_string(position.epoch.value) + "/" + std::to_string(position.index.value);
}

std::string text_of(const SharedBatch& batch) {
  const auto header = peek_batch_header(*batch);
  return text_of(LogPosition{header->epoch, header->first}) + "-" + std::to_string(header->last().value);
}

std::string text_of(const StateDigest& digest) {
  return "state " + std::to_string(digest.index.value) + "/" + std::to_string(digest.low);
}

template <typename Value>
Value read(std::istringstream& words) {
  Value value{};
  words >> value;
  ENSURE(!words.fail(), "a word is missing");
  return value;
}
LogPosition read_position(std::istringstream& words) { return position_from(read<std::string>(words)); }
LogIndex read_index(std::istringstream& words) { return {read<std::uint64_t>(words)}; }
StateDigest read_state(std::istringstream& words) {
  const LogPosition told = read_position(words);
  return {LogIndex{told.epoch.value}, told.index.value, 0};
}

}  // namespace

Transcript::Transcript(const std::string& self, Epoch epoch, const std::vector<std::string>& journal,
                       std::size_t brokers, Durability durability, bool repairing, bool is_new) {
  std::vector<Member> members;
  for (std::size_t at = 1; at <= brokers; ++at)
    members.push_back(
        {"b" + std::to_string(at), "h:" + std::to_string(at), static_cast<std::int32_t>(4 - at)});
  GroupConfig config(members, self);
  config.durability = durability;
  LogWindow log{ChainEnd{}};
  for (const std::string& text : journal) {
    const bool damaged = text.back() == '!';
    const auto header = peek_batch_header(*batch_of(damaged ? text.substr(0, text.size() - 1) : text));
    if (damaged) {
      log.recovered_hole({header->first, position_of(header->end()), header->crc});
    } else {
      log.recovered(header->end());
    }
  }
  const LogIndex applied = brokers == 1 ? log.last().index : LogIndex{};
  group.emplace(config, GroupStart{epoch, nobody, std::move(log), applied, repairing, is_new}, now, Prng(1));
}

// A batch follows the newest made one that ends where it begins.
SharedBatch Transcript::batch_of(const std::string& text) {
  const auto dash = text.find('-');
  const LogPosition first = position_from(text.substr(0, dash));
  const std::uint64_t last = std::stoull(text.substr(dash + 1));
  ChainEnd before{{first.index.value - 1}, {}, 0};
  for (const SharedBatch& batch : made_) {
    const auto header = peek_batch_header(*batch);
    if (header->first == first.index && header->epoch == first.epoch && header->last().value == last)
      return batch;
    if (header->last() == before.last && header->epoch <= first.epoch) before = header->end();
  }
  BatchBuilder builder(first.epoch, before);
  for (std::uint64_t index = first.index.value; index <= last; ++index) builder.append(1, 1, {}, {});
  made_.push_back(builder.seal());
  return made_.back();
}

std::string Transcript::name_of(Seat seat) const {
  return seat == nobody ? "nobody" : group->config().at(seat).name;
}

std::string Transcript::play(std::string_view scene) {
  std::istringstream lines{std::string(scene)};
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == ' ') continue;
    all += line + "\n" + event(line);
  }
  return all;
}

std::string Transcript::event(const std::string& line) {
  said_.clear();
  std::istringstream words(line);
  const auto first = read<std::string>(words);
  if (first == "wait") {
    wait(read<long>(words));
  } else if (first == "disk") {
    disk(read<std::string>(words));
  } else if (first == "propose") {
    propose(read<std::size_t>(words));
  } else if (first == "full" || first == "room") {
    step(RoomKnown{first == "full"});
  } else if (first == "apply") {
    apply(words);
  } else if (first == "state") {
    step(StatePassed{read_state(words)});
  } else if (first == "read") {
    const std::uint64_t round = group->ask_read(now, effects_);
    said_ += "  waits for round " + std::to_string(round) + "\n";
    say();
  } else {
    const auto seat = group->config().find(first);
    ENSURE(seat.has_value(), "no such event", line);
    message(*seat, read<std::string>(words), words);
  }
  return said_;
}

void Transcript::step(Input input) {
  group->step(now, std::move(input), effects_);
  say();
}

void Transcript::say() {
  const Effects done = std::exchange(effects_, {});
  for (const Effect& effect : done.all()) {
    const std::string text = text_of(effect);
    if (!text.empty()) said_ += "  " + text + "\n";
  }
}

void Transcript::wait(long milliseconds) {
  const Monotonic until = now + std::chrono::milliseconds(milliseconds);
  while (true) {
    const auto deadline = group->deadline();
    if (!deadline || *deadline > until) break;
    now = std::max(now, *deadline);
    step(Tick{});
  }
  now = until;
}

void Transcript::disk(const std::string& what) {
  if (what == "vote") {
    ENSURE(vote_.has_value());
    step(VoteWritten{vote_->epoch, vote_->voted});
  } else if (what == "batches") {
    ENSURE(written_.has_value());
    step(BatchesWritten{*written_});
  } else if (what == "hole") {
    ENSURE(refilled_.has_value());
    step(HoleRefilled{*refilled_});
  } else if (what == "repaired") {
    step(RepairedWritten{});
  } else {
    step(CutDone{});
  }
}

void Transcript::propose(std::size_t records) {
  const LogPosition last = group->log().last();
  const std::string text = cidbus::group::text_of(LogPosition{group->epoch(), next(last.index)}) + "-" +
                           std::to_string(last.index.value + records);
  step(Proposed{batch_of(text)});
}

void Transcript::apply(std::istringstream& words) {
  std::vector<SharedBatch> on_disk;
  for (std::string text; words >> text;) on_disk.push_back(batch_of(text));
  if (!on_disk.empty()) {
    const LogIndex from = peek_batch_header(*on_disk.front())->first;
    ENSURE(group->take_committed(1, effects_).empty() && !effects_.all().empty(), "nothing is read");
    effects_ = {};
    step(BatchesRead{ReadFor::Applying, nobody, from, std::move(on_disk)});
  }
  for (const SharedBatch& batch : group->take_committed(SIZE_MAX, effects_)) {
    const auto header = peek_batch_header(*batch);
    said_ += "  applied to " + std::to_string(header->last().value) + "\n";
  }
}

void Transcript::message(Seat from, const std::string& name, std::istringstream& words) {
  if (name == "gone") return step(Disconnected{from});
  if (name == "back") return step(Connected{from});
  Epoch epoch = group->epoch();
  if (name != "ELECTION" && name != "OK" && name != "AYE" && name != "NAY")
    epoch = {std::stoull(read<std::string>(words).substr(1))};
  const auto rank = [&] {
    const LogPosition log = read_position(words);
    return Rank{log, read<std::int32_t>(words), from};
  };
  const auto batches = [&] {
    std::vector<SharedBatch> read_ones;
    for (std::string text; words >> text;) read_ones.push_back(batch_of(text));
    return read_ones;
  };
  std::string extra;
  if (name == "ELECTION") {
    const auto round = read<std::uint64_t>(words);
    const Rank asker = rank();
    return step(Received{from, epoch, ElectionMessage{round, asker, asker.log, bool(words >> extra)}});
  }
  if (name == "OK" || name == "AYE" || name == "NAY") {
    const auto round = read<std::uint64_t>(words);
    const Rank answerer = rank();
    if (name == "OK") return step(Received{from, epoch, Ok{round, answerer}});
    if (name == "AYE") return step(Received{from, epoch, Aye{round, answerer}});
    const NayWhy why = words >> extra ? NayWhy::Stale : NayWhy::LeaderAlive;
    return step(Received{from, epoch, Nay{round, why, answerer, nobody}});
  }
  if (name == "VOTE_REQ") {
    VoteRequest request{read_position(words), 1, 0};
    if (words >> extra) request.token = read<std::uint64_t>(words);
    return step(Received{from, epoch, request});
  }
  if (name == "VOTE") {
    const bool granted = read<std::string>(words) == "granted";
    return step(Received{from, epoch, Vote{candidacy_, granted, {}}});
  }
  if (name == "BEAT") {
    const LogIndex commit = read_index(words);
    Beat beat{commit, 0, 0, read_position(words), {}, false};
    if (words >> extra) beat.state = read_state(words);
    beat.state_counts = bool(words >> extra);
    return step(Received{from, epoch, beat});
  }
  if (name == "BEAT_ACK") {
    BeatAck ack{0, beat_sent_, read_index(words), 0, {}, false};
    while (words >> extra) {
      if (extra == "round") ack.read_round = read<std::uint64_t>(words);
      if (extra == "state") ack.state = read_state(words);
      ack.wants_state = extra == "wants";
    }
    return step(Received{from, epoch, ack});
  }
  if (name == "APPEND") {
    const LogPosition prev = read_position(words);
    const LogIndex commit = read_index(words);
    return step(Received{from, epoch, Append{prev, commit, batches()}});
  }
  if (name == "APPEND_ACK") {
    const auto match = read<std::string>(words);
    if (match == "reject") {
      const LogIndex prev = read_index(words);
      return step(Received{from, epoch, AppendAck{false, false, prev, {}, {}, read_position(words)}});
    }
    const LogIndex durable = read_index(words);
    return step(Received{from, epoch, AppendAck{true, false, asked_, {std::stoull(match)}, durable, {}}});
  }
  if (name == "FETCH") return step(Received{from, epoch, Fetch{read_position(words), {}}});
  if (name == "HOLES") {
    FetchData data{{}, {}, true, false, {}, fetch_round_, false};
    for (std::string text; words >> text;) {
      data.freed = text == "freed";
      data.damaged = text == "damaged";
      if (!data.freed && !data.damaged) data.batches.push_back(batch_of(text));
    }
    return step(Received{from, epoch, std::move(data)});
  }
  if (name == "WANTS") {
    Fetch fetch{{}, {}, 7};
    for (const SharedBatch& batch : batches()) {
      const auto header = peek_batch_header(*batch);
      fetch.holes.push_back({header->first, position_of(header->end()), header->crc});
    }
    return step(Received{from, epoch, std::move(fetch)});
  }
  if (name == "REPAIR_REQ") return step(Received{from, epoch, RepairRequest{7}});
  if (name == "GOAL") {
    const LogIndex goal = read_index(words);
    return step(Received{from, epoch, RepairGoal{words >> extra ? nonce_ + 1 : nonce_, goal}});
  }
  ENSURE(name == "FETCH_DATA", name);
  const LogPosition prev = read_position(words);
  const LogPosition last = read_position(words);
  step(Received{from, epoch, FetchData{prev, last, false, false, batches(), 0, false}});
}

std::string Transcript::text_of(const GroupMessage& message) const {
  std::string text(cidbus::group::name_of(message));
  const auto add = [&](const std::string& more) { text += " " + more; };
  const auto batches = [&](const std::vector<SharedBatch>& all) {
    for (const SharedBatch& batch : all) add(cidbus::group::text_of(batch));
  };
  if (const auto* asked = std::get_if<ElectionMessage>(&message)) {
    add(cidbus::group::text_of(asked->rank.log) + " prio " + std::to_string(asked->rank.priority));
    if (asked->insist) add("insists");
  } else if (const auto* nay = std::get_if<Nay>(&message)) {
    static constexpr std::array<const char*, 3> reasons = {"leader alive", "stale", "unfit"};
    add(reasons[static_cast<std::size_t>(nay->why)]);
  } else if (const auto* request = std::get_if<VoteRequest>(&message)) {
    add(cidbus::group::text_of(request->log));
  } else if (const auto* vote = std::get_if<Vote>(&message)) {
    add(vote->granted ? "granted" : "refused");
  } else if (const auto* beat = std::get_if<Beat>(&message)) {
    add("commit " + std::to_string(beat->commit.value));
    if (beat->read_round > 0) add("round " + std::to_string(beat->read_round));
    if (beat->state.index != LogIndex{}) add(cidbus::group::text_of(beat->state));
    if (beat->state_counts) add("counts");
  } else if (const auto* ack = std::get_if<BeatAck>(&message)) {
    add("durable " + std::to_string(ack->durable.value));
    if (ack->state.index != LogIndex{}) add(cidbus::group::text_of(ack->state));
    if (ack->wants_state) add("wants a state");
  } else if (const auto* append = std::get_if<Append>(&message)) {
    add("behind " + cidbus::group::text_of(append->prev) + " commit " + std::to_string(append->commit.value));
    batches(append->batches);
  } else if (const auto* told = std::get_if<AppendAck>(&message)) {
    add(told->ok
            ? "match " + std::to_string(told->match.value) + " durable " + std::to_string(told->durable.value)
            : "no, holds " + cidbus::group::text_of(told->hint));
    if (told->disk_full) add("disk full");
    if (told->provisional) add("provisional");
  } else if (const auto* wanted = std::get_if<Fetch>(&message); wanted != nullptr && !wanted->holes.empty()) {
    add("holes");
    for (const BatchIdentity& hole : wanted->holes)
      add(cidbus::group::text_of(LogPosition{hole.last.epoch, hole.first}) + "-" +
          std::to_string(hole.last.index.value));
  } else if (const auto* found = std::get_if<FetchData>(&message); found != nullptr && found->of_holes) {
    add(found->freed             ? "of holes, freed"
        : found->damaged         ? "of holes, damaged too"
        : found->batches.empty() ? "of holes, not held"
                                 : "of holes");
    batches(found->batches);
  } else if (const auto* goal = std::get_if<RepairGoal>(&message)) {
    add(std::to_string(goal->goal.value));
  } else if (const auto* fetch = std::get_if<Fetch>(&message)) {
    add("behind " + cidbus::group::text_of(fetch->after));
  } else if (const auto* data = std::get_if<FetchData>(&message)) {
    add("behind " + cidbus::group::text_of(data->prev) + " of " + cidbus::group::text_of(data->last));
    batches(data->batches);
  }
  return text;
}

std::string Transcript::text_of(const Effect& effect) {
  if (const auto* send = std::get_if<Send>(&effect)) {
    if (const auto* request = std::get_if<VoteRequest>(&send->message)) candidacy_ = request->candidacy;
    if (const auto* beat = std::get_if<Beat>(&send->message)) beat_sent_ = beat->sent;
    if (const auto* fetch = std::get_if<Fetch>(&send->message)) fetch_round_ = fetch->round;
    if (const auto* request = std::get_if<RepairRequest>(&send->message)) nonce_ = request->nonce;
    if (const auto* append = std::get_if<Append>(&send->message)) asked_ = append->prev.index;
    return "to " + name_of(send->to) + " e" + std::to_string(send->epoch.value) + ": " +
           text_of(send->message);
  }
  if (const auto* vote = std::get_if<WriteVote>(&effect)) {
    vote_ = *vote;
    return "write vote e" + std::to_string(vote->epoch.value) + " for " + name_of(vote->voted) +
           (vote->founds ? ", founding" : "");
  }
  if (const auto* write = std::get_if<WriteBatch>(&effect)) {
    written_ = peek_batch_header(*write->batch)->end();
    return "write " + cidbus::group::text_of(write->batch) + " office " + std::to_string(write->office.value);
  }
  if (const auto* to_cut = std::get_if<CutFrom>(&effect))
    return "cut from " + std::to_string(to_cut->from.value);
  if (const auto* refill = std::get_if<RefillHole>(&effect)) {
    refilled_ = peek_batch_header(*refill->batch)->end();
    return "refill " + cidbus::group::text_of(refill->batch);
  }
  if (std::holds_alternative<WriteRepaired>(effect)) return "write repaired";
  if (const auto* wanted = std::get_if<TakeSnapshot>(&effect))
    return "take a snapshot of " + std::to_string(wanted->at_least.value);
  if (const auto* reading = std::get_if<ReadBatches>(&effect))
    return "read from " + std::to_string(reading->from.value);
  if (const auto* office = std::get_if<TakeOffice>(&effect))
    return "take office e" + std::to_string(office->epoch.value);
  if (const auto* left = std::get_if<LeaveOffice>(&effect))
    return "leave office e" + std::to_string(left->epoch.value) + ": " + std::string(to_text(left->why));
  if (const auto* known = std::get_if<LeaderKnown>(&effect)) return "leader " + name_of(known->leader);
  if (const auto* confirmed = std::get_if<ReadsConfirmed>(&effect))
    return "reads of round " + std::to_string(confirmed->round) + " are confirmed";
  return "";
}

namespace {

TEST(GroupTranscript, GivesBackAWrittenSceneAsItWent) {
  Transcript one("b1", {4}, {"2/1-3", "4/4-5"}, 1, Durability::Disk);
  EXPECT_EQ(one.play("wait 0\n  anything that stood here\n"), "wait 0\n  write vote e5 for b1\n");
}

}  // namespace
}  // namespace cidbus::group
