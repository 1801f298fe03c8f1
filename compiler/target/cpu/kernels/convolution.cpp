// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution: windows of an image times a weight, operands as params.h states. Sums are those of `linear`
// (docs/spec/numerics.md): chunks of 512 along k = (channel of the group, place in the window), each a chain of fused
// multiply-adds over ascending k, however the work is cut.
#include "compiler/target/cpu/kernels/convolution_blocks.h"
#include "compiler/target/cpu/kernels/convolution_channels.h"

INGOT_KERNEL(convolution) {
  using namespace ingot::kernels;
  if (!convolutionByChannels(*p)) {
    ingot_convolution_blocks_f32(p, buffers, symbols, tile0, tile1, scratch);
    return 0;
  }
  Channels channels(p, buffers, symbols, (char *)scratch);
  channels.work(tile0, tile1);
  return 0;
}
