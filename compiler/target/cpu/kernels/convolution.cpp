// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution: windows of an image times a weight, operands as params.h states. Sums are those of `linear`
// (docs/spec/numerics.md): chunks of 512 along k, each a chain of fused multiply-adds over ascending k, however the
// work is cut. k = (channel of the group, place in the window), or where channels are last the other way round.
#include "compiler/target/cpu/kernels/convolution_blocks.h"
#include "compiler/target/cpu/kernels/convolution_channels.h"
#include "compiler/target/cpu/kernels/convolution_last.h"
#include "compiler/target/cpu/kernels/convolution_last_channels.h"

INGOT_KERNEL(convolution) {
  using namespace ingot::kernels;
  if (p->channels_last) {
    if (byPatches(*p, symbols[p->out_h_symbol], symbols[p->out_w_symbol])) {
      ingot_convolution_last_patches_f32(p, env, buffers, symbols, tile0, tile1, scratch);
      return 0;
    }
    if (!convolutionLastByChannels(*p)) {
      if (convolutionLastByBands(*p))
        ingot_convolution_last_bands_f32(p, env, buffers, symbols, tile0, tile1, scratch);
      else
        ingot_convolution_last_f32(p, env, buffers, symbols, tile0, tile1, scratch);
      return 0;
    }
    const LastChannels channels(p, buffers, symbols);
    channels.work(tile0, tile1);
    return 0;
  }
  if (!convolutionByChannels(*p)) {
    ingot_convolution_blocks_f32(p, buffers, symbols, tile0, tile1, scratch);
    return 0;
  }
  Channels channels(p, buffers, symbols, (char *)scratch);
  channels.work(tile0, tile1);
  return 0;
}
