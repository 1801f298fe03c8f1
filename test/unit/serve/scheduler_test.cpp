// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scheduler over a fake model (fake_model.h) whose text betrays any mistake in pages, chunks or counters. Every
// expected text comes from `reference`, which knows no schedule.
#include "test/unit/serve/fake_model.h"

#include <gtest/gtest.h>

#include <random>

using namespace ingot::serve;
using namespace ingot::serve::test;

namespace {

RunnerInfo small(uint64_t pages = 64) {
  RunnerInfo info;
  info.vocabulary = 97;
  info.context = 200;
  info.tokens = 24;
  info.sequences = 5;
  info.logit_rows = 5;
  info.groups = {{8, 0, pages}};
  return info;
}

std::vector<int32_t> promptOf(int seed, size_t length) {
  std::mt19937 random{uint32_t(seed)};
  std::vector<int32_t> ids(length);
  for (int32_t &id : ids)
    id = int32_t(random() % 97);
  return ids;
}

struct Finished {
  std::vector<int32_t> ids;
  std::string text;
  Finish finish = Finish::running;
  std::string stop;
};

// Runs until nothing is left.
std::map<uint64_t, Finished> drain(Scheduler &scheduler) {
  std::map<uint64_t, Finished> all;
  while (!scheduler.idle()) {
    auto outputs = scheduler.step();
    if (!outputs) {
      ADD_FAILURE() << outputs.error().message();
      break;
    }
    for (const Output &output : *outputs) {
      Finished &one = all[output.request];
      EXPECT_EQ(one.finish, Finish::running) << "output after the end";
      if (output.id)
        one.ids.push_back(*output.id);
      one.text += output.text;
      one.finish = output.finish;
      one.stop = output.stop;
    }
  }
  return all;
}

uint64_t submit(Scheduler &scheduler, Request request, std::unique_ptr<Detokenizer> text = nullptr) {
  auto id = scheduler.submit(std::move(request), std::move(text));
  EXPECT_TRUE(id.ok()) << (id ? "" : id.error().message());
  return id ? *id : 0;
}

void expectAllPagesFree(const Scheduler &scheduler) {
  for (const PagePool &pool : scheduler.pagePools())
    EXPECT_EQ(pool.freePages(), pool.group().pages);
}

// Spells every id in three bytes, "<x>", and holds the last byte back until the next id, as a decoder holds back
// half a character.
class Speller : public Detokenizer {
public:
  std::string push(int32_t id) override {
    std::string text = held + "<" + char('a' + id % 26);
    held = ">";
    return text;
  }
  std::string finish() override { return std::exchange(held, std::string()); }

private:
  std::string held;
};

std::string spell(const std::vector<int32_t> &ids) {
  std::string text;
  for (int32_t id : ids)
    text += std::string("<") + char('a' + id % 26) + ">";
  return text;
}

} // namespace

TEST(Scheduler, OneSequenceDrawsWhatItsContextSays) {
  FakeModel model(small());
  Scheduler scheduler(model);
  Request request;
  request.prompt = promptOf(1, 10);
  request.new_tokens = 50;
  uint64_t id = submit(scheduler, request);
  auto all = drain(scheduler);
  EXPECT_EQ(all[id].ids, reference(model.info(), request.prompt, request.sampling, 50));
  EXPECT_EQ(all[id].finish, Finish::new_tokens);
  expectAllPagesFree(scheduler);
}

TEST(Scheduler, ChunksOfAnySizeGiveTheSameText) {
  std::vector<int32_t> prompt = promptOf(2, 90);
  for (int64_t chunk : {1, 3, 7, 8, 9, 24, 1000}) {
    FakeModel model(small());
    Scheduler scheduler(model, {chunk});
    Request request;
    request.prompt = prompt;
    request.new_tokens = 20;
    uint64_t id = submit(scheduler, request);
    EXPECT_EQ(drain(scheduler)[id].ids, reference(model.info(), prompt, {}, 20)) << "chunk " << chunk;
    EXPECT_LE(model.largestStep, std::min<int64_t>(chunk, 24));
  }
}

TEST(Scheduler, SequencesJoinAndLeaveBetweenSteps) {
  FakeModel model(small());
  Scheduler scheduler(model);
  std::map<uint64_t, Request> requests;
  std::map<uint64_t, Finished> all;
  std::mt19937 random(7);
  for (int round = 0; round < 40 || !scheduler.idle(); ++round) {
    if (round < 40) {
      Request request;
      request.prompt = promptOf(100 + round, 1 + random() % 60);
      request.new_tokens = 1 + random() % 30;
      request.sampling.seed = round;
      request.sampling.temperature = round % 2 ? 0 : 0.8f;
      if (round % 3 == 0)
        request.sampling.repetition_penalty = 1.2f;
      if (round % 5 == 0)
        request.sampling.presence_penalty = 0.5f;
      requests[submit(scheduler, request)] = request;
    }
    auto outputs = scheduler.step();
    ASSERT_TRUE(outputs.ok()) << outputs.error().message();
    for (const Output &output : *outputs)
      all[output.request].ids.push_back(*output.id);
  }
  ASSERT_EQ(all.size(), 40u);
  for (auto &[id, request] : requests)
    EXPECT_EQ(all[id].ids, reference(model.info(), request.prompt, request.sampling, request.new_tokens)) << id;
  EXPECT_EQ(model.mostSequences, 5);
  expectAllPagesFree(scheduler);
}

TEST(Scheduler, DecodeRowsGoBeforePrompts) {
  FakeModel model(small());
  Scheduler scheduler(model);
  Request first;
  first.prompt = promptOf(1, 4);
  first.new_tokens = 30;
  uint64_t one = submit(scheduler, first);
  ASSERT_TRUE(scheduler.step().ok());
  Request second;
  second.prompt = promptOf(2, 150); // takes seven steps of the budget
  second.new_tokens = 1;
  submit(scheduler, second);
  for (int i = 0; i < 6; ++i) { // the decoding one draws in every step
    auto outputs = scheduler.step();
    ASSERT_TRUE(outputs.ok());
    ASSERT_EQ(outputs->size(), 1u);
    EXPECT_EQ((*outputs)[0].request, one);
  }
  EXPECT_LE(model.largestStep, 24);
}

TEST(Scheduler, PreemptedSequencesComputeTheSameTextAgain) {
  // 12 pages of 8: far too few for five sequences of up to 85 positions.
  FakeModel model(small(12));
  Scheduler scheduler(model);
  std::map<uint64_t, Request> requests;
  for (int i = 0; i < 5; ++i) {
    Request request;
    request.prompt = promptOf(i, size_t(5 + 6 * i));
    request.new_tokens = 55;
    request.sampling.temperature = i % 2 ? 1.0f : 0.0f;
    request.sampling.frequency_penalty = i == 3 ? 0.1f : 0;
    request.sampling.seed = 11 * i;
    requests[submit(scheduler, request, std::make_unique<Speller>())] = request;
  }
  auto all = drain(scheduler);
  EXPECT_GT(scheduler.stats().preemptions, 0u);
  for (auto &[id, request] : requests) {
    EXPECT_EQ(all[id].ids, reference(model.info(), request.prompt, request.sampling, 55)) << id;
    EXPECT_EQ(all[id].text, spell(all[id].ids)) << id;
  }
  expectAllPagesFree(scheduler);
}

TEST(Scheduler, TheYoungestIsPreempted) {
  FakeModel model(small(6)); // 48 positions
  Scheduler scheduler(model);
  Request request;
  request.new_tokens = 20;
  request.prompt = promptOf(1, 20);
  uint64_t old = submit(scheduler, request);
  request.prompt = promptOf(2, 20);
  uint64_t young = submit(scheduler, request);
  std::map<uint64_t, size_t> lastStep;
  size_t steps = 0;
  while (!scheduler.idle()) {
    auto outputs = scheduler.step();
    ASSERT_TRUE(outputs.ok());
    ++steps;
    for (const Output &output : *outputs)
      lastStep[output.request] = steps;
  }
  EXPECT_EQ(scheduler.stats().preemptions, 1u);
  EXPECT_EQ(lastStep[old], 20u + kPipelined); // one draw a step, never interrupted
  EXPECT_GT(lastStep[young], lastStep[old]);
}

TEST(Scheduler, APieceOfAnOlderPromptTakesThePagesOfAYoungerRow) {
  FakeModel model(small(9)); // the younger one has its row and a second page when the older one's last piece finds none
  Scheduler scheduler(model, {8});
  Request older, younger;
  older.prompt = promptOf(1, 60); // eight pieces; meanwhile the younger one decodes
  older.new_tokens = 10;
  younger.prompt = promptOf(2, 4);
  younger.new_tokens = 25;
  uint64_t one = submit(scheduler, older), two = submit(scheduler, younger);
  auto all = drain(scheduler);
  EXPECT_GT(scheduler.stats().preemptions, 0u);
  EXPECT_EQ(all[one].ids, reference(model.info(), older.prompt, {}, 10));
  EXPECT_EQ(all[two].ids, reference(model.info(), younger.prompt, {}, 25));
  expectAllPagesFree(scheduler);
}

TEST(Scheduler, NobodyJoinsIntoPagesThatRunningPromptsStillNeed) {
  FakeModel model(small(12)); // two prompts of 40 and what they write; the pieces of a third would find room at first
  Scheduler scheduler(model, {8});
  std::map<uint64_t, Request> requests;
  for (int i = 0; i < 3; ++i) {
    Request request;
    request.prompt = promptOf(i, 40);
    request.new_tokens = 5;
    requests[submit(scheduler, request)] = request;
  }
  auto all = drain(scheduler);
  EXPECT_EQ(scheduler.stats().preemptions, 0u);
  for (auto &[id, request] : requests)
    EXPECT_EQ(all[id].ids, reference(model.info(), request.prompt, {}, 5)) << id;
}

// However many prompts wait, each decoding sequence draws in each step.
TEST(Scheduler, AStreamOfPromptsStarvesNobody) {
  FakeModel model(small());
  Scheduler scheduler(model, {16});
  std::map<uint64_t, size_t> drew; // by request: tokens so far
  std::vector<uint64_t> firsts;
  for (int i = 0; i < 20; ++i) {
    Request request;
    request.prompt = promptOf(i, size_t(1 + (i * 37) % 60));
    request.new_tokens = 8;
    submit(scheduler, request);
  }
  while (!scheduler.idle()) {
    size_t decoding = size_t(std::count_if(drew.begin(), drew.end(), [](auto &one) { return one.second < 8; }));
    auto outputs = scheduler.step();
    ASSERT_TRUE(outputs.ok());
    size_t decoded = 0;
    for (const Output &output : *outputs) {
      if (drew[output.request]++ == 0)
        firsts.push_back(output.request);
      else
        ++decoded;
    }
    EXPECT_EQ(decoded, decoding);
  }
  EXPECT_EQ(scheduler.stats().preemptions, 0u);
  EXPECT_EQ(firsts.size(), 20u);
}

TEST(Scheduler, ThePreemptedGoBeforeThoseWhoWait) {
  FakeModel model(small(6)); // 48 positions: two prompts of 20, not three
  Scheduler scheduler(model);
  Request request;
  std::vector<uint64_t> order;
  for (int64_t newTokens : {20, 20, 5}) {
    request.prompt = promptOf(int(order.size()), 20);
    request.new_tokens = newTokens;
    order.push_back(submit(scheduler, request));
  }
  std::vector<uint64_t> finished;
  while (!scheduler.idle()) {
    auto outputs = scheduler.step();
    ASSERT_TRUE(outputs.ok());
    for (const Output &output : *outputs)
      if (output.finish != Finish::running)
        finished.push_back(output.request);
  }
  EXPECT_EQ(scheduler.stats().preemptions, 1u);
  EXPECT_EQ(finished, order);
}

TEST(Scheduler, WindowsGivePagesBack) {
  RunnerInfo info = small();
  info.context = 1000;
  info.groups = {{8, 20, 16}, {16, 0, 63}}; // the first pool holds a window of 20, a block of 64 and a chunk; not 1000
  FakeModel model(info);
  Scheduler scheduler(model);
  Request request;
  request.prompt = promptOf(5, 300);
  request.new_tokens = 400;
  uint64_t id = submit(scheduler, request);
  EXPECT_EQ(drain(scheduler)[id].ids, reference(info, request.prompt, {}, 400));
  EXPECT_EQ(scheduler.stats().preemptions, 0u);
  expectAllPagesFree(scheduler);
}

TEST(Scheduler, EndTokensEndAndShowNothing) {
  FakeModel model(small());
  std::vector<int32_t> prompt = promptOf(3, 12);
  std::vector<int32_t> expected = reference(model.info(), prompt, {}, 40);
  size_t end = 0; // the first id that did not stand before
  for (end = 5;
       std::find(expected.begin(), expected.begin() + int64_t(end), expected[end]) != expected.begin() + int64_t(end);)
    ++end;
  Scheduler scheduler(model);
  Request request;
  request.prompt = prompt;
  request.new_tokens = 40;
  request.end_ids = {96 + 1000, expected[end]};
  uint64_t id = submit(scheduler, request, std::make_unique<Speller>());
  auto all = drain(scheduler);
  EXPECT_EQ(all[id].finish, Finish::end_token);
  EXPECT_EQ(all[id].ids, std::vector<int32_t>(expected.begin(), expected.begin() + int64_t(end) + 1));
  EXPECT_EQ(all[id].text, spell(std::vector<int32_t>(expected.begin(), expected.begin() + int64_t(end))));
  expectAllPagesFree(scheduler);
}

TEST(Scheduler, StopStringsSpanTokens) {
  FakeModel model(small());
  std::vector<int32_t> prompt = promptOf(3, 12);
  std::string whole = spell(reference(model.info(), prompt, {}, 40));
  std::string stop = whole.substr(31, 7); // begins and ends inside tokens
  Scheduler scheduler(model);
  Request request;
  request.prompt = prompt;
  request.new_tokens = 40;
  request.stop = {"never", stop};
  uint64_t id = submit(scheduler, request, std::make_unique<Speller>());
  auto all = drain(scheduler);
  EXPECT_EQ(all[id].finish, Finish::stop_string);
  EXPECT_EQ(all[id].stop, stop);
  EXPECT_EQ(all[id].text, whole.substr(0, whole.find(stop)));
  expectAllPagesFree(scheduler);
}

TEST(Scheduler, TheContextEndsASequence) {
  FakeModel model(small());
  Scheduler scheduler(model);
  Request request;
  request.prompt = promptOf(3, 190);
  uint64_t id = submit(scheduler, request); // no limit of its own
  auto all = drain(scheduler);
  EXPECT_EQ(all[id].finish, Finish::context);
  EXPECT_EQ(all[id].ids, reference(model.info(), request.prompt, {}, 10));
}

TEST(Scheduler, CancelledSequencesGiveTheirPagesBack) {
  FakeModel model(small());
  Scheduler scheduler(model);
  Request request;
  request.prompt = promptOf(3, 30);
  request.new_tokens = 10;
  uint64_t first = submit(scheduler, request), second = submit(scheduler, request);
  ASSERT_TRUE(scheduler.step().ok());
  scheduler.cancel(first);
  scheduler.cancel(12345);
  auto all = drain(scheduler);
  EXPECT_EQ(all.count(first), 0u);
  EXPECT_EQ(all[second].ids, reference(model.info(), request.prompt, {}, 10));
  expectAllPagesFree(scheduler);
}

// Sources in a group of their own: pages by their lengths, encoded when a sequence joins, and again after it was preempted.
TEST(Scheduler, SourcesAreEncodedOnceForEachRun) {
  for (uint64_t pages : {64, 9}) { // few: sequences are preempted
    RunnerInfo info = small(pages);
    info.source = 40;
    info.groups.push_back({8, 0, pages == 64 ? 64u : 11u, 40});
    FakeModel model(info);
    Scheduler scheduler(model);
    std::map<uint64_t, std::pair<Request, std::vector<int32_t>>> requests;
    for (int i = 0; i < 7; ++i) {
      const std::vector<int32_t> source = promptOf(100 + i, size_t(1 + 6 * i));
      Request request;
      request.prompt = promptOf(i, size_t(1 + i % 3));
      request.source = sourceOf(source);
      request.new_tokens = 30;
      uint64_t id = submit(scheduler, request);
      requests[id] = {std::move(request), source};
    }
    auto all = drain(scheduler);
    for (auto &[id, one] : requests)
      EXPECT_EQ(all[id].ids, reference(model.info(), one.first.prompt, one.first.sampling, 30, one.second)) << id;
    EXPECT_EQ(model.encoded, 7 + int64_t(scheduler.stats().preemptions));
    EXPECT_EQ(scheduler.stats().preemptions > 0, pages == 9);
    expectAllPagesFree(scheduler);
  }
}

TEST(Scheduler, RefusesSourcesThatDoNotFit) {
  RunnerInfo info = small(10);
  info.source = 40;
  info.groups.push_back({8, 0, 3, 40});
  FakeModel model(info), plain(small(10));
  Scheduler scheduler(model), without(plain);
  auto message = [](Scheduler &to, size_t source, uint64_t session = 0) {
    Request request;
    request.prompt = {1};
    request.session = session;
    if (source)
      request.source = sourceOf(promptOf(1, source));
    auto id = to.submit(std::move(request), nullptr);
    return id ? std::string("accepted") : id.error().message();
  };
  EXPECT_EQ(message(scheduler, 0), "the model reads a source with its encoder, and the request has none");
  EXPECT_EQ(message(without, 5), "the request has a source, but the model has no encoder that would read it");
  EXPECT_EQ(message(scheduler, 41), "the source has 41 positions, but 40 were planned; shorten it or load the model for longer ones");
  EXPECT_EQ(message(scheduler, 25), "the source has 25 positions, which the cache does not hold; give it more memory");
  EXPECT_EQ(message(scheduler, 5, scheduler.openSession()),
            "a session keeps what a prompt begins with, and a model with an encoder begins anew for each source");
  EXPECT_TRUE(scheduler.idle());
}

TEST(Scheduler, RefusesWhatItCannotServe) {
  FakeModel model(small(10)); // 80 positions
  Scheduler scheduler(model);
  auto message = [&](Request request) {
    auto id = scheduler.submit(std::move(request), nullptr);
    return id ? std::string("accepted") : id.error().message();
  };
  Request request;
  EXPECT_EQ(message(request), "the prompt has no tokens; give at least one");
  request.prompt = {1, 97};
  EXPECT_EQ(message(request), "id 97 at place 1 of the prompt is outside the vocabulary 0..96");
  request.prompt = {-1};
  EXPECT_EQ(message(request), "id -1 at place 0 of the prompt is outside the vocabulary 0..96");
  request.prompt = promptOf(1, 200);
  EXPECT_EQ(message(request), "the prompt has 200 ids, but the context holds 200 with at least one new token; "
                              "shorten the prompt or raise the context");
  request.prompt = promptOf(1, 80);
  EXPECT_EQ(message(request), "the prompt has 80 ids, but the cache holds 80 with at least one new token; give the "
                              "cache more memory");
  request.prompt = {1};
  request.stop = {"x"};
  EXPECT_EQ(message(request), "stop strings need a tokenizer, and there is none");
  request.stop = {};
  request.sampling.top_p = 0;
  EXPECT_EQ(message(request), "top-p is 0; it must be above 0 and at most 1 (off)");
  request.sampling = {};
  request.sampling.temperature = -1;
  EXPECT_EQ(message(request), "temperature is -1; it must be a finite number, 0 (greedy) or more");
  request.sampling = {};
  request.sampling.temperature = std::nanf("");
  EXPECT_NE(message(request), "accepted");
  EXPECT_TRUE(scheduler.idle());
}
