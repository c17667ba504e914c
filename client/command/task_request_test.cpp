#include "client/command/task_request.h"

#include <gtest/gtest.h>

#include "shared/base/limits/words.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

constexpr const char* cid_text = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

void expect_fault(const Result<TaskRequest>& request, FaultKind kind, std::string_view words) {
  ASSERT_FALSE(request) << words;
  EXPECT_EQ(request.error().kind, kind) << request.error().message;
  EXPECT_NE(request.error().message.find(words), std::string::npos) << request.error().message;
}

TEST(BatchLines, GiveEveryFieldOfATask) {
  const auto request = parse_batch_line(
      std::string(R"({"type": "resize", "inputs": [")") + cid_text +
      R"("], "params": {"width": 320, "fit": "cover", "strip": true, "angle": -90, "empty": ""},
         "priority": 9, "delay": "5s", "deadline": "1h", "time_limit": "500ms", "retries": 0, "key": "k"})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->type, "resize");
  ASSERT_EQ(request->inputs.size(), 1u);
  EXPECT_EQ(to_text(std::get<Cid>(request->inputs[0])), cid_text);
  const std::vector<std::pair<std::string, std::string>> parameters{
      {"width", "320"}, {"fit", "cover"}, {"strip", "true"}, {"angle", "-90"}, {"empty", ""}};
  EXPECT_EQ(request->parameters, parameters);
  const TaskOptions options = request->options_with_key();
  EXPECT_EQ(options.priority, 9);
  EXPECT_EQ(options.tries, 1);
  EXPECT_EQ(options.delay, 5s);
  EXPECT_EQ(options.deadline, 1h);
  EXPECT_EQ(options.time_limit, 500ms);
  EXPECT_EQ(options.key, "k");
}

TEST(BatchLines, NeedOnlyAType) {
  const auto request = parse_batch_line(R"({"type":"echo"})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->options_with_key().priority, default_priority);
  EXPECT_EQ(request->options_with_key().tries, default_tries);
}

TEST(BatchLines, ThatAreNoTaskSayWhy) {
  EXPECT_TRUE(parse_batch_line("\xef\xbb\xbf{\"type\":\"echo\"}"))
      << "the first line may have a byte order mark";
  expect_fault(parse_batch_line("not json"), FaultKind::BadData, "no JSON");
  expect_fault(parse_batch_line(R"({"type":"echo")"), FaultKind::BadData, "no JSON");
  expect_fault(parse_batch_line(R"(["echo"])"), FaultKind::BadData, "no JSON object");
  expect_fault(parse_batch_line("{}"), FaultKind::BadData, "there is no type");
  expect_fault(parse_batch_line(R"({"type":5})"), FaultKind::BadData, "'type' should be a string");
  expect_fault(parse_batch_line(R"({"type":"echo","tpye":"x"})"), FaultKind::BadData, "'tpye' is not known");
  expect_fault(parse_batch_line(R"({"type":"echo","params":{"x":1.5}})"), FaultKind::BadData,
               "'x' should be");
  expect_fault(parse_batch_line(R"({"type":"echo","key":""})"), FaultKind::BadData, "the key is empty");
  expect_fault(parse_batch_line(R"({"type":"echo","params":[]})"), FaultKind::BadData, "an object");
  expect_fault(parse_batch_line(R"({"type":"echo","inputs":"x"})"), FaultKind::BadData, "an array");
  expect_fault(parse_batch_line(R"({"type":"echo","inputs":["nothing-here"]})"), FaultKind::BadData,
               "nothing-here");
  expect_fault(parse_batch_line(R"({"type":"echo","priority":"5"})"), FaultKind::BadData, "a whole number");
  expect_fault(parse_batch_line(R"({"type":"echo","priority":10})"), FaultKind::BadUsage, "0 to 9");
  expect_fault(parse_batch_line(R"({"type":"echo","retries":-1})"), FaultKind::BadUsage, "0 to 99");
  expect_fault(parse_batch_line(R"({"type":"echo","delay":"soon"})"), FaultKind::BadUsage, "delay: 'soon'");
  expect_fault(parse_batch_line(R"({"type":"two words"})"), FaultKind::BadUsage, "two words");
  std::string deep = R"({"type":)";
  for (int level = 0; level < 100'000; ++level) deep += '[';
  expect_fault(parse_batch_line(deep), FaultKind::BadData, "no JSON");
  expect_fault(parse_batch_line("{\"type\":\"\xff\"}"), FaultKind::BadData, "no JSON");
}

TEST(TaskRequests, StayWithinTheLimitsOfATask) {
  RawTaskRequest raw;
  raw.type = "echo";
  raw.parameters = {{"a", "1"}, {"a", "2"}};
  expect_fault(make_task_request(raw), FaultKind::BadUsage, "'a' is given twice");
  raw.parameters.clear();
  for (std::size_t i = 0; i <= limits::parameters; ++i)
    raw.parameters.emplace_back("p" + std::to_string(i), "");
  expect_fault(make_task_request(raw), FaultKind::BadUsage, "at most 64 parameters");
  raw.parameters.clear();
  raw.inputs.assign(limits::inputs + 1, cid_text);
  expect_fault(make_task_request(raw), FaultKind::BadUsage, "at most 256 inputs");
  raw.inputs.clear();
  raw.key = std::string(limits::key_length + 1, 'k');
  expect_fault(make_task_request(raw), FaultKind::BadUsage, "key is too long");
}

TEST(Work, HasBinaryCidsAndAddsWhatIsAPath) {
  TaskRequest request;
  request.type = "echo";
  const Cid cid = *Cid::parse(cid_text);
  request.inputs = {std::string("./picture.jpg"), cid};
  request.parameters = {{"width", "320"}};
  std::vector<std::string> added;
  const auto encoded = make_work(request, [&](const std::string& path) -> Result<Cid> {
    added.push_back(path);
    return cid;
  });
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->asked.inputs, (std::vector<std::string>{cid_text, cid_text}));
  EXPECT_EQ(added, std::vector<std::string>{"./picture.jpg"});
  const auto work = decode_work(encoded->bytes);
  ASSERT_TRUE(work);
  ASSERT_EQ((*work)->inputs.size(), 2u);
  EXPECT_TRUE(equal((*work)->inputs[0], cid.bytes()));
  EXPECT_TRUE(equal((*work)->inputs[1], cid.bytes()));
  EXPECT_EQ((*work)->parameters[0].second, "320");
}

TEST(Work, ThatIsTooLargeOrWhoseInputCannotBeAddedIsAFault) {
  TaskRequest request;
  request.type = "echo";
  request.parameters = {{"ballast", std::string(limits::payload_bytes, 'x')}};
  const AddPath refuse = [](const std::string&) -> Result<Cid> {
    return fault(FaultKind::TryAgain, "no room");
  };
  EXPECT_EQ(make_work(request, refuse).error().kind, FaultKind::BadUsage);
  request.parameters.clear();
  request.inputs = {std::string("./picture.jpg")};
  EXPECT_EQ(make_work(request, refuse).error().message, "no room");
}

}  // namespace
}  // namespace cidbus
