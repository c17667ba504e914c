// Blocks on disk, in append-only packs: each block is written once, synced together with the others of its
// put, and found by an index in memory.
//
// A removal is a record too. A pack of which less than half is still wanted is emptied into the newest one
// and deleted; a removal goes along as long as an older pack may hold what it removed.
//
// Invariants
//  1. A put is one synced write; what was answered Stored survives kill -9 and power loss. What a crash
//     leaves of an unsynced write is cut off when the folder is opened.
//  2. A damaged block is told as BadData by get(), and costs no other block.
//  3. A disk that fills up costs no acknowledged block: puts are answered NoRoom, with the reason, and
//     are taken again once there is room.
//  4. One process at a time has a folder.
//  5. The disk holds at most twice the wanted bytes and a pack, once as many removals have come as packs
//     need them; a remove() empties one pack that is partly wanted, and deletes all that are not wanted
//     at all.
//
// Thread rule: any thread. Puts wait for each other while they write, not while they hash; a get waits for
// nobody. Limits: capacity_bytes; limits::store_write_bytes in one synced write; about 130 bytes of memory a
// block.
#pragma once

#include <memory>

#include "shared/base/limits/exchange.h"
#include "shared/store/disk_store.h"

namespace cidbus {

inline constexpr const char* pack_lock_file = "packs.lock";  // held by who has the folder

// TryAgain when another process has it, Failed when the folder cannot be used; each one line that says what
// to do. `pack_bytes`: a pack that would grow past it, or past a quarter of the capacity, is followed by
// another.
Result<std::unique_ptr<BlockStore>> open_pack_store(DiskStoreOptions options,
                                                    ByteCount pack_bytes = limits::pack_bytes);

}  // namespace cidbus
