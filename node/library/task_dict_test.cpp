#include "node/library/task_dict.h"

#include <gtest/gtest.h>

#include "client/library/public_values.h"
#include "node/library/proposal_dict.h"
#include "shared/wire/work.h"

namespace cidbus::v1 {
namespace {

const std::string cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

// What a handler is given of what was submitted.
Dict travelled(const Dict& task) {
  const auto order = order_of(task);
  EXPECT_TRUE(order) << (order ? "" : order.error().message);
  const auto work = decode_work(order->work);
  std::vector<Cid> inputs;
  for (const ByteView input : (*work)->inputs)
    inputs.push_back(to_public(cidbus::Cid::from_bytes(input).value()));
  NamedTexts parameters;
  for (const auto& [name, text] : (*work)->parameters) parameters.emplace_back(name, text);
  return task_of(order->type, inputs, parameters);
}

NamedTexts parameters_of(const Dict& task) {
  const auto order = order_of(task);
  const auto work = decode_work(order->work);
  NamedTexts parameters;
  for (const auto& [name, text] : (*work)->parameters) parameters.emplace_back(name, text);
  return parameters;
}

std::string refusal(const Dict& task) {
  const auto order = order_of(task);
  return order ? "" : order.error().message;
}

TEST(TaskDict, AHandlerIsGivenWhatWasSubmitted) {
  for (const Dict& task : {Dict{{"type", "a"}}, Dict{{"type", "a"}, {"cid", cid}},
                           Dict{{"type", "a"}, {"cids", List{cid, cid}}, {"parameters", Dict{{"w", "1"}}}},
                           Dict{{"type", "a"}, {"parameters", Dict{{"w", 1}, {"deep", List{1.5, Dict{}}}}}},
                           Dict{{"type", "a"}, {"priority", 9}, {"anything", Dict{{"odd name!", Value()}}}},
                           Dict{{"type", "a"}, {"cid", 7}}, Dict{{"type", "a"}, {"parameters", "none"}}}) {
    EXPECT_EQ(travelled(task), task) << to_json(task);
  }
}

TEST(TaskDict, AWorkerOfAnyKindFindsItsParametersAsTexts) {
  const Dict plain{{"type", "process_content"}, {"cid", cid}, {"parameters", Dict{{"transform", "resize"}}}};
  EXPECT_EQ(parameters_of(plain), (NamedTexts{{"transform", "resize"}})) << "and nothing else";
  const Dict numbers{{"type", "process_content"}, {"parameters", Dict{{"angle", 90.5}, {"width", 320}}}};
  const NamedTexts texts = parameters_of(numbers);
  ASSERT_EQ(texts.size(), 3U);
  EXPECT_EQ(texts[0], (std::pair<std::string, std::string>("angle", "90.5")));
  EXPECT_EQ(texts[1], (std::pair<std::string, std::string>("width", "320")));
  EXPECT_EQ(texts[2].first.front(), '_') << "a note";
}

TEST(TaskDict, WhatIsNoCidTravelsAsItIs) {
  const auto order = order_of({{"type", "a"}, {"cid", "not-a-cid"}});
  ASSERT_TRUE(order) << order.error().message;
  EXPECT_EQ(as_text((*decode_work(order->work))->inputs.at(0)), "not-a-cid");
}

TEST(TaskDict, OptionsAreThoseOfATask) {
  const auto order = order_of({{"type", "a"},
                               {"priority", 9},
                               {"retries", 0},
                               {"delay", 0.5},
                               {"deadline", 60},
                               {"time_limit", 2},
                               {"key", "k"}});
  ASSERT_TRUE(order);
  EXPECT_EQ(order->options.priority, 9);
  EXPECT_EQ(order->options.tries, 1);
  EXPECT_EQ(order->options.delay, std::chrono::milliseconds(500));
  EXPECT_EQ(order->options.deadline, std::chrono::seconds(60));
  EXPECT_EQ(order->options.time_limit, std::chrono::seconds(2));
  EXPECT_EQ(order->key, "k");
}

TEST(TaskDict, ARefusalSaysWhatIsWrong) {
  EXPECT_NE(refusal({{"cid", cid}}).find("under 'type'"), std::string::npos);
  EXPECT_NE(refusal({{"type", "two words"}}).find("cannot be a task type"), std::string::npos);
  EXPECT_EQ(refusal({{"type", "a"}, {"priority", 10}}), "priority is 10; give a whole number from 0 to 9");
  EXPECT_EQ(refusal({{"type", "a"}, {"delay", -1}}), "delay is -1; give seconds, up to ten years");
  EXPECT_NE(refusal({{"type", "a"}, {"text", std::string(300 << 10, 'x')}}).find("at most 262144"),
            std::string::npos);
}

TEST(TaskDict, AResultIsTheDictThatAHandlerGave) {
  const Dict given{{"cid", cid}, {"n", 1}, {"texts", List{"a"}}};
  const TaskResult result = result_of(given);
  ASSERT_EQ(result.cids.size(), 1U) << "content of the result, for whoever follows it";
  EXPECT_EQ(result.cids[0].text(), cid);
  EXPECT_EQ(result_dict({cid}, result.values), given);
  EXPECT_EQ(result_dict({cid}, {{"width", "320"}}),
            (Dict{{"cid", cid}, {"cids", List{cid}}, {"values", Dict{{"width", "320"}}}}));
}

TEST(TaskDict, ChangesAreCheckedBeforeTheyAreProposed) {
  const auto value = [](const Dict& data) {
    const auto change = change_of("config_change", data);
    return change ? change->value : change.error().message;
  };
  EXPECT_EQ(value({{"key", "task_timeout_default"}, {"value", 600}}), "10m");
  EXPECT_EQ(value({{"key", "heartbeat_interval"}, {"value", 0.5}}), "500ms");
  EXPECT_EQ(value({{"key", "heartbeat_interval"}, {"value", "2s"}}), "2s");
  EXPECT_NE(value({{"key", "hartbeat"}, {"value", 1}}).find("there are heartbeat_interval, "),
            std::string::npos);
  EXPECT_NE(value({{"key", "heartbeat_interval"}, {"value", -1}}).find("which goes from "),
            std::string::npos);
  EXPECT_EQ(change_of("membership_change", {{"node_id", "w1"}, {"action", "forbid"}})->value, "forbid");
  EXPECT_EQ(change_of("membership_change", {{"node_id", "w1"}}).error().kind, FaultKind::BadUsage);
  EXPECT_NE(change_of("coup", {}).error().message.find("membership_change"), std::string::npos);
  EXPECT_EQ(parse_proposal_id("12"), 12U);
  for (const char* id : {"", "x", "-1", "1x", "99999999999999999999"})
    EXPECT_EQ(parse_proposal_id(id), 0U) << id;
}

}  // namespace
}  // namespace cidbus::v1
