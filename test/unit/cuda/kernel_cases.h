// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels that test/unit/cuda runs on the simulated device, as kernels.txt lists those of the CPU: device template,
// name, parameters in the order of params.h. Read twice: by rows_kernels.cpp and its like, which instantiate them for
// the simulator, and by the tests. Types: 0 f32, 1 f16, 2 bf16, 4 i8, 5 u8.
#ifndef INGOT_TEST_UNIT_CUDA_KERNEL_CASES_H
#define INGOT_TEST_UNIT_CUDA_KERNEL_CASES_H

// n k weight_type layout stats scale group scale_type zeros
#define INGOT_EMBEDDING_CASES(C)                                                                                       \
  C(embedding, embedding_f32_row_major, 37, 71, 0, 0, 1, 1.5f, 0, 0, 0)                                                \
  C(embedding, embedding_f32_n16k, 37, 71, 0, 1, 1, 1.5f, 0, 0, 0)                                                     \
  C(embedding, embedding_f16_row_major, 37, 71, 1, 0, 1, 1.5f, 0, 0, 0)                                                \
  C(embedding, embedding_f16_n16k2, 37, 71, 1, 2, 1, 1.5f, 0, 0, 0)                                                    \
  C(embedding, embedding_bf16_row_major, 37, 71, 2, 0, 1, 1.5f, 0, 0, 0)                                               \
  C(embedding, embedding_bf16_n16k2, 37, 301, 2, 2, 1, 1.5f, 0, 0, 0)                                                  \
  C(embedding, embedding_nostats, 20, 32, 0, 0, 0, 1.0f, 0, 0, 0)                                                      \
  C(embedding, embedding_int8_channel, 37, 71, 5, 3, 1, 1.5f, 71, 0, 0)                                                \
  C(embedding, embedding_int8_g32, 37, 71, 5, 3, 1, 1.5f, 32, 1, 0)                                                    \
  C(embedding, embedding_int4_g32, 37, 71, 5, 4, 1, 1.5f, 32, 1, 0)                                                    \
  C(embedding, embedding_int4_asym_g64, 37, 71, 5, 4, 1, 1.5f, 64, 1, 1)

// half kind original base factor attention_factor long_attention_factor sequences_symbol
#define INGOT_ROPE_ANGLES_CASES(C)                                                                                     \
  C(rope_angles, angles_fixed, 32, 0, 0, 0, 0, 1.25f, 0, 1)                                                            \
  C(rope_angles, angles_dynamic, 20, 1, 16, 10000.0f, 4.0f, 1.0f, 0, 1)                                                \
  C(rope_angles, angles_longrope, 24, 2, 16, 0, 0, 1.0f, 1.19f, 1)

// k k_padded type partials eps
#define INGOT_PACK_ROWS_CASES(C)                                                                                       \
  C(pack_rows, pack_f32, 71, 96, 0, 0, 0)                                                                              \
  C(pack_rows, pack_norm_f32, 71, 96, 0, 5, 1e-5f)                                                                     \
  C(pack_rows, pack_f16, 71, 96, 1, 0, 0)                                                                              \
  C(pack_rows, pack_norm_f16, 71, 96, 1, 5, 1e-5f)                                                                     \
  C(pack_rows, pack_bf16, 71, 96, 2, 0, 0)                                                                             \
  C(pack_rows, pack_norm_bf16, 900, 928, 2, 57, 1e-5f)                                                                 \
  C(pack_rows, pack_exact, 64, 64, 0, 1, 1e-6f)

// k k_padded partials group eps codes in_zeros
#define INGOT_QUANTIZE_ROWS_CASES(C)                                                                                   \
  C(quantize_rows, quantize_channel, 71, 128, 0, 71, 0, 0, 0)                                                          \
  C(quantize_rows, quantize_norm_channel, 71, 128, 5, 71, 1e-5f, 0, 0)                                                 \
  C(quantize_rows, quantize_g32, 71, 128, 0, 32, 0, 0, 0)                                                              \
  C(quantize_rows, quantize_norm_g128, 300, 320, 3, 128, 1e-5f, 0, 0)                                                  \
  C(quantize_rows, quantize_norm_g64_k64, 64, 64, 1, 64, 1e-5f, 0, 0)                                                  \
  C(quantize_rows, quantize_k1, 1, 64, 0, 1, 0, 0, 0)                                                                  \
  C(quantize_rows, quantize_codes_u8, 71, 128, 0, 71, 0, 5, 1)                                                         \
  C(quantize_rows, quantize_codes_i8, 300, 320, 0, 300, 0, 4, 1)                                                       \
  C(quantize_rows, quantize_codes_i8_no_zero, 64, 64, 0, 64, 0, 4, 0)

// One layer: rope_append and attention. device template, name,
//   kv_heads q_per_kv head_dim rotary_dim page_tokens cache_type qk_norm eps, window out_type out_stride scale soft_cap
//   distances
#define INGOT_ATTENTION_CASES(C)                                                                                       \
  C(attentionRows, f32_hd64_gqa4, 2, 4, 64, 64, 32, 0, 0, 1e-6f, 0, 0, 512, 0.125f, 0, 0)                              \
  C(attentionRows, f32_hd8, 3, 1, 8, 8, 16, 0, 0, 1e-6f, 0, 0, 24, 0.353553391f, 0, 0)                                 \
  C(attentionRows, f32_hd20_rot12_norm, 2, 3, 20, 12, 48, 0, 1, 1e-6f, 0, 0, 120, 0.223606798f, 0, 0)                  \
  C(attentionRows, f32_hd32_norot_window, 1, 5, 32, 0, 16, 0, 0, 1e-6f, 100, 0, 160, 0.176776695f, 0, 0)               \
  C(attentionTiles, bf16_hd16_mha16, 16, 1, 16, 16, 16, 2, 0, 1e-6f, 0, 0, 256, 0.25f, 0, 0)                           \
  C(attentionTiles, bf16_hd128_gqa2_norm, 2, 2, 128, 128, 32, 2, 1, 1e-6f, 0, 2, 512, 0.088388348f, 0, 0)              \
  C(attentionTiles, bf16_hd64_gqa4, 2, 4, 64, 64, 32, 2, 0, 1e-6f, 0, 2, 576, 0.125f, 0, 0)                            \
  C(attentionTiles, bf16_hd256_window1024_cap, 1, 2, 256, 256, 32, 2, 1, 1e-6f, 1024, 2, 512, 0.0625f, 50.0f, 0)       \
  C(attentionTiles, f16_hd36_cap_window7, 1, 2, 36, 36, 32, 1, 0, 1e-6f, 7, 1, 96, 0.166666667f, 20.0f, 0)             \
  C(attentionTiles, f16_hd96, 2, 1, 96, 48, 16, 1, 0, 1e-6f, 0, 0, 192, 0.102062073f, 0, 0)                            \
  C(attentionTiles, bf16_hd40_mqa60, 1, 60, 40, 40, 64, 2, 0, 1e-6f, 0, 2, 2432, 0.158113883f, 0, 0)                   \
  C(attentionTiles, bf16_hd16_mqa71, 1, 71, 16, 16, 16, 2, 0, 1e-6f, 0, 0, 1136, 0.25f, 0, 0)                          \
  C(attentionTiles, i8_hd64_gqa4, 2, 4, 64, 64, 32, 4, 0, 1e-6f, 0, 0, 512, 0.125f, 0, 0)                              \
  C(attentionTiles, i8_hd20_norm_window1500, 1, 3, 20, 12, 16, 4, 1, 1e-6f, 1500, 0, 64, 0.223606798f, 0, 0)           \
  C(attentionTiles, i8_hd48_mqa13_cap, 1, 13, 48, 48, 64, 4, 0, 1e-6f, 0, 2, 640, 0.144337567f, 30.0f, 0)              \
  C(attentionTiles, bf16_hd16_gqa2_window1300, 3, 2, 16, 16, 32, 2, 0, 1e-6f, 1300, 0, 96, 0.25f, 0, 0)                \
  C(attentionTiles, bf16_hd20_rot12_norm, 2, 3, 20, 12, 48, 2, 1, 1e-6f, 0, 0, 120, 0.223606798f, 0, 0)                \
  C(attentionTiles, bf16_hd32_norot_window, 1, 5, 32, 0, 16, 2, 0, 1e-6f, 100, 0, 160, 0.176776695f, 0, 0)             \
  C(attentionRows, f32_hd8_distances100, 3, 1, 8, 8, 16, 0, 0, 1e-6f, 0, 0, 24, 0.353553391f, 0, 100)                  \
  C(attentionTiles, bf16_hd64_gqa4_distances300, 2, 4, 64, 64, 32, 2, 0, 1e-6f, 0, 2, 576, 0.125f, 0, 300)             \
  C(attentionTiles, f16_hd36_cap_window7_distances1, 1, 2, 36, 36, 32, 1, 0, 1e-6f, 7, 1, 96, 0.166666667f, 20.0f, 1)  \
  C(attentionTiles, i8_hd20_window1500_distances1200, 1, 3, 20, 12, 16, 4, 1, 1e-6f, 1500, 0, 64, 0.223606798f, 0, 1200)

// kv_heads q_per_kv head_dim rotary_dim page_tokens cache_type qk_norm eps group tokens_symbol sequences_symbol
#define INGOT_ROPE_APPEND_CASES(C) C(rope_append, append_group1, 1, 1, 16, 16, 16, 0, 0, 0, 1, 0, 1, 0)

// kv_heads q_per_kv head_dim value_dim scale soft_cap causal window bias bias_batch bias_heads bias_queries bias_keys
// lengths batch_symbol queries_symbol keys_symbol
#define INGOT_SDPA_CASES(C)                                                                                            \
  C(sdpa, sdpa_hd64, 3, 1, 64, 64, 0.125f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0)                                \
  C(sdpa, sdpa_hd20_vd36_gqa3_causal, 2, 3, 20, 36, 0.3f, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0)                 \
  C(sdpa, sdpa_hd8_bias, 2, 2, 8, 8, 0.5f, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1, 2, 0, 0, 0)                                \
  C(sdpa, sdpa_hd32_bias_keys_lengths, 2, 1, 32, 32, 0.25f, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 1, 2, 0, 0, 0)               \
  C(sdpa, sdpa_hd16_bias_queries_mqa7, 1, 7, 16, 48, 0.25f, 0, 0, 0, 1, 0, 1, 1, 0, 0, 2, 0, 4, 0, 0, 0)               \
  C(sdpa, sdpa_hd24_causal_window9_cap, 1, 2, 24, 16, 1.5f, 4, 1, 9, 0, 0, 0, 0, 0, 1, 0, 1, 2, 0, 0, 0)               \
  C(sdpa, sdpa_hd5_vd1_window33, 2, 1, 5, 1, 0.9f, 0, 0, 33, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0)                       \
  C(sdpa, sdpa_hd1_vd17_bias_one, 1, 1, 1, 17, -2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0)
#define INGOT_SDPA_SEQUENCES_CASES(C)                                                                                  \
  C(sdpa, sdpa_hd64_starts, 3, 1, 64, 64, 0.125f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 1, 0, 0)                         \
  C(sdpa, sdpa_hd20_vd36_gqa3_causal_starts, 2, 3, 20, 36, 0.3f, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0)          \
  C(sdpa, sdpa_hd8_starts_places, 2, 2, 8, 8, 0.5f, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 2, 1, 1, 0)                       \
  C(sdpa, sdpa_hd16_starts_places_keys, 1, 1, 16, 16, 0.5f, 3, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 2, 1, 1, 0)

// channels outputs groups, kernel, stride, dilation and pad by depth, height and width, scale bias residual act clamp
// low high, batch_symbol, in_ and out_ symbols by depth, height and width
#define INGOT_CONVOLUTION_CASES(C)                                                                                     \
  C(convolution, convolution_3x3, 5, 17, 1, 1, 3, 3, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 3, -0.5f, 0.75f, 0, 1, 2,  \
    3, 4, 5, 6, 0)                                                                                                     \
  C(convolution, convolution_deep, 70, 3, 1, 1, 3, 3, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4,   \
    5, 6, 0)                                                                                                           \
  C(convolution, convolution_groups_3d, 6, 4, 2, 2, 2, 3, 2, 1, 2, 1, 2, 1, 1, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3,  \
    4, 5, 6, 0)                                                                                                        \
  C(convolution, convolution_last, 5, 17, 1, 1, 3, 3, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 3, -0.5f, 0.75f, 0, 1, 2, \
    3, 4, 5, 6, 1)                                                                                                     \
  C(convolution, convolution_last_groups, 140, 32, 2, 1, 3, 3, 1, 2, 1, 1, 1, 2, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1,   \
    2, 3, 4, 5, 6, 1)                                                                                                  \
  C(convolution, convolution_last_alone, 9, 9, 9, 2, 3, 2, 1, 1, 2, 1, 2, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 2, 3, \
    4, 5, 6, 1)

#define INGOT_SAMPLE_CASES(C)                                                                                          \
  C(sample, sample_97, 97)                                                                                             \
  C(sample, sample_4096, 4096)                                                                                         \
  C(sample, sample_20000, 20000)

#endif
