// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the files of the CUDA code generator share. Private to codegen/.
#ifndef INGOT_COMPILER_TARGET_CUDA_CODEGEN_INTERNAL_H
#define INGOT_COMPILER_TARGET_CUDA_CODEGEN_INTERNAL_H

#include "compiler/target/cuda/target.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::target::cuda {

// The text of a file of device source by its path from the root of the project; empty where there is none.
std::string_view embeddedSource(std::string_view path);

// A function over tensors as CUDA C++: `body` is the body of one function of the kernel's, for a block per row.
bool emitTensorFunction(const Kernel &kernel, Function &function, std::string &body, std::string &error);

// NVRTC, found once per process. Null: `error` says what was looked for, and which package has it.
class Nvrtc;
const Nvrtc *findNvrtc(std::string &error);
// 1000 * major + 10 * minor.
uint32_t versionOf(const Nvrtc &nvrtc);
// Makes a cubin ("sm_...") or PTX ("compute_..."). False: `log` says why.
bool compileWith(const Nvrtc &nvrtc, const std::string &source, const std::string &architecture,
                 std::vector<uint8_t> &image, std::string &log);

} // namespace ingot::target::cuda

#endif
