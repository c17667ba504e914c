#include "broker/consensus/office_holder.h"

#include "shared/base/ensure.h"

namespace cidbus {

OfficeHolder::OfficeHolder(Epoch highest_epoch, LogIndex last, Durability durability)
    : durability_(durability), epoch_{highest_epoch.value + 1}, last_(last), durable_(last) {}

void OfficeHolder::on_vote_persisted(Epoch epoch) {
  ENSURE(epoch == epoch_ && stage_ == Stage::Starting, "epoch", epoch.value, "own", epoch_.value);
  stage_ = Stage::Opening;
}

void OfficeHolder::on_open_appended(LogIndex index) {
  ENSURE(stage_ == Stage::Opening && !open_, "index", index.value);
  open_ = index;
  on_appended(index);
}

void OfficeHolder::on_appended(LogIndex last) {
  ENSURE(last >= last_, "last", last.value, "before", last_.value);
  ENSURE(open_.has_value(), "appended before OPEN", last.value);
  last_ = last;
  advance_commit();
}

void OfficeHolder::on_persisted(LogIndex last) {
  ENSURE(last >= durable_ && last <= last_, "persisted", last.value, "durable", durable_.value, "last",
         last_.value);
  durable_ = last;
  advance_commit();
}

void OfficeHolder::advance_commit() {
  const LogIndex held = durability_ == Durability::Memory ? last_ : durable_;
  if (!open_ || held < *open_) return;
  commit_ = held;
  stage_ = Stage::Serving;
}

}  // namespace cidbus
