// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches of convolution: a grid that fills any GPU, whose threads walk the output.
#include "compiler/target/cuda/launch.h"

namespace ingot::target::cuda {

Functions functionsOf(const convolution_params &, std::string &) {
  Function f;
  f.header = "convolution.h";
  f.call = "convolve<P>(args);";
  f.threads = 256;
  f.blocksPerMultiprocessor = 8;
  f.grid[0] = Extent::of(kTiles, 8, 1, 0);
  return {f};
}

} // namespace ingot::target::cuda
