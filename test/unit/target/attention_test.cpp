// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// rope_append, attention and attention_merge: pages in scrambled order, sequences mixed in one step, prompts in pieces,
// contexts whose segments are left apart; against softmax in f64 over keys and values kept beside (of int8: over what
// the cache holds, which is compared by itself), and bit by bit against other ways of cutting the same work.
#include "test/unit/target/attention_checks.h"

using namespace ingot::test;

namespace {

class AttentionTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
  // Many rows by the model of the tile instructions: seconds for every long context.
  static bool slow(const Layer &layer) { return GetParam()->native && AttentionShape(*layer.attention).queries > 16; }
  static std::vector<Layer> layers() {
    std::vector<Layer> all;
    for (const TestKernel *attention : Images::get().kernels("attention", GetParam()))
      if (std::string name = attention->name.substr(0, 10); name == "attention-")
        all.push_back({&Images::get().kernel("append-" + attention->name.substr(10)), attention,
                       &Images::get().kernel("merge-" + attention->name.substr(10)), onSet(*GetParam()),
                       GetParam()->tileOrder && attention->integer("cache_type") == kBF16 ? kBF16 : kF32});
    return all;
  }
};

TEST_P(AttentionTest, AgreesWithSoftmaxInF64) {
  for (const Layer &layer : layers())
    checkAttention(layer, slow(layer) ? 330 : 2300);
}

// Keys are normalized and rotated, values as they are, rounded to the cache's type: those of a prompt by rope_append,
// the last one by attention.
TEST_P(AttentionTest, CachesKeysAndValues) {
  for (const Layer &layer : layers())
    checkCache(layer);
}

// However a prompt is cut, whatever shares its steps, and however tiles are split: the same bits. Short steps past
// position 2,048 leave segments apart, the long one does not.
TEST_P(AttentionTest, CutsAndCompanyChangeNoBit) {
  for (const Layer &layer : layers()) {
    const int kLength = slow(layer) ? 330 : 2160;
    AttentionModel whole(layer, {kLength});
    Buffer all = whole.step({{0, 0, kLength}}, 1);
    size_t rowBytes = all.size / kLength;
    AttentionModel cut(layer, {kLength, 300});
    int other = 0;
    Numbers numbers(3);
    for (int from = 0; from < kLength;) {
      int to = std::min(kLength, from + (from > 2100 ? 1 + numbers.below(2) : 1 + numbers.below(130)));
      int more = std::min(300, other + numbers.below(40));
      std::vector<Piece> pieces = {{0, from, to}};
      int row = 0;
      if (more > other) {
        bool before = numbers.below(2);
        pieces.insert(before ? pieces.begin() : pieces.end(), Piece{1, other, more});
        row = before ? more - other : 0;
        other = more;
      }
      Buffer some = cut.step(pieces, static_cast<uint32_t>(1 + numbers.below(4)));
      ASSERT_EQ(std::memcmp(some.as<uint8_t>() + static_cast<size_t>(row) * rowBytes,
                            all.as<uint8_t>() + static_cast<size_t>(from) * rowBytes,
                            static_cast<size_t>(to - from) * rowBytes),
                0)
          << layer.attention->name << " on " << GetParam()->name << ", positions " << from << ".." << to;
      from = to;
    }
  }
}

// A value that a token does not see never reaches it, not as zero times infinity either: in a step with tokens that do
// see it the others get their usual bits.
TEST_P(AttentionTest, WhatIsNotSeenMayBeInfinite) {
  for (const Layer &layer : layers())
    checkUnseen(layer);
}

TEST_P(AttentionTest, ManySequences) {
  for (const Layer &layer : layers())
    checkManySequences(layer, 40);
}

// Tokens without a slot attend over what the cache holds already, and leave it alone.
TEST_P(AttentionTest, NegativeSlotsKeepTheCache) {
  for (const Layer &layer : layers())
    checkNegativeSlots(layer);
}

// A negative slot appends nothing, nor does the last token of a sequence; a group's slots are its own row.
TEST_P(AttentionTest, SlotsDecideWhatIsAppended) {
  checkSlots(Images::get().kernel("append-group1"), onSet(*GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Sets, AttentionTest, testing::ValuesIn(Images::get().setsOf("attention")),
                         [](const auto &info) { return info.param->name; });

} // namespace
