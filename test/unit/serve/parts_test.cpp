// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The small parts under the scheduler: stop strings, pages, forward passes.
#include "runtime/serve/likelihood.h"
#include "test/unit/serve/fake_model.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace ingot::serve;
using namespace ingot::serve::test;

TEST(StopMatcher, HoldsBackWhatCouldBecomeAStopString) {
  StopMatcher stops({"\n\nUser:"});
  EXPECT_EQ(stops.push("Hello\n"), "Hello");
  EXPECT_EQ(stops.push("\nUs"), "");
  EXPECT_EQ(stops.push("age"), "\n\nUsage");
  EXPECT_EQ(stops.push("\n\nUser"), "");
  EXPECT_EQ(stops.matched(), nullptr);
  EXPECT_EQ(stops.push(": hi"), "");
  ASSERT_NE(stops.matched(), nullptr);
  EXPECT_EQ(*stops.matched(), "\n\nUser:");
  EXPECT_EQ(stops.push("more"), "");
  EXPECT_EQ(stops.finish(), "");
}

TEST(StopMatcher, TheEarliestWinsAndTheLongerOfTwoAtOnePlace) {
  StopMatcher stops({"cd", "b", "bc", ""});
  EXPECT_EQ(stops.push("xabcd"), "xa");
  EXPECT_EQ(*stops.matched(), "bc");
}

TEST(StopMatcher, RepeatedPrefixes) {
  StopMatcher stops({"aab"});
  std::string shown;
  for (char c : std::string("aaaab!"))
    shown += stops.push(std::string(1, c));
  EXPECT_EQ(shown, "aa");
  EXPECT_NE(stops.matched(), nullptr);
}

TEST(StopMatcher, FinishShowsWhatWasHeld) {
  StopMatcher stops({"end."});
  EXPECT_EQ(stops.push("the end"), "the ");
  EXPECT_EQ(stops.finish(), "end");
}

TEST(PagedSequence, TakesAllOrNothing) {
  std::vector<PagePool> pools{PagePool({4, 0, 3}), PagePool({2, 0, 4})};
  PagedSequence sequence(2);
  EXPECT_FALSE(sequence.reserve(pools, 9)); // the second pool has room for 8
  EXPECT_EQ(pools[0].freePages(), 3u);
  EXPECT_TRUE(sequence.reserve(pools, 7));
  EXPECT_EQ(pools[0].freePages(), 1u);
  EXPECT_EQ(pools[1].freePages(), 0u);
  EXPECT_EQ(sequence.slot(pools, 0, 6), sequence.blocks(0)[1] * 4 + 2);
  EXPECT_EQ(sequence.slot(pools, 1, 6), sequence.blocks(1)[3] * 2);
  sequence.release(pools);
  EXPECT_EQ(pools[0].freePages(), 3u);
  EXPECT_EQ(pools[1].freePages(), 4u);
}

TEST(PagePool, UsesNewPagesOnlyWhenNoneIsFree) {
  PagePool pool({16, 0, 3});
  EXPECT_EQ(pool.take(), 0);
  EXPECT_EQ(pool.take(), 1);
  pool.giveBack(0);
  EXPECT_EQ(pool.take(), 0);
  EXPECT_EQ(pool.take(), 2);
  EXPECT_EQ(pool.take(), -1);
}

namespace {

RunnerInfo wide() {
  RunnerInfo info;
  info.vocabulary = 31;
  info.context = 100;
  info.tokens = 64;
  info.sequences = 2;
  info.logit_rows = 64;
  info.groups = {{8, 0, 40}};
  return info;
}

std::vector<int32_t> someIds(size_t count, int32_t step) {
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i)
    ids[i] = int32_t((i * i + size_t(step)) % 31);
  return ids;
}

std::vector<int32_t> argmaxOfAll(FakeModel &model, const std::vector<int32_t> &ids, const ForwardOptions &options) {
  std::vector<int32_t> best;
  auto done = forward(model, ids, options, [&](int64_t first, int64_t rows, const float *logits) -> Result<void> {
    EXPECT_EQ(first, int64_t(best.size()));
    for (int64_t i = 0; i < rows; ++i)
      best.push_back(int32_t(std::max_element(logits + i * 31, logits + (i + 1) * 31) - (logits + i * 31)));
    return {};
  });
  EXPECT_TRUE(done.ok()) << done.error().message();
  return best;
}

} // namespace

TEST(Forward, PiecesAndCompanyChangeNothing) {
  FakeModel model(wide());
  std::vector<int32_t> ids = someIds(60, 3), other = someIds(77, 5), expected;
  for (size_t n = 1; n <= ids.size(); ++n) {
    std::vector<int32_t> prefix(ids.begin(), ids.begin() + int64_t(n));
    expected.push_back(int32_t(digest(model.info().groups, prefix) % 31));
  }
  for (int64_t chunk : {0, 1, 5, 8, 33}) {
    EXPECT_EQ(argmaxOfAll(model, ids, {chunk, {}}), expected);
    EXPECT_EQ(argmaxOfAll(model, ids, {chunk, other}), expected);
  }
}

TEST(Forward, RefusesByName) {
  FakeModel model(wide());
  auto nothing = [](int64_t, int64_t, const float *) -> Result<void> { return {}; };
  EXPECT_EQ(forward(model, {}, {}, nothing).error().message(), "the sequence has no ids; give at least one");
  EXPECT_EQ(forward(model, someIds(101, 0), {}, nothing).error().message(),
            "a sequence has 101 ids, but the context holds 100; shorten it or raise the context");
  EXPECT_EQ(forward(model, std::vector<int32_t>{1}, {0, std::vector<int32_t>{31}}, nothing).error().message(),
            "id 31 at place 0 of the other sequence is outside the vocabulary 0..30");
}

TEST(Evaluate, EveryIdAfterTheFirstIsPredictedOnce) {
  FakeModel model(wide());
  std::vector<int32_t> ids = someIds(95, 1);
  // Logits are 1 at the digest of the window so far and 0 elsewhere.
  double nll = 0;
  for (size_t i = 1; i < ids.size(); ++i) {
    size_t start = (i - 1) / 20 * 20;
    std::vector<int32_t> seen(ids.begin() + int64_t(start), ids.begin() + int64_t(i));
    bool hit = int32_t(digest(model.info().groups, seen) % 31) == ids[i];
    nll += std::log(30 + std::exp(1.0)) - (hit ? 1 : 0);
  }
  auto result = evaluate(model, ids, 20);
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->predicted, 94);
  EXPECT_NEAR(result->nll, nll, 1e-9);
  EXPECT_FALSE(evaluate(model, ids, 101).ok());
  EXPECT_FALSE(evaluate(model, std::vector<int32_t>{1}, 20).ok());
}

TEST(Compare, AModelAgreesWithItselfWhateverThePieces) {
  RunnerInfo narrow = wide();
  narrow.tokens = narrow.logit_rows = 7;
  FakeModel model(wide()), reference(narrow);
  std::vector<int32_t> ids = someIds(95, 1);
  auto result = compare(model, reference, ids, 20);
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->kl, std::vector<double>(94, 0.0));
  EXPECT_EQ(result->agreements, 94);
  EXPECT_EQ(result->model.nll, evaluate(model, ids, 20)->nll);
  EXPECT_EQ(result->reference.nll, result->model.nll);
}

TEST(Compare, DivergenceIsTheFormulas) {
  RunnerInfo sliding = wide();
  sliding.groups = {{8, 5, 40}}; // sees the last 5 ids only: beyond them another digest
  FakeModel model(sliding), reference(wide());
  std::vector<int32_t> ids = someIds(61, 2);
  auto result = compare(model, reference, ids, 12);
  ASSERT_TRUE(result.ok()) << result.error().message();
  ASSERT_EQ(result->kl.size(), 60u);
  // Logits are 1 at one id and 0 at the 30 others. Where the ids differ, two terms remain of the sum:
  // (e * 1 + 1 * -1) / (30 + e).
  const double apart = (std::exp(1.0) - 1) / (30 + std::exp(1.0));
  int64_t agreements = 0;
  for (size_t i = 1; i < ids.size(); ++i) {
    std::vector<int32_t> seen(ids.begin() + int64_t((i - 1) / 12 * 12), ids.begin() + int64_t(i));
    bool same = digest(sliding.groups, seen) % 31 == digest(wide().groups, seen) % 31;
    agreements += same;
    EXPECT_NEAR(result->kl[i - 1], same ? 0 : apart, 1e-15) << i;
  }
  EXPECT_EQ(result->agreements, agreements);
  EXPECT_LT(agreements, 60);
}

TEST(Compare, RefusesOtherVocabularies) {
  RunnerInfo other = wide();
  other.vocabulary = 32;
  FakeModel model(wide()), reference(other);
  EXPECT_EQ(compare(model, reference, someIds(9, 1), 4).error().message(),
            "the vocabularies differ, 31 ids and 32 in the reference; compare engines of one model");
}
