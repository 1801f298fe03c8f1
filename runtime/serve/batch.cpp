// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See batch.h: rows in the order they were added, arrays in the layout of the step contract.
#include "runtime/serve/batch.h"

#include <algorithm>

namespace ingot::serve {

void BatchBuilder::add(const PagedSequence &sequence, std::span<const int32_t> ids, WantLogits want) {
  rows.push_back({&sequence, ids, want});
}

int64_t BatchBuilder::logitRows() const {
  int64_t count = 0;
  for (const Row &row : rows)
    count += row.want == WantLogits::all ? int64_t(row.ids.size()) : row.want == WantLogits::last;
  return count;
}

std::vector<int32_t> sourceSlots(const std::vector<PagePool> &pools, const PagedSequence &sequence) {
  std::vector<int32_t> slots;
  for (size_t g = 0; g < pools.size(); ++g)
    for (int64_t position = 0; position < sequence.sourceLength(); ++position)
      slots.push_back(pools[g].group().source ? sequence.slot(pools, g, position) : -1);
  return slots;
}

StepBatch BatchBuilder::build() const {
  StepBatch batch;
  batch.sequence_starts.push_back(0);
  for (const Row &row : rows) {
    int64_t first = row.sequence->length();
    int32_t start = int32_t(batch.tokens.size());
    for (size_t i = 0; i < row.ids.size(); ++i) {
      batch.tokens.push_back(row.ids[i]);
      batch.positions.push_back(int32_t(first + int64_t(i)));
      batch.source_positions.push_back(int32_t(row.sequence->sourceLength() - 1));
      if (row.want == WantLogits::all || (row.want == WantLogits::last && i + 1 == row.ids.size()))
        batch.logit_rows.push_back(start + int32_t(i));
    }
    batch.sequence_starts.push_back(int32_t(batch.tokens.size()));
    batch.context_lengths.push_back(int32_t(first + int64_t(row.ids.size())));
    batch.source_lengths.push_back(int32_t(row.sequence->sourceLength()));
    for (size_t g = 0; g < pools.size(); ++g)
      batch.blocks = std::max<int64_t>(batch.blocks, int64_t(row.sequence->blocks(g).size()));
  }
  for (size_t g = 0; g < pools.size(); ++g)
    for (const Row &row : rows) {
      for (size_t i = 0; i < row.ids.size(); ++i)
        batch.slots.push_back(pools[g].group().source ? -1 : row.sequence->slot(pools, g, row.sequence->length() + int64_t(i)));
      const std::vector<int32_t> &blocks = row.sequence->blocks(g);
      batch.block_table.insert(batch.block_table.end(), blocks.begin(), blocks.end());
      batch.block_table.resize(batch.block_table.size() + size_t(batch.blocks) - blocks.size(), 0);
    }
  batch.previous_ids.assign(batch.logit_rows.size(), 0);
  return batch;
}

} // namespace ingot::serve
