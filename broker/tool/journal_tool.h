// What a person does with the data folder of a broker that does not run: verify it, look into it, repair it.
//
//   verify   reads everything and names each damage; changes nothing
//   dump     a line a record, in the order of the journal; what is damaged is named in its place; changes
//            nothing
//   repair   from a copy of another broker of the group: puts back exactly the batches that are damaged.
//            With `cut`: what can be read without a gap from the newest whole snapshot on becomes the
//            journal; the rest is lost, and all that was there is kept under names that end in .damaged
//
// Faults: BadData, something is damaged (and was printed); TryAgain, a broker runs on the folder; BadUsage,
// it is no broker's folder.
//
// Thread rule: functions; calls block. Limits: memory for one segment's batches.
#pragma once

#include <functional>
#include <string>

#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/io/file_system.h"

namespace cidbus {

using PrintLine = std::function<void(const std::string&)>;

Status verify_journal(FileSystem& files, const std::string& folder, const PrintLine& print);
// Records `from` to `to`, both included.
Status dump_journal(FileSystem& files, const std::string& folder, LogIndex from, LogIndex to,
                    const PrintLine& print);
Status repair_journal(FileSystem& files, const std::string& folder, const std::string& copy,
                      const PrintLine& print);
Status cut_journal(FileSystem& files, const std::string& folder, const PrintLine& print);

}  // namespace cidbus
