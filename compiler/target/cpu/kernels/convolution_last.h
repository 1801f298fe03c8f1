// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolution where channels are last: by windows (convolution_last.cpp), by bands of the image where windows are small
// (convolution_last_bands.h), or by patches of 2 x 2 places (convolution_last_patches.h). Functions of their own,
// compiled once for all convolutions of a model.
#ifndef INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_H
#define INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_H

#include "compiler/target/cpu/kernels/common.h"
#include "compiler/target/cpu/kernels/scratch.h"

namespace ingot::kernels {

// Patches that an image's places are, those at its edges reaching over them.
INGOT_INLINE int64_t patchesOf(int64_t height, int64_t width) { return (height + 1) / 2 * ((width + 1) / 2); }

// Whether an image of these places is computed by patches: where there are some, and their products are few. It depends
// on nothing else that a run brings, so that an image has the same bits in any batch.
INGOT_INLINE bool byPatches(const convolution_params &p, int64_t height, int64_t width) {
  const int64_t patches = patchesOf(height, width);
  return convolutionByPatches(p) && patches >= 24 && 5 * kPatchProducts * patches <= 3 * 9 * height * width;
}

} // namespace ingot::kernels

extern "C" __attribute__((visibility("hidden"), noinline)) void
ingot_convolution_last_f32(const convolution_params *p, const ingot_env *env, void *const *buffers,
                           const int64_t *symbols, uint32_t tile0, uint32_t tile1, void *scratch);

extern "C" __attribute__((visibility("hidden"), noinline)) void
ingot_convolution_last_bands_f32(const convolution_params *p, const ingot_env *env, void *const *buffers,
                                 const int64_t *symbols, uint32_t tile0, uint32_t tile1, void *scratch);

extern "C" __attribute__((visibility("hidden"), noinline)) void
ingot_convolution_last_patches_f32(const convolution_params *p, const ingot_env *env, void *const *buffers,
                                   const int64_t *symbols, uint32_t tile0, uint32_t tile1, void *scratch);

#endif
