#include "observer/history_reader.h"

#include "observer/history_file.h"
#include "shared/base/limits/web_page.h"
#include "shared/io/node_pages.h"

namespace cidbus {
namespace {

// The file may have dropped seconds, or minutes, before their time, for want of room; then the question is
// answered by a coarser span, and what memory has of the finer one is let go.
Status read_columns(const std::string& folder, HistoryQuestion& question, HistoryColumns& newest) {
  auto file = HistoryFile::open_read_only(folder);
  if (!file) return tl::unexpected(file.error());
  const auto kept = file->kept_since();
  if (!kept) return tl::unexpected(kept.error());
  const Resolution wanted = question.resolution;
  take_resolution(question, *kept);
  HistoryColumns columns;
  for (const SeriesName& name : question.series) {
    std::vector<Bucket>& column = columns.emplace_back();
    const Status read = file->read(name, question.resolution, question.from - seconds_of(question.resolution),
                                   question.to, [&](const Bucket& bucket) { column.push_back(bucket); });
    if (!read) return tl::unexpected(read.error());
  }
  if (question.resolution == wanted) join_columns(columns, std::move(newest));
  newest = std::move(columns);
  return {};
}

}  // namespace

HttpResponse history_page(const HistoryQuestion& question, const HistoryColumns& columns) {
  return http_page(200, "application/json", history_answer(question, columns) + "\n");
}

HistoryReader::HistoryReader(std::string folder) : folder_(std::move(folder)), thread_([this] { run(); }) {}

HistoryReader::~HistoryReader() {
  closed_ = true;
  jobs_.push({});
  thread_.join();
}

void HistoryReader::ask(HistoryQuestion question, HistoryColumns newest, HttpReply reply) {
  if (waiting_ >= limits::page_questions)
    return reply.answer(http_line(503, "too many questions about history at once: try again later"));
  ++waiting_;
  jobs_.push({std::move(question), std::move(newest), std::make_shared<HttpReply>(std::move(reply))});
}

void HistoryReader::run() {
  for (;;) {
    jobs_.wait();
    for (Job& job : jobs_.take_all()) {
      if (!job.reply) return;
      --waiting_;
      if (closed_) {
        job.reply->answer(http_line(503, "this node is stopping"));
        continue;
      }
      const Status read = read_columns(folder_, job.question, job.newest);
      job.reply->answer(read ? history_page(job.question, job.newest)
                             : http_line(503, "the history cannot be read: " + read.error().message));
    }
  }
}

}  // namespace cidbus
