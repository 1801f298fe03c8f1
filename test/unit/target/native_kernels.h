// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel templates compiled natively into the test program: for AVX2 with AMX tiles in software (software_tiles.h),
// so that code for tiles is tested on every machine, and all kernels under sanitizers. Parameters are passed at run
// time, where an engine's are constants.
#ifndef INGOT_TEST_UNIT_TARGET_NATIVE_KERNELS_H
#define INGOT_TEST_UNIT_TARGET_NATIVE_KERNELS_H

#include "runtime/format/kernel_abi.h"
#include <cstdint>
#include <map>
#include <string>

namespace ingot::test {

using Parameters = std::map<std::string, double>;

bool isNativeTemplate(const std::string &name);
// Gives those of the template that are left out the value 0.
void completeParameters(const std::string &name, Parameters &parameters);
uint64_t nativeScratch(const std::string &name, const Parameters &parameters);
// Calls the template. Ends the test program where the kernel leaves tiles configured.
int32_t callNative(const std::string &name, const Parameters &parameters, const ingot_env *env, void *const *buffers,
                   const int64_t *symbols, uint32_t tile0, uint32_t tile1, void *scratch);

} // namespace ingot::test

#endif
