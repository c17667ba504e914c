// Blocks on disk, in RocksDB: the embedded store of a worker.
//
// The blocks stand in blob files, so that compaction moves keys and never content; their sizes in a family of
// their own, so that keys can be counted and listed without reading a block. No compression: content that
// compresses is rare, and the gateway sends what is here.
//
// Invariants
//  1. A put is one synced write; what was answered Stored survives kill -9 and power loss.
//  2. A disk that fills up costs no acknowledged block: puts are answered NoRoom, with the reason, while
//     less than reserve_bytes would stay free or RocksDB has stopped writing, and are taken again once
//     there is room. Nothing is ever written to a log after a write to it has failed: the database is
//     opened anew.
//  3. One process at a time has a folder.
//  4. Memory: write buffers of at most limits::store_write_buffers, a table cache of 8 MiB, and what
//     callers hold.
//
// Thread rule: any thread. Puts wait for each other while they write, not while they hash. What for_each
// visits with must not put or remove. Limits: capacity_bytes; limits::store_write_bytes in one synced write,
// a larger put is several.
#pragma once

#include <memory>

#include "shared/base/limits/exchange.h"
#include "shared/store/disk_store.h"

namespace cidbus {

// TryAgain when another process has it, BadData when it is damaged, Failed when the folder cannot be used;
// each one line that says what to do.
Result<std::unique_ptr<BlockStore>> open_rocksdb_store(DiskStoreOptions options);

}  // namespace cidbus
