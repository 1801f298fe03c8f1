/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Parameters of the kernel templates: the one list that the kernels of every target (as C structs), the passes that
 * choose kernels and the code generators (as attribute names) all read. On a CPU each template `NAME` is a function
 *   int32_t ingot_NAME(const NAME_params *, const ingot_env *, void *const *buffers, const int64_t *symbols,
 *                      uint32_t tile0, uint32_t tile1, void *scratch)
 * in the bitcode of every feature set; the code generator calls it with a constant struct and inlines it. On a GPU it is
 * one or several CUDA functions (compiler/target/cuda/launch.h). Operands and results are the same on both.
 * A field is int32_t (I) or float (F). Operands are listed with each template, in launch order; an operand in
 * [brackets] is there only when the parameter named beside it is set.
 */
#ifndef INGOT_TARGET_TEMPLATES_PARAMS_H
#define INGOT_TARGET_TEMPLATES_PARAMS_H

/* Element types as numbered in runtime/format/plan.fbs. */
#define INGOT_F32 0
#define INGOT_F16 1
#define INGOT_BF16 2
#define INGOT_I8 4
#define INGOT_U8 5

/* Weight layouts. The last two are those of quantized weights, w = (u - z) * s with u unsigned, of type u8:
 * K is padded to a multiple of 64. Beside them lie, for each group of `group` columns of K (the last may be shorter; one
 * group of all of K: group = k), scales s scale_type[ceil(N/16)][groups][16] and, where `zeros`, zero points
 * z u8[ceil(N/16)][groups][16]; without, z is 128 for n16k4 and 8 for n16k8. */
#define INGOT_ROW_MAJOR 0 /* [N][K] */
#define INGOT_N16K 1      /* [ceil(N/16)][K][16], f32 */
#define INGOT_N16K2 2     /* [ceil(N/16)][ceil(K/32)*16][16][2], 16-bit; K padded to 32 with zeros */
#define INGOT_N16K4 3     /* [ceil(N/16)][K/4][16][4], 8-bit */
#define INGOT_N16K8 4     /* [ceil(N/16)][K/8][16][4], 4-bit: byte e holds k = 8j+e in its low half, 8j+4+e in its high */

/* Activations of epilogues; the formulas stand in kernels/math.h. */
#define INGOT_ACT_NONE 0
#define INGOT_ACT_SILU 1
#define INGOT_ACT_GELU 2      /* erf */
#define INGOT_ACT_GELU_TANH 3
#define INGOT_ACT_RELU 4
#define INGOT_ACT_QUICK_GELU 5

/* Symbol indices are parameters too, so that a kernel finds its row count: symbols[rows_symbol]. */

/* embedding: rows of a table for tokens. Tiles: one per token.
 * tokens i32[T] (a negative value -1-r names row r of previous_ids), previous_ids i32[L], table, [scales (weight_type u8)],
 * [zeros (zeros)], out f32[T][k], [stats f32[T][1]: sum of squares of the row (stats)].
 * Returns 1 when an id is outside 0..n-1. */
#define INGOT_EMBEDDING_PARAMS(I, F) \
  I(n) I(k) I(weight_type) I(layout) I(stats) F(scale) I(group) I(scale_type) I(zeros)

/* rope_angles: cosines and sines for each token. Tiles: one per token.
 * positions i32[T], sequence_starts i32[R+1], context_lengths i32[R], inv_freq f32[half],
 * [long_inv_freq f32[half] (kind 2)], out f32[T][2*half]: cos then sin, both times attention_factor.
 * kind 0: fixed; kind 1: dynamic NTK, inv_freq recomputed from base, dim = 2*half, factor and the context length
 * once that passes `original`; kind 2: longrope, long_inv_freq and long_attention_factor once the length passes `original`. */
#define INGOT_ROPE_ANGLES_PARAMS(I, F)                                              \
  I(half) I(kind) I(original) F(base) F(factor) F(attention_factor)                 \
  F(long_attention_factor) I(sequences_symbol)

/* pack_rows: rows of f32 to the type of products, normalized on the way. Tiles: one per row.
 * in f32[rows][k], [stats f32[rows][partials] (partials > 0), gamma f32[k]], out type[rows][k_padded], padding zero.
 * With partials: y = x * (1 / sqrt(sum(partials in order) / k + eps)) * gamma, rounded once to `type`. */
#define INGOT_PACK_ROWS_PARAMS(I, F) I(k) I(k_padded) I(type) I(partials) F(eps)

/* quantize_rows: rows of f32 to 8-bit integers with a scale per row, normalized on the way. Tiles: one per row.
 * in f32[rows][k], [stats, gamma: as pack_rows (partials > 0)], out: per row i8 q[k_padded] (padding zero; k_padded a
 * multiple of 64), f32 scale, i32 sums[groups] (of q over each group of `group`), then zeros up to a multiple of 64 bytes.
 * q = round(y * (127 / max|y|)) to nearest even, scale = max|y| / 127; all zero for a row of zeros.
 * With `codes`, a type (i8 or u8), rows were quantized before: in codes[rows][k], in_scale f32[1], [in_zero codes[1] (in_zeros)],
 * out. q is the code, less 128 where they are u8, and so is the zero point, an i32 behind the one sum; scale = in_scale. Rows of u8
 * always have a zero point. */
#define INGOT_QUANTIZE_ROWS_PARAMS(I, F) I(k) I(k_padded) I(partials) I(group) F(eps) I(codes) I(in_zeros)

/* linear: out = epilogue(in · weightᵀ). Tiles: one per panel of 16 weight rows (per pair of panels when gated).
 * in in_type[rows][k_padded], weight (packed), [scales (weight_type u8)], [zeros (zeros)], [bias f32[n] (bias)], [residual f32[rows][n_out] (residual)],
 * out out_type[rows][out_stride], [stats f32[rows][tiles]: sum of squares of the stored f32 values of the panel (stats)].
 * Gated: weight panels 2i and 2i+1 hold 16 gate and 16 up rows (padded with zeros), n counts gate rows; bias is then
 * interleaved the same way, 32 values per tile; out = act(gate) * up.
 * Otherwise out = act(in · weightᵀ + bias) + residual. Columns n..out_stride-1 of out are zeroed by the last tile.
 * out may be the very buffer of residual. Accumulation: see docs/spec/numerics.md. */
#define INGOT_LINEAR_PARAMS(I, F)                                                            \
  I(n) I(k) I(k_padded) I(in_type) I(weight_type) I(layout) I(bias) I(residual) I(act)       \
  I(gated) I(stats) I(out_type) I(out_stride) I(rows_symbol) I(group) I(scale_type) I(zeros)

/* linear_int: linear with integer products. in: rows of quantize_rows with the same k, k_padded and group; weight
 * (n16k4 or n16k8), scales, [zeros (zeros)], then [bias], [residual], out, [stats], tiles and epilogue as linear.
 * Per output, groups ascending from 0: acc = fma((f32) sum of (u - z) * q, s, acc); then acc * scale of the row.
 * With `in_zeros` (n16k4, one group) sums i32[ceil(N/16)][1][16] of u - z stand behind the zeros, and the row's zero point times
 * these is taken off the sum of products. */
#define INGOT_LINEAR_INT_PARAMS(I, F)                                                        \
  I(n) I(k) I(k_padded) I(layout) I(group) I(scale_type) I(zeros) I(bias) I(residual) I(act) \
  I(gated) I(stats) I(out_type) I(out_stride) I(rows_symbol) I(in_zeros)

/* rope_append: k norm, rotary embedding of k, append of k and v to the cache, for every token but the last of each
 * sequence (attention appends that one). Tiles: (T - R) * kv_heads, tile = i * kv_heads + h for the i-th such token;
 * every sequence has at least one token.
 * qkv f32[T][kv_heads][q_per_kv + 2][head_dim], cos_sin f32[T][rotary_dim] (cos then sin),
 * slots i32[G][T] (the row of `group`), sequence_starts i32[R+1], [k_norm f32[head_dim] (qk_norm)], planes.
 * Half-split rotation: (x_i, x_{i+half}) -> (x_i cos_i - x_{i+half} sin_i, x_{i+half} cos_i + x_i sin_i), i < half = rotary_dim/2.
 * A negative slot: nothing is appended. Planes: see attention.
 * With `all_tokens` every token is appended, tiles are T * kv_heads, q_per_kv may be 0, and sequence_starts is not read. */
#define INGOT_ROPE_APPEND_PARAMS(I, F)                                                      \
  I(kv_heads) I(q_per_kv) I(head_dim) I(rotary_dim) I(page_tokens) I(cache_type) I(qk_norm) \
  F(eps) I(group) I(tokens_symbol) I(sequences_symbol) I(all_tokens)

/* attention: causal attention over the paged cache; queries are normalized and rotated on the way, and the last token of
 * each sequence is appended first, where its slot is not negative; so a sequence stands in a step once. Tiles: 960
 * (kAttentionTiles), equal shares of the step's cost.
 * qkv, cos_sin, slots, [q_norm f32[head_dim], k_norm f32[head_dim] (qk_norm)] as for rope_append, planes,
 * positions i32[T] (ascending within a sequence), sequence_starts i32[R+1], context_lengths i32[R],
 * block_table i32[G][R][B] (the row of `group` is used), [distance_bias f32[heads][distances] (distances)], partials (for attention_merge, see attention.h),
 * out out_type[T][out_stride] (head order h*q_per_kv + g; columns past heads*head_dim zero).
 * A token at position p attends to positions max(0, p - window + 1) .. p (window 0: all). With `distances` the score of position
 * s has distance_bias[head][min(p - s, distances - 1)] added, after scale and soft_cap.
 * Planes are: key, value, and with cache_type i8 key_scale and value_scale. One page of one layer, page_tokens a multiple
 * of 16, hd = head_dim:
 *   key    [kv_heads][page_tokens/16][hd][16]   ("h_t16_d_16": keys of 16 tokens side by side)
 *   value  [kv_heads][page_tokens][hd]          ("h_t_d")
 *   scales [kv_heads][page_tokens] f32          ("h_t")
 * slot = page * page_tokens + offset; page p of a plane starts at p * page_bytes.
 * With `queries_only` all keys and values were cached before: rows are f32[T][kv_heads][q_per_kv][head_dim], and nothing is
 * appended. */
#define INGOT_ATTENTION_PARAMS(I, F)                                                         \
  I(kv_heads) I(q_per_kv) I(head_dim) I(rotary_dim) I(page_tokens) I(cache_type) I(qk_norm)  \
  F(eps) I(window) I(group) I(out_type) I(out_stride) F(scale) F(soft_cap)                   \
  I(tokens_symbol) I(sequences_symbol) I(blocks_symbol) I(queries_only) I(distances)

/* attention_merge: merges what attention left in segments. Tiles: 96 * B - 96 * floor(2048 / page_tokens).
 * partials, positions i32[T], sequence_starts i32[R+1], out out_type[T][out_stride] (only rows left apart are written). */
#define INGOT_ATTENTION_MERGE_PARAMS(I, F)                                                   \
  I(kv_heads) I(q_per_kv) I(head_dim) I(page_tokens) I(window) I(out_type) I(out_stride)     \
  I(tokens_symbol) I(sequences_symbol) I(blocks_symbol)

/* sdpa: attention over given keys and values. Tiles: B * heads * S, one for a query head of a query:
 * tile = ((b * kv_heads + g) * S + s) * q_per_kv + j for head h = g * q_per_kv + j; heads = kv_heads * q_per_kv.
 * query f32[B][S][heads][head_dim], key f32[B][T][kv_heads][head_dim], value f32[B][T][kv_heads][value_dim],
 * [bias f32[B or 1][heads or 1][S or 1][T or 1] (bias); bias_batch, bias_heads, bias_queries and bias_keys are set where
 * the dimension is that of the scores, and not 1], [lengths i32[B] (lengths)], out f32[B][S][heads][value_dim].
 * With p = s + T - S, key t is seen where t < T, t < lengths[b] (lengths), t <= p (causal), and p - window < t < p + window
 * (window, where not 0). Score: cap(query · key * scale) + bias, cap(x) = soft_cap * tanh(x / soft_cap), or x where
 * soft_cap is 0; then softmax over the seen keys times value; zeros where none is seen or all scores are -inf.
 * With `starts` B is 1 and rows are those of R sequences, from starts i32[R+1] (behind lengths; R+1 is of batch_symbol), each of
 * attends to itself: S, T, s and t are of one sequence, and tile = starts[r] * heads + (g * S + s) * q_per_kv + j. A bias is
 * then read at the places of s and t, places i32[rows] (behind starts), has queries_symbol rows and keys_symbol columns, and
 * bias_batch is 0. product_type: INGOT_BF16 where operands of both products may be rounded to bf16
 * (docs/spec/numerics.md), INGOT_F32 where not. */
#define INGOT_SDPA_PARAMS(I, F)                                                              \
  I(kv_heads) I(q_per_kv) I(head_dim) I(value_dim) F(scale) F(soft_cap) I(causal) I(window)  \
  I(bias) I(bias_batch) I(bias_heads) I(bias_queries) I(bias_keys) I(lengths)                \
  I(batch_symbol) I(queries_symbol) I(keys_symbol) I(starts) I(places) I(product_type)

/* convolution: windows of an image times a weight. Tiles: 960 (kConvolutionTiles), equal shares of the work.
 * in f32[B][channels][D][H][W], weight f32[outputs][channels/groups][kernel_d][kernel_h][kernel_w] (row-major),
 * [scale f32[outputs] (scale)], [bias f32[outputs] (bias)], [residual f32 as out (residual)], out f32[B][outputs][D'][H'][W'].
 * c[o][z][y][x] sums, over the channels i of o's group and the weight's t, in[i][z*stride_d + t_d*dilation_d - pad_d][...][...] *
 * weight[o][i][t], elements outside counting as 0; out = act(c*scale + bias + residual), then at least low (clamp & 1) and at most
 * high (clamp & 2). Sums as of linear, k being (i, t). Sizes are symbols; what pads stand behind follows from the output's.
 * channels_last: in f32[B][D][H][W][channels], out and residual f32[B][D'][H'][W'][outputs], k being (t, i); weight n16k of
 * [outputs][k], where groups is 1 or the outputs of a group are a multiple of 16; where channels = outputs = groups, f32[t][channels]. */
#define INGOT_CONVOLUTION_PARAMS(I, F)                                                       \
  I(channels) I(outputs) I(groups) I(kernel_d) I(kernel_h) I(kernel_w)                       \
  I(stride_d) I(stride_h) I(stride_w) I(dilation_d) I(dilation_h) I(dilation_w)              \
  I(pad_d) I(pad_h) I(pad_w) I(scale) I(bias) I(residual) I(act) I(clamp) F(low) F(high)     \
  I(batch_symbol) I(in_d_symbol) I(in_h_symbol) I(in_w_symbol)                               \
  I(out_d_symbol) I(out_h_symbol) I(out_w_symbol) I(channels_last)

/* sample: one token per row of logits. Tiles: one per row.
 * logits f32[L][vocabulary], temperature f32[L], top_k i32[L], top_p f32[L], min_p f32[L], repetition f32[L],
 * presence f32[L], frequency f32[L], seed i64[L], counter i64[L], penalty_starts i32[L+1], penalty_ids i32[E],
 * penalty_counts i32[E] (occurrences in the output; 0 for tokens of the prompt alone), mask_rows i32[L] (-1: none),
 * masks u32[M][ceil(vocabulary/32)] (bit set: allowed), ids i32[L], log_probabilities f32[L]; scratch.
 * temperature 0: greedy, the lowest id among equals. Order: mask, penalties, temperature, top-k, top-p, min-p, draw by
 * Philox4x32-10 (key = seed, counter = counter). log_probability: of the id under softmax of the penalized, masked logits.
 * Sums: see docs/spec/numerics.md. Returns 2 where a row allows no id. */
#define INGOT_SAMPLE_PARAMS(I, F) I(vocabulary)

#define INGOT_TEMPLATES(T)                      \
  T(embedding, INGOT_EMBEDDING_PARAMS)          \
  T(rope_angles, INGOT_ROPE_ANGLES_PARAMS)      \
  T(pack_rows, INGOT_PACK_ROWS_PARAMS)          \
  T(quantize_rows, INGOT_QUANTIZE_ROWS_PARAMS)  \
  T(linear, INGOT_LINEAR_PARAMS)                \
  T(linear_int, INGOT_LINEAR_INT_PARAMS)        \
  T(rope_append, INGOT_ROPE_APPEND_PARAMS)      \
  T(attention, INGOT_ATTENTION_PARAMS)          \
  T(attention_merge, INGOT_ATTENTION_MERGE_PARAMS) \
  T(sdpa, INGOT_SDPA_PARAMS)                    \
  T(convolution, INGOT_CONVOLUTION_PARAMS)      \
  T(sample, INGOT_SAMPLE_PARAMS)

/* Parameters that a plan may leave out: they are 0 then. */
#define INGOT_OPTIONAL_PARAMS(O)                                      \
  O(embedding, group) O(embedding, scale_type) O(embedding, zeros)    \
  O(linear, group) O(linear, scale_type) O(linear, zeros)             \
  O(quantize_rows, codes) O(quantize_rows, in_zeros) O(linear_int, in_zeros) \
  O(rope_append, all_tokens) O(attention, queries_only) O(attention, distances) \
  O(sdpa, starts) O(sdpa, places) O(sdpa, product_type) O(convolution, channels_last)

#endif
