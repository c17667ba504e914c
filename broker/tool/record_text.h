// A record as a line that people read and grep: "12 epoch=3 time=2026-11-26T08:00:00.000Z SUBMIT task=...
// type=echo".
//
// Thread rule: a function. Limits: none; texts are cut to a line.
#pragma once

#include <string>

#include "broker/journal/batch.h"

namespace cidbus {

// One of a type or version that this build does not know shows its number and size.
std::string to_text(const RecordView& record, Epoch epoch);

}  // namespace cidbus
