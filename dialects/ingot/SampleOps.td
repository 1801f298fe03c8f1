// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sampling: from logits and each row's parameters to token ids. It is in the plan so that a device never waits for the
// host; which parameters a row has is the scheduler's business.
#ifndef INGOT_DIALECTS_INGOT_SAMPLE_OPS
#define INGOT_DIALECTS_INGOT_SAMPLE_OPS

include "dialects/ingot/IngotBase.td"

def Ingot_SampleOp : Ingot_PureOp<"sample"> {
  let summary = "Draws a token per row of logits";
  let description = [{
    In this order: mask of allowed tokens, penalties, temperature, top-k, top-p, min-p, a draw by Philox4x32-10
    (key = seed, counter = counter). temperature 0 takes the largest logit, the lowest id among equals.
    log_probabilities: of the id under the softmax of the penalized, masked logits.

    logits f32 [L, vocabulary]; temperature, top_p, min_p, repetition, presence, frequency f32 [L]; top_k, mask_rows
    i32 [L] (mask_rows -1: no mask); seed, counter i64 [L]; penalty_starts i32 [L+1]; penalty_ids, penalty_counts
    i32 [E]: row l has the penalty_ids from penalty_starts[l] to penalty_starts[l+1], each with its number of
    occurrences in the output (0: in the prompt alone); masks i32 [M, ceil(vocabulary/32)], bit set: allowed
    -> ids i32 [L], log_probabilities f32 [L].

    - sample-c1: every parameter of a row has as many elements as logits has rows.
    - sample-c2: penalty_ids and penalty_counts have the same type.
    - sample-c3: vocabulary is static, and a row of masks has ceil(vocabulary / 32) words.
    - sample-c4: penalty_starts has one element more than logits has rows.

    The example is long; test/dialects/ingot/ops.mlir has it.
  }];
  let arguments = (ins 2DTensorOf<[F32]>:$logits, 1DTensorOf<[F32]>:$temperature, Ingot_I32Rank1:$top_k,
                   1DTensorOf<[F32]>:$top_p, 1DTensorOf<[F32]>:$min_p, 1DTensorOf<[F32]>:$repetition,
                   1DTensorOf<[F32]>:$presence, 1DTensorOf<[F32]>:$frequency, 1DTensorOf<[I64]>:$seed,
                   1DTensorOf<[I64]>:$counter, Ingot_I32Rank1:$penalty_starts, Ingot_I32Rank1:$penalty_ids,
                   Ingot_I32Rank1:$penalty_counts, Ingot_I32Rank1:$mask_rows, Ingot_I32Rank2:$masks);
  let results = (outs Ingot_I32Rank1:$ids, 1DTensorOf<[F32]>:$log_probabilities);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
