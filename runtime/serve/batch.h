// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packs rows of several sequences into the inputs of one `step`. Pages must have been reserved before; the builder
// takes none and decides nothing.
#ifndef INGOT_SERVE_BATCH_H
#define INGOT_SERVE_BATCH_H

#include "runtime/serve/runner.h"

#include <span>

namespace ingot::serve {

enum class WantLogits { none, last, all };

class BatchBuilder {
public:
  explicit BatchBuilder(const std::vector<PagePool> &pools) : pools(pools) {}
  // The next `ids.size()` tokens of `sequence`, which stand right after its positions already in the cache.
  void add(const PagedSequence &sequence, std::span<const int32_t> ids, WantLogits want);
  bool empty() const { return rows.empty(); }
  int64_t logitRows() const;
  StepBatch build() const;

private:
  struct Row {
    const PagedSequence *sequence;
    std::span<const int32_t> ids;
    WantLogits want;
  };
  const std::vector<PagePool> &pools;
  std::vector<Row> rows;
};

// Where the positions of a sequence's source lie, [G, positions]: -1 in groups that keep none.
std::vector<int32_t> sourceSlots(const std::vector<PagePool> &pools, const PagedSequence &sequence);

} // namespace ingot::serve

#endif
