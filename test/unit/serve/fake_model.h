// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model whose next token is a hash of its whole context, read back from a cache through the block table exactly as
// attention would: a wrong slot, a page given to two sequences, a chunk out of place or a draw with the wrong counter
// changes the text. Pipelined, as a GPU is, it gives ids only when they are waited for, and knows them by their rows
// before. `reference` computes the same text from the ids alone, without cache, pages or schedule.
#ifndef INGOT_TEST_SERVE_FAKE_MODEL_H
#define INGOT_TEST_SERVE_FAKE_MODEL_H

#include "runtime/serve/scheduler.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace ingot::serve::test {

// The tests of the schedule run twice: as a CPU has it, and pipelined.
#ifdef INGOT_TEST_PIPELINED
inline constexpr bool kPipelined = true;
#else
inline constexpr bool kPipelined = false;
#endif

inline uint64_t mix(uint64_t h, uint64_t v) {
  h ^= v + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2);
  h *= 0xbf58476d1ce4e5b9ull;
  return h ^ (h >> 29);
}

// A source of these numbers.
inline Source sourceOf(const std::vector<int32_t> &ids) {
  Source source{{1, int64_t(ids.size())}, std::vector<char>(ids.size() * sizeof(int32_t))};
  std::memcpy(source.data.data(), ids.data(), source.data.size());
  return source;
}

// What the model makes of ids[0..n-1], after a source: every group contributes what it may see.
inline uint64_t digest(const std::vector<PageGroup> &groups, const std::vector<int32_t> &ids, const std::vector<int32_t> &source = {}) {
  uint64_t h = 1;
  for (const PageGroup &group : groups) {
    if (group.source) {
      for (size_t p = 0; p < source.size(); ++p)
        h = mix(mix(h, p), uint64_t(source[p]));
      continue;
    }
    size_t first = group.window && ids.size() > group.window ? ids.size() - group.window : 0;
    for (size_t p = first; p < ids.size(); ++p)
      h = mix(mix(h, p), uint64_t(ids[p]));
  }
  return h;
}

inline int32_t draw(uint64_t digest, const SamplingParams &params, int64_t counter,
                    const std::map<int32_t, int32_t> &penalties, int64_t vocabulary) {
  if (params.temperature > 0)
    digest = mix(mix(digest, uint64_t(params.seed)), uint64_t(counter));
  for (auto [id, count] : penalties)
    digest = mix(mix(digest, uint64_t(id)), uint64_t(count));
  return int32_t(digest % uint64_t(vocabulary));
}

// `count` tokens after `prompt`.
inline std::vector<int32_t> reference(const RunnerInfo &info, const std::vector<int32_t> &prompt,
                                      const SamplingParams &params, int64_t count, const std::vector<int32_t> &source = {}) {
  std::vector<int32_t> ids = prompt, drawn;
  for (int64_t i = 0; i < count; ++i) {
    std::map<int32_t, int32_t> penalties;
    if (params.repetition_penalty != 1)
      for (int32_t id : prompt)
        penalties[id];
    if (params.repetition_penalty != 1 || params.presence_penalty != 0 || params.frequency_penalty != 0)
      for (int32_t id : drawn)
        ++penalties[id];
    int32_t id = draw(digest(info.groups, ids, source), params, i, penalties, info.vocabulary);
    ids.push_back(id);
    drawn.push_back(id);
  }
  return drawn;
}

class FakeModel : public StepRunner {
public:
  explicit FakeModel(RunnerInfo given, bool pipelined = kPipelined) : facts(std::move(given)), isPipelined(pipelined) {
    for (const PageGroup &group : facts.groups)
      cache.emplace_back(group.pages * group.page_tokens, Cell{-1, -1});
  }

  const RunnerInfo &info() const override { return facts; }
  bool pipelined() const override { return isPipelined; }
  bool keepsLogits() const override { return isPipelined; }

  Result<void> step(const StepBatch &b, float *logits) override {
    auto fail = [](const char *what) { return makeError(ErrorCode::Internal, "fake model: %s", what); };
    int64_t T = int64_t(b.tokens.size()), R = int64_t(b.context_lengths.size()), L = int64_t(b.logit_rows.size());
    if (T < 1 || T > facts.tokens || R > facts.sequences || L > facts.logit_rows)
      return fail("a bound is passed");
    if (int64_t(b.positions.size()) != T || int64_t(b.sequence_starts.size()) != R + 1 ||
        int64_t(b.previous_ids.size()) != L || b.slots.size() != size_t(T) * facts.groups.size() ||
        b.block_table.size() != size_t(R * b.blocks) * facts.groups.size() || b.sequence_starts[0] != 0 ||
        b.sequence_starts[size_t(R)] != T)
      return fail("an array has the wrong length");
    // Append, as rope_append does.
    for (size_t g = 0; g < facts.groups.size(); ++g)
      for (int64_t t = 0; t < T; ++t) {
        int32_t slot = b.slots[g * size_t(T) + size_t(t)];
        if (facts.groups[g].source) {
          if (slot >= 0)
            return fail("a token has a slot where sources are kept");
          continue;
        }
        if (slot < 0 || size_t(slot) >= cache[g].size())
          return fail("a slot is outside the pool");
        int32_t token = b.tokens[size_t(t)];
        if (token < 0 && (!isPipelined || size_t(-1 - token) >= drawn.size()))
          return fail("a token is a row that was not drawn");
        cache[g][size_t(slot)] = {token < 0 ? drawn[size_t(-1 - token)] : token, b.positions[size_t(t)]};
      }
    // Attend, for the rows that want logits.
    digests.clear();
    for (int32_t row : b.logit_rows) {
      int64_t r = 0;
      while (b.sequence_starts[size_t(r) + 1] <= row)
        ++r;
      int64_t position = b.positions[size_t(row)];
      if (position != b.context_lengths[size_t(r)] - (b.sequence_starts[size_t(r) + 1] - row))
        return fail("positions and context lengths disagree");
      if (position >= facts.context)
        return fail("a position is outside the context");
      uint64_t h = 1;
      for (size_t g = 0; g < facts.groups.size(); ++g) {
        int64_t pageTokens = facts.groups[g].page_tokens, window = facts.groups[g].window;
        const int64_t last = facts.groups[g].source ? b.source_positions[size_t(row)] : position;
        if (facts.groups[g].source && last != b.source_lengths[size_t(r)] - 1)
          return fail("a token does not see the whole source");
        for (int64_t p = window ? std::max<int64_t>(0, position - window + 1) : 0; p <= last; ++p) {
          int64_t block = p / pageTokens;
          if (block >= b.blocks)
            return fail("the block table is too short");
          int32_t page = b.block_table[(g * size_t(R) + size_t(r)) * size_t(b.blocks) + size_t(block)];
          const Cell &cell = cache[g][size_t(page * pageTokens + p % pageTokens)];
          if (cell.position != p)
            return fail("a cell holds another position");
          h = mix(mix(h, uint64_t(p)), uint64_t(cell.token));
        }
      }
      digests.push_back(h);
      if (!logits)
        continue;
      std::fill_n(logits + (digests.size() - 1) * size_t(facts.vocabulary), facts.vocabulary, 0.0f);
      logits[(digests.size() - 1) * size_t(facts.vocabulary) + h % uint64_t(facts.vocabulary)] = 1;
    }
    largestStep = std::max(largestStep, T);
    mostSequences = std::max(mostSequences, R);
    return {};
  }

  Result<int64_t> sourcePositions(const Source &source) const override {
    return facts.source ? Result<int64_t>(source.shape.at(1)) : StepRunner::sourcePositions(source);
  }
  Result<void> encode(const Source &source, const std::vector<int32_t> &slots) override {
    const size_t count = size_t(source.shape.at(1));
    if (slots.size() != count * facts.groups.size())
      return makeError(ErrorCode::Internal, "fake model: slots of a source have the wrong length");
    for (size_t g = 0; g < facts.groups.size(); ++g)
      for (size_t p = 0; facts.groups[g].source && p < count; ++p) {
        int32_t id;
        std::memcpy(&id, source.data.data() + p * sizeof id, sizeof id);
        cache[g].at(size_t(slots[g * count + p])) = {id, int32_t(p)};
      }
    ++encoded;
    return {};
  }

  Result<void> sample(const SampleBatch &b, const float *logits, int32_t *ids, float *log_probabilities) override {
    size_t L = b.temperature.size();
    if (L != digests.size() || b.penalty_starts.size() != L + 1 || b.mask_rows.size() != L)
      return makeError(ErrorCode::Internal, "fake model: sample got other rows than step");
    for (size_t i = 0; i < L; ++i) {
      SamplingParams params;
      params.temperature = b.temperature[i];
      params.seed = b.seed[i];
      std::map<int32_t, int32_t> penalties;
      for (int32_t e = b.penalty_starts[i]; e < b.penalty_starts[i + 1]; ++e)
        if (!penalties.emplace(b.penalty_ids[size_t(e)], b.penalty_counts[size_t(e)]).second)
          return makeError(ErrorCode::Internal, "fake model: a penalized id stands twice");
      ids[i] = draw(digests[i], params, b.counter[i], penalties, facts.vocabulary);
      log_probabilities[i] = -0.5f;
    }
    return {};
  }

  Result<void> beginSample(const SampleBatch &b) override {
    if (outstanding)
      return makeError(ErrorCode::Internal, "fake model: two draws at once");
    outstanding = true;
    drawn.assign(b.temperature.size(), -1);
    drawnLog.assign(b.temperature.size(), 0);
    return sample(b, nullptr, drawn.data(), drawnLog.data());
  }
  Result<void> endSample(int32_t *ids, float *log_probabilities) override {
    if (!outstanding)
      return makeError(ErrorCode::Internal, "fake model: nothing was drawn");
    outstanding = false;
    std::copy(drawn.begin(), drawn.end(), ids);
    std::copy(drawnLog.begin(), drawnLog.end(), log_probabilities);
    return {};
  }

  int64_t largestStep = 0, mostSequences = 0;
  int64_t encoded = 0; // sources

private:
  struct Cell {
    int32_t token;
    int32_t position;
  };
  RunnerInfo facts;
  bool isPipelined, outstanding = false;
  std::vector<int32_t> drawn; // by the last beginSample
  std::vector<float> drawnLog;
  std::vector<std::vector<Cell>> cache;
  std::vector<uint64_t> digests;
};

} // namespace ingot::serve::test

#endif
