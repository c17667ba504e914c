#include "shared/base/limits/members.h"

#include "shared/wire/values.h"

namespace cidbus::wire {

void put(capnp::List<schema::Label>::Builder out, const Labels& labels) {
  for (unsigned place = 0; place < out.size(); ++place) {
    out[place].setKey(text_of(labels[place].first));
    out[place].setValue(text_of(labels[place].second));
  }
}

Labels get(capnp::List<schema::Label>::Reader in, Checks& checks) {
  Labels labels(checks.count(in, "too many labels", limits::labels_a_node));
  for (unsigned place = 0; place < labels.size(); ++place) {
    labels[place] = {checks.name(in[place].getKey(), "a label's key that is not a name"),
                     checks.name(in[place].getValue(), "a label's value that is not a name")};
    checks.require(!labels[place].first.empty(), "a label without a key");
  }
  return labels;
}

void put(schema::MemberHistory::Builder out, const MemberHistory& history) {
  out.setRequest(history.request.value);
  auto changes = out.initChanges(static_cast<unsigned>(history.changes.size()));
  for (unsigned place = 0; place < changes.size(); ++place) {
    const MemberChange& change = history.changes[place];
    auto to = changes[place];
    to.setNumber(change.number);
    to.setAt(change.at.milliseconds);
    to.setName(text_of(change.name));
    to.setRole(static_cast<schema::Role>(change.role));
    to.setIncarnation(change.incarnation.value);
    to.setFrom(static_cast<schema::MemberState>(change.from));
    to.setTo(static_cast<schema::MemberState>(change.to));
  }
  out.setMore(history.more);
  out.setEpoch(history.epoch.value);
}

MemberHistory get(schema::MemberHistory::Reader in, Checks& checks) {
  MemberHistory history;
  history.request = {in.getRequest()};
  const auto changes = in.getChanges();
  history.changes.resize(checks.count(changes, "too many changes of members", limits::member_changes_kept));
  for (unsigned place = 0; place < history.changes.size(); ++place) {
    const auto from = changes[place];
    history.changes[place] = {from.getNumber(),
                              WallTime{from.getAt()},
                              checks.name(from.getName(), "a member's name that is not a name"),
                              checks.pick(from.getRole(), Role::Client, "an unknown role"),
                              Incarnation{from.getIncarnation()},
                              checks.pick(from.getFrom(), MemberState::Dead, "an unknown member state"),
                              checks.pick(from.getTo(), MemberState::Dead, "an unknown member state")};
  }
  history.more = in.getMore();
  history.epoch = {in.getEpoch()};
  return history;
}

}  // namespace cidbus::wire
