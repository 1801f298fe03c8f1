// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a kernel of the plan becomes CUDA functions: which device template with which arguments, and the geometry of its
// launches. A kernel may have several functions for different numbers of rows; the runtime launches the first that
// serves the rows of the step. Plain C++ over the templates' parameters: no MLIR, no CUDA.
#ifndef INGOT_COMPILER_TARGET_CUDA_LAUNCH_H
#define INGOT_COMPILER_TARGET_CUDA_LAUNCH_H

#include "compiler/target/templates/structs.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace ingot::target::cuda {

// Stands for a symbol: the tiles of the launch (plan.fbs), for templates without a parameter that names their rows.
inline constexpr int32_t kTiles = -1;

// ceil((constant + sum of coefficient * symbols[symbol]) / per); nothing where that is not positive.
struct Extent {
  int64_t constant = 1;
  std::vector<std::pair<int32_t, int64_t>> terms = {}; // symbol, coefficient
  int64_t per = 1;

  static Extent of(int64_t constant) { return {constant, {}, 1}; }
  static Extent of(int32_t symbol, int64_t coefficient, int64_t per = 1, int64_t constant = 0) {
    return {constant, {{symbol, coefficient}}, per};
  }
};

// One function of a kernel.
struct Function {
  std::string suffix;  // after the kernel's name; empty where there is one function: "rows16", "tiles"
  std::string header;  // of compiler/target/cuda/device that holds the template: "linear_tiles.h"
  std::string call;    // body of the function, where P names a struct with `static constexpr NAME_params p`:
                       // "linearTiles<P, 128, 128>(args);"
  uint32_t threads = 128;       // of a block; a multiple of 32
  uint32_t sharedBytes = 0;     // dynamic shared memory of a block
  uint32_t blocksPerMultiprocessor = 0; // of a persistent kernel: grid[0] is cut to so many; 0: not persistent
  Extent grid[3];
  Extent workspace = Extent::of(0); // bytes
  // Serves steps with symbols[rowsSymbol] <= rowsMost; -1: all.
  int32_t rowsSymbol = -1;
  int64_t rowsMost = std::numeric_limits<int64_t>::max();
  // Launches of one kernel follow one another by their stage; of the functions of a stage the first that serves is run.
  uint32_t stage = 0;
};

// The functions of each template with these parameters, in the order in which the runtime tries them; none with `error` set
// where the device has no kernel for such parameters.
using Functions = std::vector<Function>;
Functions functionsOf(const embedding_params &p, std::string &error);
Functions functionsOf(const rope_angles_params &p, std::string &error);
Functions functionsOf(const pack_rows_params &p, std::string &error);
Functions functionsOf(const quantize_rows_params &p, std::string &error);
Functions functionsOf(const linear_params &p, std::string &error);
Functions functionsOf(const linear_int_params &p, std::string &error);
Functions functionsOf(const rope_append_params &p, std::string &error);
Functions functionsOf(const attention_params &p, std::string &error);
Functions functionsOf(const attention_merge_params &p, std::string &error);
Functions functionsOf(const sdpa_params &p, std::string &error);
Functions functionsOf(const convolution_params &p, std::string &error);
Functions functionsOf(const sample_params &p, std::string &error);

} // namespace ingot::target::cuda

#endif
