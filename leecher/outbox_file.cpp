#include "leecher/outbox_file.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "shared/base/crc32c.h"
#include "shared/base/limits/leecher.h"
#include "shared/base/limits/messages.h"
#include "shared/io/mailbox.h"
#include "shared/io/replace_file.h"

namespace cidbus {
namespace {

constexpr std::chrono::milliseconds retry_after{500};

void add_frame(ByteView payload, Bytes& out) {
  ByteWriter writer(out);
  writer.number(static_cast<std::uint32_t>(payload.size()));
  writer.number(crc32c(payload));
  writer.raw(payload);
}

Bytes frames_of(const std::vector<Bytes>& payloads) {
  Bytes frames;
  for (const Bytes& payload : payloads) add_frame(payload, frames);
  return frames;
}

// Behind what is synced, and no longer than any entry, so that the next one overwrites it.
Bytes seal() { return frames_of({encode(NumberedEntry{})}); }

// A whole frame at the beginning of the bytes: its payload; else nothing.
std::optional<ByteView> whole_frame(ByteView bytes) {
  ByteReader reader(bytes);
  const auto length = reader.number<std::uint32_t>();
  const auto checksum = reader.number<std::uint32_t>();
  if (reader.failed() || length > limits::message_bytes) return {};
  const ByteView payload = reader.raw(length);
  if (reader.failed() || payload.empty() || crc32c(payload) != checksum) return {};
  return payload;
}

constexpr std::size_t frame_head = 8;

// Replays the file; gives how many bytes at its end a crash has torn.
Result<ByteCount> replay(ByteView bytes, const std::string& folder, Outbox& outbox) {
  const auto refuse = [&](const char* why) {
    return fault(FaultKind::BadData, "the outbox in " + folder + " " + why +
                                         "; move its file 'outbox' away and look what of it the brokers "
                                         "have before you submit it again");
  };
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto payload = whole_frame(bytes.subspan(at));
    if (!payload) break;
    if (!outbox.replay(*payload)) return refuse("contradicts itself");
    at += frame_head + payload->size();
  }
  // The first frames were put in place whole, and a tear has nothing whole behind it.
  bool is_damaged = at == 0;
  for (std::size_t next = at + 1; next < bytes.size() && !is_damaged; ++next)
    is_damaged = whole_frame(bytes.subspan(next)).has_value();
  if (is_damaged) return refuse("is damaged");
  return bytes.size() - at;
}

}  // namespace

struct OutboxFile::State {
  struct Order {
    Bytes frames;
    std::uint64_t last_number = 0;
    bool anew = false;  // the frames are the whole file
    bool end = false;
  };
  struct Done {
    Status status;  // TryAgain: the order waits
    std::uint64_t last_number = 0;
  };

  State(FileSystem& given_files, std::string given_folder)
      : files(given_files), folder(std::move(given_folder)) {}

  Status carry_out(const Order& order) {
    if (order.anew) return write_anew(order.frames);
    if (Status written = file->write(size, order.frames); !written) return written;
    if (Status kept = file->sync(); !kept) return kept;
    size += order.frames.size();
    static_cast<void>(file->write(size, seal()));  // without it a flip in the last entry looks like a tear
    return {};
  }
  Status write_anew(const Bytes& frames) {
    const std::string path = folder + "/outbox";
    auto made = files.create(path + ".new");
    if (!made) return tl::unexpected(made.error());
    if (Status written = (*made)->write(0, frames); !written) return written;
    if (Status written = (*made)->write(frames.size(), seal()); !written) return written;
    if (Status kept = (*made)->sync(); !kept) return kept;
    if (Status renamed = files.rename(path + ".new", path); !renamed) return renamed;
    if (Status kept = files.sync_directory(folder); !kept) return kept;
    file = *std::move(made);
    size = frames.size();
    return {};
  }

  void work() {
    bool ended = false;
    while (!ended) {
      orders.wait();
      for (const Order& order : orders.take_all()) {
        ended = ended || order.end;
        if (!order.frames.empty() && !carry_out_patiently(order)) return;
      }
    }
  }
  bool carry_out_patiently(const Order& order) {
    while (true) {
      Status status = carry_out(order);
      const bool waits = !status && status.error().kind == FaultKind::TryAgain;
      const bool ok = status.has_value();
      done.push({std::move(status), order.last_number});
      if (!waits) return ok;
      // Writing the same again at the same place does no harm.
      std::this_thread::sleep_for(retry_after);
      if (stop) return false;
    }
  }

  FileSystem& files;
  const std::string folder;
  std::unique_ptr<File> file;  // the thread's, once it runs
  ByteCount size = 0;          // likewise
  ByteCount appended = 0;      // the owner's: since the file was last written anew
  ByteCount image_bytes = 0;   // what it had then
  ByteCount torn = 0;
  std::uint64_t synced = 0;
  std::string trouble;
  Mailbox<Order> orders;
  Mailbox<Done> done;
  std::atomic<bool> stop{false};
  std::thread thread;
};

OutboxFile::OutboxFile(std::unique_ptr<State> state) : state_(std::move(state)) {}

OutboxFile::~OutboxFile() {
  if (!state_->thread.joinable()) return;
  state_->stop = true;
  state_->orders.push({{}, 0, false, true});
  state_->thread.join();
}

Result<std::unique_ptr<OutboxFile>> OutboxFile::open(FileSystem& files, const std::string& folder,
                                                     Outbox& outbox) {
  auto state = std::make_unique<State>(files, folder);
  const auto bytes = read_whole(files, folder + "/outbox");
  if (!bytes) return tl::unexpected(bytes.error());
  if (*bytes) {
    const auto torn = replay(**bytes, folder, outbox);
    if (!torn) return tl::unexpected(torn.error());
    state->torn = *torn;
  }
  const Bytes image = frames_of(outbox.image());
  if (Status written = state->write_anew(image); !written) return tl::unexpected(written.error());
  state->image_bytes = image.size();
  state->synced = outbox.last_number();
  State* const running = state.get();
  state->thread = std::thread([running] { running->work(); });
  return std::unique_ptr<OutboxFile>(new OutboxFile(std::move(state)));
}

void OutboxFile::append_changes(Outbox& outbox) {
  State& state = *state_;
  std::vector<Bytes> entries = outbox.take_entries();
  if (entries.empty()) return;
  const bool anew = state.appended > std::max<ByteCount>(limits::outbox_file_bytes, state.image_bytes);
  Bytes frames = frames_of(anew ? outbox.image() : entries);
  state.appended = anew ? 0 : state.appended + frames.size();
  if (anew) state.image_bytes = frames.size();
  state.orders.push({std::move(frames), outbox.last_number(), anew, false});
}

int OutboxFile::descriptor() const { return state_->done.fd(); }

Result<std::uint64_t> OutboxFile::take_synced() {
  State& state = *state_;
  for (const State::Done& one : state.done.take_all()) {
    state.trouble = one.status ? "" : one.status.error().message;
    if (one.status) state.synced = std::max(state.synced, one.last_number);
    if (!one.status && one.status.error().kind != FaultKind::TryAgain)
      return tl::unexpected(one.status.error());
  }
  return state.synced;
}

ByteCount OutboxFile::torn() const { return state_->torn; }

const std::string& OutboxFile::trouble() const { return state_->trouble; }

}  // namespace cidbus
