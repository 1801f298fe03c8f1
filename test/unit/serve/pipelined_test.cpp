// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a schedule that runs a step ahead adds to scheduler_test.cpp and session_test.cpp, which are built for it too:
// that it does run ahead, and ends that are learned a step late.
#include "test/unit/serve/fake_model.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

using namespace ingot::serve;
using namespace ingot::serve::test;

namespace {

RunnerInfo facts(std::vector<PageGroup> groups) {
  RunnerInfo info;
  info.vocabulary = 97;
  info.context = 200;
  info.tokens = 24;
  info.sequences = info.logit_rows = 5;
  info.groups = std::move(groups);
  return info;
}

std::vector<int32_t> idsOf(uint32_t seed, size_t length) {
  std::mt19937 random{seed};
  std::vector<int32_t> ids(length);
  for (int32_t &id : ids)
    id = int32_t(random() % 97);
  return ids;
}

// What the reference draws up to the first end id.
std::vector<int32_t> upToEnd(const RunnerInfo &info, const Request &request) {
  std::vector<int32_t> ids = reference(info, request.prompt, request.sampling, request.new_tokens);
  auto end = std::find_first_of(ids.begin(), ids.end(), request.end_ids.begin(), request.end_ids.end());
  if (end != ids.end())
    ids.erase(end + 1, ids.end());
  return ids;
}

// Tells in which order steps are given and ids are waited for.
class Watched : public FakeModel {
public:
  using FakeModel::FakeModel;
  Result<void> step(const StepBatch &batch, float *logits) override {
    order += batch.tokens[0] < 0 ? 'r' : 's'; // r: of a row of the last draws
    return FakeModel::step(batch, logits);
  }
  Result<void> beginSample(const SampleBatch &batch) override {
    order += 'b';
    return FakeModel::beginSample(batch);
  }
  Result<void> endSample(int32_t *ids, float *logs) override {
    order += 'e';
    return FakeModel::endSample(ids, logs);
  }
  std::string order;
};

} // namespace

TEST(Pipelined, AStepIsGivenBeforeTheIdsOfTheLastAreKnown) {
  Watched model(facts({{8, 0, 64}}));
  Scheduler scheduler(model);
  Request request;
  request.prompt = idsOf(1, 4);
  request.new_tokens = 4;
  ASSERT_TRUE(scheduler.submit(request, nullptr).ok());
  while (!scheduler.idle())
    ASSERT_TRUE(scheduler.step().ok());
  // The fourth token is the last whatever it is: no step is given for a fifth.
  EXPECT_EQ(model.order, "sb"
                         "reb"
                         "reb"
                         "reb"
                         "e");
  EXPECT_EQ(scheduler.stats().steps, 4u);
  EXPECT_EQ(scheduler.stats().decode_tokens, 3u);
}

TEST(Pipelined, AnEndLearnedLateDropsWhatWasComputedForIt) {
  Watched model(facts({{8, 0, 64}}));
  Scheduler scheduler(model);
  Request request;
  request.prompt = idsOf(1, 4);
  request.new_tokens = 40;
  std::vector<int32_t> all = reference(model.info(), request.prompt, {}, 40);
  ASSERT_NE(all[0], all[1]);
  request.end_ids = {all[1]};
  uint64_t session = scheduler.openSession();
  request.session = session;
  ASSERT_TRUE(scheduler.submit(request, nullptr).ok());
  std::vector<int32_t> ids;
  while (!scheduler.idle()) {
    auto outputs = scheduler.step();
    ASSERT_TRUE(outputs.ok());
    for (const Output &output : *outputs)
      ids.push_back(*output.id);
  }
  EXPECT_EQ(ids, upToEnd(model.info(), request));
  EXPECT_EQ(model.order, "sb"
                         "reb"
                         "re"); // nobody is left to draw for
  EXPECT_EQ(scheduler.stats().decode_tokens, 1u);
  EXPECT_EQ(scheduler.sessionLength(session), 5) << "as if the end had been known at once";
}

// Ends, cancellations and too few pages, at random: nobody's text changes.
static void anyOrder(std::vector<PageGroup> groups, uint64_t seed) {
  FakeModel model(facts(std::move(groups)));
  Scheduler scheduler(model, {16, 8});
  std::mt19937_64 random(seed);
  std::map<uint64_t, Request> requests;
  std::map<uint64_t, std::vector<int32_t>> drawn;
  std::set<uint64_t> cancelled, finished;
  for (int round = 0; round < 60 || !scheduler.idle(); ++round) {
    if (round < 60) {
      Request request;
      request.prompt = idsOf(uint32_t(random()), 1 + random() % 40);
      request.new_tokens = int64_t(1 + random() % 40);
      request.sampling.temperature = random() % 2 ? 0 : 0.7f;
      request.sampling.seed = int64_t(random() % 100);
      request.sampling.frequency_penalty = random() % 3 ? 0 : 0.5f;
      request.end_ids = {int32_t(random() % 97), int32_t(random() % 97), int32_t(random() % 97)};
      auto id = scheduler.submit(request, nullptr);
      ASSERT_TRUE(id.ok());
      requests[*id] = request;
    }
    if (random() % 4 == 0) {
      uint64_t victim = 1 + random() % requests.size();
      scheduler.cancel(victim);
      if (!finished.count(victim))
        cancelled.insert(victim);
    }
    auto outputs = scheduler.step();
    ASSERT_TRUE(outputs.ok()) << outputs.error().message();
    for (const Output &output : *outputs) {
      EXPECT_FALSE(cancelled.count(output.request) || finished.count(output.request));
      drawn[output.request].push_back(*output.id);
      if (output.finish != Finish::running)
        finished.insert(output.request);
    }
  }
  EXPECT_GT(scheduler.stats().preemptions, 0u);
  EXPECT_EQ(finished.size() + cancelled.size(), requests.size());
  for (auto &[id, request] : requests) {
    std::vector<int32_t> expected = upToEnd(model.info(), request);
    if (cancelled.count(id))
      expected.resize(std::min(expected.size(), drawn[id].size()));
    EXPECT_EQ(drawn[id], expected) << id;
  }
  for (const PagePool &pool : scheduler.pagePools())
    EXPECT_EQ(pool.freePages(), pool.group().pages);
}

TEST(Pipelined, EndsAndCancellationsChangeNobodysText) {
  for (uint64_t seed = 0; seed < 20; ++seed)
    anyOrder({{8, 0, 14}}, seed);
}
TEST(Pipelined, EndsAndCancellationsChangeNobodysTextInWindows) {
  for (uint64_t seed = 0; seed < 20; ++seed)
    anyOrder({{8, 20, 24}, {16, 0, 7}}, seed);
}

TEST(Pipelined, AStepThatNobodyWaitsForIsForgotten) {
  FakeModel model(facts({{8, 0, 64}}));
  Scheduler scheduler(model);
  Request request;
  request.prompt = idsOf(1, 4);
  request.new_tokens = 9;
  auto first = scheduler.submit(request, nullptr);
  ASSERT_TRUE(scheduler.step().ok());
  ASSERT_TRUE(scheduler.step().ok());
  scheduler.cancel(*first);
  EXPECT_TRUE(scheduler.idle());
  request.prompt = idsOf(2, 7);
  auto second = scheduler.submit(request, nullptr);
  std::vector<int32_t> ids;
  while (!scheduler.idle()) {
    auto outputs = scheduler.step();
    ASSERT_TRUE(outputs.ok());
    for (const Output &output : *outputs) {
      EXPECT_EQ(output.request, *second);
      ids.push_back(*output.id);
    }
  }
  EXPECT_EQ(ids, reference(model.info(), request.prompt, {}, 9));
}
