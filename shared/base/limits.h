// Every bound of the project, in one place: whatever can grow stops at one of these, and says so to whom it
// stops.
//
// The unit is in the name or in the comment. A limit that arrives from outside (message size, lengths) is
// checked once, in shared/wire; a limit of the state (sessions, tasks) is checked at admission, before
// anything is journaled.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

using namespace std::chrono_literals;

// Words.
inline constexpr std::size_t name_length = 64;  // characters of a node, cluster, task type or parameter name
inline constexpr std::size_t endpoint_length = 256;  // characters of host:port
inline constexpr std::size_t text_length = 4096;     // bytes of an error or reason; longer ones are cut
inline constexpr std::size_t key_length = 256;       // bytes of an idempotency key
inline constexpr std::size_t cid_length =
    288;  // characters of a CID in text (cid_bytes in hexadecimal), checked before decoding: base58 is O(n^2)
inline constexpr std::size_t cid_bytes =
    140;  // bytes of a binary CID: an identity digest of 128 and its head

// Messages.
inline constexpr std::size_t message_bytes = 8 << 20;  // one frame on any socket (ZMQ_MAXMSGSIZE)
inline constexpr std::size_t items_a_message = 4096;   // items of one list in a message
inline constexpr std::size_t batch_bytes = 1 << 20;    // a batch of records (CONSENSUS R5)
inline constexpr std::size_t batch_records = 4096;     // records in one batch (CONSENSUS R5)

// Tasks.
inline constexpr std::size_t payload_bytes = 256 << 10;  // a task's inputs and parameters, encoded
inline constexpr std::size_t result_bytes = 64 << 10;    // a result's CIDs and inline values, encoded
inline constexpr std::size_t inputs = 256;               // input CIDs of a task
inline constexpr std::size_t parameters = 64;            // parameters of a task
inline constexpr std::size_t task_types = 4096;          // distinct task types a cluster has seen
inline constexpr std::size_t workers = 16384;            // distinct worker names a cluster has seen
inline constexpr std::size_t members = 4000;      // nodes in the membership table, departed ones included
inline constexpr std::size_t tasks = 50'000'000;  // tasks held by a broker, in any state
inline constexpr std::size_t sessions = 100'000;  // open sessions
inline constexpr std::size_t finished_kept =
    100'000;  // finished tasks kept for `task show` once their results are acknowledged
inline constexpr std::uint64_t finished_kept_bytes = 256ULL << 20;  // likewise, in bytes
inline constexpr std::uint64_t session_window =
    16384;  // seqs a session may be ahead of its low_water; a client's unanswered submissions
inline constexpr std::uint64_t results_kept_bytes =
    1ULL << 30;  // results and keys kept for clients; past it submissions are refused
inline constexpr unsigned tries_max = 100;
inline constexpr unsigned lost_attempts = 20;  // attempts that may end with their worker; then the task fails
inline constexpr std::size_t echoes_a_task = 1024;  // later submissions with its key that are owed its result
inline constexpr std::uint64_t task_state_bytes = 16ULL << 30;  // memory of the task state
inline constexpr std::uint64_t window_bytes = 512ULL << 20;     // of it, for what sessions know by seq
inline constexpr std::size_t submissions_on_the_way = 65'536;   // proposed, not yet applied
inline constexpr std::uint64_t submission_bytes_on_the_way = 64ULL << 20;  // likewise
inline constexpr std::uint64_t results_pushed = 8192;             // to a session, not yet acknowledged
inline constexpr std::uint64_t result_bytes_pushed = 8ULL << 20;  // likewise, about
inline constexpr std::size_t waiters = 100'000;            // questions that wait for a task to be final
inline constexpr std::size_t cancels_on_the_way = 65'536;  // proposed, not yet applied
inline constexpr std::uint32_t tasks_a_worker = 4000;      // granted to or held by one worker; fits one hello

// Content.
inline constexpr std::size_t block_bytes = 2 << 20;        // one block, as Bitswap and CAR bound it
inline constexpr std::size_t indexed_blocks = 20'000'000;  // blocks whose holders a broker knows
inline constexpr std::size_t dag_depth = 64;               // levels of a DAG followed from a root
inline constexpr std::size_t hamt_fanout = 1024;           // CVE-2023-23625
inline constexpr std::size_t digest_bytes = 128;           // of a multihash; identity included (IPIP-512)
inline constexpr std::size_t node_links =
    65536;  // links of one dag-pb node; a full block of real ones has 47,000
inline constexpr std::size_t dag_blocks = 4'000'000;  // blocks one walk of a DAG gives: 4 TiB at 1 MiB each
inline constexpr std::size_t directory_entries = 1'000'000;  // entries of one directory built here
inline constexpr std::size_t entry_name_bytes = 255;         // of a directory entry built here, as in Linux
inline constexpr std::size_t path_bytes = 4096;  // a path below a CID, or a symlink's target built here
inline constexpr std::size_t prefetch_bytes = 16 << 20;   // content asked for ahead of a reader
inline constexpr std::size_t prefetch_blocks = 64;        // blocks asked for ahead where sizes are not known
inline constexpr std::size_t car_header_bytes = 1 << 20;  // of a CAR v1: about 25,000 roots

// Block stores and the block exchange.
inline constexpr std::size_t store_write_buffers = 64 << 20;  // kept by RocksDB before it writes a blob file
inline constexpr std::size_t store_write_bytes = 16 << 20;    // blocks in one synced write
inline constexpr std::size_t serve_peer_bytes = 8 << 20;      // blocks on their way to one peer
inline constexpr std::size_t serve_bytes = 64 << 20;          // blocks on their way to all peers
inline constexpr std::size_t serve_wants = 1024;          // blocks one peer has asked for and not been sent
inline constexpr std::size_t serve_peers = 4096;          // peers with such blocks
inline constexpr std::size_t fetch_bytes = 16 << 20;      // blocks a node has asked for and not been sent
inline constexpr std::size_t fetch_peer_bytes = 4 << 20;  // the same of one peer; below serve_peer_bytes
inline constexpr std::size_t fetch_peer_blocks = 64;      // the same, counted
inline constexpr std::size_t fetch_wants = 4096;          // blocks a node wants at once, hints included
inline constexpr std::size_t store_bytes = 32 << 20;      // blocks handed in and not yet synced elsewhere
inline constexpr std::size_t store_blocks = 4096;         // the same, counted

// Images (process_content).
inline constexpr std::size_t image_bytes = 256 << 20;       // an image file that is read
inline constexpr std::uint64_t image_pixels = 400'000'000;  // of an image, told before it is decoded
inline constexpr std::uint32_t image_side = 16383;  // pixels a side that can be asked for; WebP's bound

// HTTP.
inline constexpr std::size_t http_header_bytes = 16 << 10;   // of a request, its line included; past it 431
inline constexpr std::size_t http_connections = 2000;        // at once; past it the idle ones go, then 503
inline constexpr std::size_t http_path_segments = 64;        // names below a CID in one request; past it 414
inline constexpr std::size_t http_ranges = 16;               // in one Range; of more, the whole is sent
inline constexpr std::size_t http_listing_entries = 10'000;  // of a folder on its page
inline constexpr std::uint64_t http_cache_bytes = 256ULL << 20;  // blocks a gateway keeps in memory
inline constexpr std::size_t gateway_fetchers = 16;              // threads of a gateway that wait for blocks
inline constexpr auto http_idle = 60s;                           // without a byte from or to a client
inline constexpr auto http_head_time = 15s;                      // for a request's line and headers
inline constexpr auto http_fetch_time = 30s;                     // for what a response needs next; then 504
inline constexpr auto http_grace = 5s;                           // for the answer after that
inline constexpr auto http_answer_time =
    http_fetch_time + http_grace;  // for a response to begin, or to go on
inline constexpr auto unknown_block_time =
    2s;                                      // a block that no node is said to hold is waited for; then 404
inline constexpr auto http_drain_time = 2s;  // for responses under way at a stop

// Brokers.
inline constexpr std::size_t peers = 20'000;        // connections that have said hello
inline constexpr std::size_t subscriptions = 1000;  // distinct prefixes subscribed to on a feed
inline constexpr std::uint32_t task_events = 5000;  // single task events a second on the feed
// Records that wait for the disk; past it submissions are refused.
inline constexpr std::size_t unsynced_bytes = 64 << 20;
inline constexpr std::size_t records_a_turn = 8192;       // applied before others get their turn
inline constexpr std::size_t batches_at_disk = 32;        // handed to it and not persisted (CONSENSUS R5)
inline constexpr std::size_t snapshot_rows = 2000;        // rows of a snapshot written in one turn
inline constexpr std::size_t snapshot_slice = 256 << 10;  // bytes of one
inline constexpr std::size_t snapshot_slices = 4;         // slices on their way to the disk

// Times.
inline constexpr auto backoff_most = 1h;    // between two tries of a task
inline constexpr auto lease = 30s;          // CONSENSUS W2
inline constexpr auto reclaim = 1s;         // CONSENSUS W1
inline constexpr auto lazy_records = 10ms;  // CONSENSUS W1
inline constexpr auto probe_every = 100ms;  // of all connections, after one of them broke
inline constexpr auto heartbeat = 1s;       // DESIGN section 8, the binaries' default
inline constexpr auto node_timeout = 5s;
inline constexpr auto provider_silence = 2s;  // asked for blocks, says nothing: another one is asked
inline constexpr auto target_silence = 10s;   // given blocks to store, says nothing: given up
inline constexpr auto reconnect_grace = 1s;   // CONSENSUS W3: a broken connection may return within it
inline constexpr auto session_ttl = 1h;       // CONSENSUS C2
inline constexpr auto key_ttl = 24h;          // CONSENSUS C3
inline constexpr auto result_ttl = 7 * 24h;   // CONSENSUS C4

}  // namespace cidbus::limits
