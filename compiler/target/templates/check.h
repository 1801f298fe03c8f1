// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks the parameters that the plan gives a template, and lays them out as the template's struct, for every target. What
// a template cannot do is refused here, by the parameter's name, so that no kernel is ever asked for it.
#ifndef INGOT_COMPILER_TARGET_TEMPLATES_CHECK_H
#define INGOT_COMPILER_TARGET_TEMPLATES_CHECK_H

#include "compiler/target/kernel.h"
#include "compiler/target/templates/structs.h"

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::target {

// The parameters of a kernel that is a template, in the order of its struct, as the bits of its 4-byte fields: all there, of
// the right kind, and a combination that the template can do. False: `error` names the kernel and what is wrong.
bool checkTemplate(const Kernel &kernel, std::vector<uint32_t> &words, std::string &error);

// Calls visit(const NAME_params &) for the template of this name. False: there is no such template, or the words do not
// fill its struct.
template <class Visit>
bool visitTemplate(std::string_view templateName, const std::vector<uint32_t> &words, Visit &&visit) {
#define INGOT_VISIT(name, list)                                                                                        \
  if (templateName == #name) {                                                                                         \
    name##_params params;                                                                                              \
    if (words.size() * 4 != sizeof(params))                                                                            \
      return false;                                                                                                    \
    std::memcpy(&params, words.data(), sizeof(params));                                                                \
    visit(params);                                                                                                     \
    return true;                                                                                                       \
  }
  INGOT_TEMPLATES(INGOT_VISIT)
#undef INGOT_VISIT
  return false;
}

} // namespace ingot::target

#endif
