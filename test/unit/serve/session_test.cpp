// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sessions over the fake model: what a request draws is what `reference` says of its ids alone, whatever the cache
// still held, and only what is new is computed, counted through the scheduler's statistics.
#include "test/unit/serve/fake_model.h"

#include <gtest/gtest.h>

#include <random>

using namespace ingot::serve;
using namespace ingot::serve::test;

namespace {

RunnerInfo info(std::vector<PageGroup> groups, int64_t context = 200) {
  RunnerInfo facts;
  facts.vocabulary = 97;
  facts.context = context;
  facts.tokens = 24;
  facts.sequences = facts.logit_rows = 4;
  facts.groups = std::move(groups);
  return facts;
}

std::vector<int32_t> idsOf(int seed, size_t length) {
  std::mt19937 random{uint32_t(seed)};
  std::vector<int32_t> ids(length);
  for (int32_t &id : ids)
    id = int32_t(random() % 97);
  return ids;
}

std::vector<int32_t> operator+(std::vector<int32_t> a, const std::vector<int32_t> &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<int32_t> cut(std::vector<int32_t> ids, size_t length) {
  ids.resize(length);
  return ids;
}

// What one request of a session drew, and what it cost.
struct Turn {
  std::vector<int32_t> ids;
  uint64_t computed = 0, reused = 0;
};

Request request(uint64_t session, std::vector<int32_t> prompt, int64_t count) {
  Request one;
  one.session = session;
  one.prompt = std::move(prompt);
  one.new_tokens = count;
  return one;
}

// Runs a request to its end and checks its ids.
Turn turn(Scheduler &scheduler, const RunnerInfo &facts, const Request &one) {
  Turn result;
  SchedulerStats before = scheduler.stats();
  auto id = scheduler.submit(one, nullptr);
  EXPECT_TRUE(id.ok()) << (id ? "" : id.error().message());
  while (id && !scheduler.idle()) {
    auto outputs = scheduler.step();
    if (!outputs) {
      ADD_FAILURE() << outputs.error().message();
      break;
    }
    for (const Output &output : *outputs)
      result.ids.push_back(*output.id);
  }
  result.computed = scheduler.stats().prefill_tokens - before.prefill_tokens;
  result.reused = scheduler.stats().reused_tokens - before.reused_tokens;
  EXPECT_EQ(result.ids, reference(facts, one.prompt, one.sampling, one.new_tokens));
  return result;
}

void expectAllPagesFree(const Scheduler &scheduler) {
  for (const PagePool &pool : scheduler.pagePools())
    EXPECT_EQ(pool.freePages(), pool.group().pages);
}

std::string refusal(Scheduler &scheduler, Request one) {
  auto id = scheduler.submit(std::move(one), nullptr);
  return id ? "accepted" : id.error().message();
}

} // namespace

TEST(Session, TheNextTurnComputesOnlyWhatIsNew) {
  FakeModel model(info({{8, 0, 64}}));
  Scheduler scheduler(model);
  uint64_t session = scheduler.openSession();
  std::vector<int32_t> ids = idsOf(1, 30);
  Turn first = turn(scheduler, model.info(), request(session, ids, 12));
  EXPECT_EQ(first.computed, 30u);
  EXPECT_EQ(first.reused, 0u);
  // All but the last token drawn are in the cache: that one was never computed.
  EXPECT_EQ(scheduler.sessionLength(session), 41);
  ids = ids + first.ids + idsOf(2, 9);
  Turn second = turn(scheduler, model.info(), request(session, ids, 12));
  EXPECT_EQ(second.computed, 10u);
  EXPECT_EQ(second.reused, 41u);
  ids = ids + second.ids + idsOf(3, 40); // several chunks
  Turn third = turn(scheduler, model.info(), request(session, ids, 5));
  EXPECT_EQ(third.computed, 41u);
  EXPECT_EQ(third.reused, 62u);
  scheduler.closeSession(session);
  expectAllPagesFree(scheduler);
}

TEST(Session, IsCutToWhatThePromptHasInCommon) {
  FakeModel model(info({{8, 0, 64}}));
  Scheduler scheduler(model);
  uint64_t session = scheduler.openSession();
  std::vector<int32_t> ids = idsOf(1, 60);
  turn(scheduler, model.info(), request(session, ids, 20));
  // Other ids from every place on: inside a page, at its edge, in what was drawn, at the start.
  std::vector<int32_t> held = ids + reference(model.info(), ids, {}, 20);
  for (size_t keep : {78u, 64u, 63u, 61u, 33u, 32u, 1u, 0u}) {
    std::vector<int32_t> other = cut(held, keep);
    other.push_back((held[keep] + 1) % 97);
    other = other + idsOf(int(keep), 7);
    Turn next = turn(scheduler, model.info(), request(session, other, 10));
    EXPECT_EQ(next.reused, keep);
    EXPECT_EQ(next.computed, 8u);
    uint64_t free = scheduler.pagePools()[0].freePages();
    EXPECT_EQ(free, 64 - (keep + 8 + 9 + 7) / 8) << "pages beyond the cut are free";
    turn(scheduler, model.info(), request(session, ids, 20)); // as before
  }
  scheduler.closeSession(session);
  expectAllPagesFree(scheduler);
}

TEST(Session, TheSamePromptAgainComputesItsLastToken) {
  FakeModel model(info({{8, 0, 64}}));
  Scheduler scheduler(model);
  uint64_t session = scheduler.openSession();
  turn(scheduler, model.info(), request(session, idsOf(1, 30), 6));
  EXPECT_EQ(turn(scheduler, model.info(), request(session, idsOf(1, 30), 6)).computed, 1u);
  EXPECT_EQ(turn(scheduler, model.info(), request(session, cut(idsOf(1, 30), 12), 6)).computed, 1u);
}

TEST(Session, DrawsAndPenaltiesAreThoseOfThePromptAlone) {
  FakeModel model(info({{8, 0, 64}}));
  Scheduler scheduler(model);
  uint64_t session = scheduler.openSession();
  std::vector<int32_t> ids = idsOf(4, 10);
  for (int i = 0; i < 4; ++i) {
    Request one = request(session, ids, 15);
    one.sampling.temperature = 0.9f;
    one.sampling.seed = 5;
    one.sampling.repetition_penalty = 1.2f;
    one.sampling.frequency_penalty = 0.3f;
    ids = ids + turn(scheduler, model.info(), one).ids + idsOf(i, 4);
  }
}

TEST(Session, ACancelledRequestLeavesWhatItComputed) {
  FakeModel model(info({{8, 0, 64}}));
  Scheduler scheduler(model);
  uint64_t session = scheduler.openSession();
  std::vector<int32_t> ids = idsOf(1, 40);
  auto id = scheduler.submit(request(session, ids, 50), nullptr);
  ASSERT_TRUE(id.ok());
  for (int i = 0; i < 6 + kPipelined; ++i) // two pieces of the prompt, the second of which draws; then four more
    ASSERT_TRUE(scheduler.step().ok());
  scheduler.cancel(*id);
  EXPECT_TRUE(scheduler.idle());
  EXPECT_EQ(scheduler.sessionLength(session), 44);
  std::vector<int32_t> next = ids + reference(model.info(), ids, {}, 5) + idsOf(2, 3);
  EXPECT_EQ(turn(scheduler, model.info(), request(session, next, 9)).computed, 4u);
  // In the middle of a prompt as well, and before its first step.
  next = next + idsOf(3, 60);
  id = scheduler.submit(request(session, next, 9), nullptr);
  ASSERT_TRUE(id.ok());
  ASSERT_TRUE(scheduler.step().ok());
  scheduler.cancel(*id);
  EXPECT_EQ(scheduler.sessionLength(session), 48 + 24); // the turn before drew other ids after the first 48
  id = scheduler.submit(request(session, next, 9), nullptr);
  ASSERT_TRUE(id.ok());
  scheduler.cancel(*id);
  EXPECT_EQ(scheduler.sessionLength(session), 48 + 24);
  EXPECT_EQ(turn(scheduler, model.info(), request(session, next, 9)).computed, 108u - 72u);
}

TEST(Session, AWindowIsRewoundAsFarAsItsPagesReach) {
  // A window of 20 beside a group without; 300 positions, of which at most 50 are given up.
  RunnerInfo facts = info({{8, 20, 64}, {16, 0, 63}}, 1000);
  FakeModel model(facts);
  Scheduler scheduler(model, {0, 50});
  uint64_t session = scheduler.openSession();
  std::vector<int32_t> ids = idsOf(5, 260), held = ids + reference(facts, ids, {}, 40);
  for (size_t back : {1u, 13u, 49u, 50u}) {
    turn(scheduler, facts, request(session, ids, 40)); // 299 positions are in the cache
    std::vector<int32_t> other = cut(held, 299 - back);
    other.push_back((held[299 - back] + 1) % 97);
    Turn next = turn(scheduler, facts, request(session, other + idsOf(int(back), 5), 10));
    EXPECT_EQ(next.reused, 299 - back);
    EXPECT_EQ(next.computed, 6u);
  }
  // Beyond that the window is gone, and all is computed: the text is the same.
  turn(scheduler, facts, request(session, ids, 40));
  Turn far = turn(scheduler, facts, request(session, cut(held, 100) + idsOf(9, 5), 10));
  EXPECT_EQ(far.reused, 0u);
  EXPECT_EQ(far.computed, 105u);
  // A short text lies whole within a window.
  Turn near = turn(scheduler, facts, request(session, cut(held, 30) + idsOf(9, 5), 10));
  EXPECT_EQ(near.reused, 30u);
  scheduler.closeSession(session);
  expectAllPagesFree(scheduler);
}

TEST(Session, AWindowHoldsNoMoreThanItsPoolWasPlannedFor) {
  for (int64_t rewind : {0, 30, 64, 100}) {
    RunnerInfo facts = info({{8, 20, 0}}, 1000);
    facts.groups[0].pages = pagesFor(facts.groups[0], 1000, 24, rewind);
    FakeModel model(facts);
    Scheduler scheduler(model, {24, rewind});
    uint64_t session = scheduler.openSession();
    std::vector<int32_t> ids = idsOf(5, 400);
    ids = ids + turn(scheduler, facts, request(session, ids, 100)).ids;
    turn(scheduler, facts, request(session, ids + idsOf(6, 300), 100));
    EXPECT_EQ(scheduler.stats().preemptions, 0u);
    EXPECT_EQ(scheduler.stats().reused_tokens, 499u);
  }
}

TEST(Session, IdleSessionsGoBeforeAnyoneIsPreempted) {
  FakeModel model(info({{8, 0, 16}})); // 128 positions
  Scheduler scheduler(model);
  uint64_t oldest = scheduler.openSession(), middle = scheduler.openSession(), newest = scheduler.openSession();
  turn(scheduler, model.info(), request(oldest, idsOf(1, 30), 10));
  turn(scheduler, model.info(), request(middle, idsOf(2, 30), 10));
  turn(scheduler, model.info(), request(newest, idsOf(3, 30), 10));
  turn(scheduler, model.info(), request(0, idsOf(4, 20), 20)); // needs one page more than is free
  EXPECT_EQ(scheduler.stats().preemptions, 0u);
  EXPECT_EQ(scheduler.sessionLength(oldest), 0);
  EXPECT_EQ(scheduler.sessionLength(middle), 39);
  EXPECT_EQ(scheduler.sessionLength(newest), 39);
  // What lost its pages computes all again; another one grows into the pages of the rest.
  EXPECT_EQ(turn(scheduler, model.info(), request(oldest, idsOf(1, 40), 5)).computed, 40u);
  turn(scheduler, model.info(), request(newest, idsOf(3, 30) + idsOf(5, 60), 20));
  EXPECT_EQ(scheduler.stats().preemptions, 0u);
  for (uint64_t session : {oldest, middle, newest})
    scheduler.closeSession(session);
  expectAllPagesFree(scheduler);
}

TEST(Session, IdleSessionsKeepNobodyWaiting) {
  FakeModel model(info({{8, 0, 10}}));
  Scheduler scheduler(model);
  uint64_t session = scheduler.openSession();
  turn(scheduler, model.info(), request(session, idsOf(1, 30), 10)); // five pages
  ASSERT_EQ(refusal(scheduler, request(0, idsOf(2, 15), 10)), "accepted");
  ASSERT_TRUE(scheduler.step().ok());
  ASSERT_EQ(refusal(scheduler, request(0, idsOf(3, 30), 10)), "accepted"); // needs four, of which three are free
  ASSERT_TRUE(scheduler.step().ok());
  EXPECT_EQ(scheduler.runningCount(), 2u);
  ASSERT_TRUE(scheduler.step().ok()); // its last piece
  EXPECT_EQ(scheduler.sessionLength(session), 0);
}

// Five that come to 90 positions and more.
void manyTalkAtOnce(std::vector<PageGroup> groups, int64_t rewind) {
  FakeModel model(info(std::move(groups)));
  Scheduler scheduler(model, {10, rewind});
  std::mt19937 random(3);
  std::map<uint64_t, std::vector<int32_t>> held;
  for (int i = 0; i < 5; ++i)
    held[scheduler.openSession()] = idsOf(i, 5);
  for (int round = 0; round < 6; ++round) {
    std::map<uint64_t, std::vector<int32_t>> drawn;
    std::map<uint64_t, uint64_t> of; // request -> session
    for (auto &[session, ids] : held) {
      if (random() % 3 == 0)
        ids.resize(1 + random() % ids.size());
      ids = ids + idsOf(int(random() % 1000), 1 + random() % 8);
      Request one = request(session, ids, 8);
      one.sampling.temperature = session % 2 ? 0.5f : 0;
      auto id = scheduler.submit(one, nullptr);
      ASSERT_TRUE(id.ok()) << id.error().message();
      of[*id] = session;
    }
    while (!scheduler.idle()) {
      auto outputs = scheduler.step();
      ASSERT_TRUE(outputs.ok()) << outputs.error().message();
      for (const Output &output : *outputs)
        drawn[of[output.request]].push_back(*output.id);
    }
    for (auto &[session, ids] : held) {
      SamplingParams sampling;
      sampling.temperature = session % 2 ? 0.5f : 0;
      EXPECT_EQ(drawn[session], reference(model.info(), ids, sampling, 8)) << session;
      ids = ids + drawn[session];
    }
  }
  EXPECT_GT(scheduler.stats().reused_tokens, 0u);
  for (auto &[session, ids] : held)
    scheduler.closeSession(session);
  expectAllPagesFree(scheduler);
}

TEST(Session, ManyTalkAtOnceInTooFewPages) { manyTalkAtOnce({{8, 0, 22}}, 0); }
TEST(Session, ManyTalkAtOnceInTooFewPagesOfWindows) { manyTalkAtOnce({{8, 20, 30}, {16, 0, 12}}, 16); }

TEST(Session, IsRefusedWhenBusyOrNotOpen) {
  FakeModel model(info({{8, 0, 64}}));
  Scheduler scheduler(model);
  uint64_t session = scheduler.openSession();
  EXPECT_EQ(refusal(scheduler, request(session + 1, {1}, 5)), "session 2 is not open");
  ASSERT_EQ(refusal(scheduler, request(session, {1}, 5)), "accepted");
  std::string busy = "session 1 has a request that is not finished; wait for it or cancel it";
  EXPECT_EQ(refusal(scheduler, request(session, {1}, 5)), busy);
  ASSERT_TRUE(scheduler.step().ok());
  EXPECT_EQ(refusal(scheduler, request(session, {1}, 5)), busy);
  scheduler.closeSession(session); // cancels it
  EXPECT_TRUE(scheduler.idle());
  EXPECT_EQ(refusal(scheduler, request(session, {1}, 5)), "session 1 is not open");
  scheduler.closeSession(session);
  expectAllPagesFree(scheduler);
}
