// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolution where channels are last: see convolution_last.cpp. A function of its own, compiled once for all
// convolutions of a model.
#ifndef INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_H
#define INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_H

#include "compiler/target/cpu/kernels/common.h"

extern "C" __attribute__((visibility("hidden"), noinline)) void
ingot_convolution_last_f32(const convolution_params *p, void *const *buffers, const int64_t *symbols, uint32_t tile0,
                           uint32_t tile1, void *scratch);

#endif
