// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the CPU target makes of a template's checked parameters: the bytes of scratch, and for products the one symbol that
// they read.
#include "compiler/target/cpu/codegen/Internal.h"
#include "compiler/target/cpu/kernels/scratch.h"
#include "compiler/target/templates/check.h"
#include <cstring>
#include <type_traits>

namespace ingot::target::cpu {

bool checkTemplate(const Kernel &kernel, CheckedTemplate &checked, std::string &error) {
  if (!target::checkTemplate(kernel, checked.words, error))
    return false;
  return visitTemplate(kernel.templateName, checked.words, [&](auto params) {
    using Params = decltype(params);
    checked.scratchBytes = static_cast<uint64_t>(kernels::scratchBytes(params));
    if constexpr (std::is_same_v<Params, linear_params> || std::is_same_v<Params, linear_int_params>) {
      checked.firstSymbol = static_cast<uint32_t>(params.rows_symbol);
      params.rows_symbol = 0;
      std::memcpy(checked.words.data(), &params, sizeof(Params));
    }
  });
}

bool templateScratchBytes(const Kernel &kernel, uint64_t &bytes, std::string &error) {
  CheckedTemplate checked;
  if (!checkTemplate(kernel, checked, error))
    return false;
  bytes = checked.scratchBytes;
  return true;
}

} // namespace ingot::target::cpu
