// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See kept.h. A place's number among those kept is the count of those before it. Counts are made in three levels, of single
// places, of blocks of 64 and of blocks of 64 blocks, each counted up from the front; the k-th place is then found from the
// largest blocks down, by how many counts are at most k.
#include "compiler/import/onnx/kept.h"

#include "compiler/import/onnx/ops/indices.h"

namespace ingot::onnx {

namespace {

constexpr int64_t kBlock = 64;

Scalar one() { return Scalar::integer(ElementType::i64, 1); }
Scalar none() { return Scalar::integer(ElementType::i64, 0); }

// The sum over each block; the last one may be short.
Tensor blockSums(Graph &graph, Tensor x) {
  const Dimension size = x->shape[0];
  return graph.reduce(DataType::i64, {Dimension::ceilDiv(size, kBlock)}, {Dimension(kBlock)}, Reduction::sum,
                      [&](const Indices &i, const Indices &k) {
                        Scalar place = i[0] * Scalar(kBlock) + k[0];
                        return select(place < Scalar(size), graph.at(x, {clampedTo(place, size)}), none());
                      });
}

// Sums from the front, each with its own; `blocks` are those of whole blocks, null where there is one level more of none.
Tensor runningSums(Graph &graph, Tensor x, Tensor blocks) {
  const Dimension size = x->shape[0];
  if (!blocks)
    return graph.reduce(DataType::i64, {size}, {size}, Reduction::sum, [&](const Indices &i, const Indices &k) {
      return select(k[0] <= i[0], graph.at(x, {k[0]}), none());
    });
  Tensor inBlock = graph.reduce(DataType::i64, {size}, {Dimension(kBlock)}, Reduction::sum, [&](const Indices &i, const Indices &k) {
    Scalar place = i[0] / Scalar(kBlock) * Scalar(kBlock) + k[0];
    return select(place <= i[0], graph.at(x, {clampedTo(place, size)}), none());
  });
  return graph.compute(DataType::i64, {size}, [&](const Indices &i) {
    Scalar block = i[0] / Scalar(kBlock);
    Scalar before = graph.at(blocks, {clampedTo(block - Scalar(1), blocks->shape[0])});
    return graph.at(inBlock, {i[0]}) + select(block > Scalar(0), before, none());
  });
}

// For each k the first place in the block that `outer` names (all there are: null) whose running sum is more than k.
Tensor find(Graph &graph, Tensor running, Tensor outer, const Dimension &count) {
  const Dimension size = running->shape[0];
  Tensor passed = graph.reduce(DataType::i64, {count}, {outer ? Dimension(kBlock) : size}, Reduction::sum,
                               [&](const Indices &i, const Indices &k) {
                                 Scalar place = k[0];
                                 if (outer)
                                   place = cast(graph.at(outer, {i[0]}), ElementType::index) * Scalar(kBlock) + k[0];
                                 Scalar before = graph.at(running, {clampedTo(place, size)}) <= cast(i[0], ElementType::i64);
                                 return select(both(place < Scalar(size), before), one(), none());
                               });
  if (!outer)
    return passed;
  return graph.compute(DataType::i64, {count}, [&](const Indices &i) {
    return graph.at(outer, i) * Scalar::integer(ElementType::i64, kBlock) + graph.at(passed, i);
  });
}

} // namespace

Kept keptWhere(Graph &graph, const Dimension &size, const std::function<Scalar(Scalar)> &holds) {
  Tensor flags = graph.compute(DataType::i64, {size}, [&](const Indices &i) { return select(holds(i[0]), one(), none()); });
  Tensor blocks = blockSums(graph, flags), superblocks = blockSums(graph, blocks);
  Tensor upToSuperblock = runningSums(graph, superblocks, nullptr);
  Tensor upToBlock = runningSums(graph, blocks, upToSuperblock), upTo = runningSums(graph, flags, upToBlock);
  Tensor total = graph.reduceAxes(Reduction::sum, superblocks, {0}, false);
  Kept kept;
  kept.count = graph.measured(total, size);
  kept.places = find(graph, upTo, find(graph, upToBlock, find(graph, upToSuperblock, nullptr, kept.count), kept.count), kept.count);
  return kept;
}

} // namespace ingot::onnx
