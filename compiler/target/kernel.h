// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel of the plan as targets take it: a template with the values of its parameters, or a function over tensors.
// Which instructions it becomes is the target's matter.
#ifndef INGOT_COMPILER_TARGET_KERNEL_H
#define INGOT_COMPILER_TARGET_KERNEL_H

#include <cstdint>
#include <string>
#include <vector>

namespace mlir {
class Operation;
}

namespace ingot::target {

// The value of one template parameter: the kind is the template's, see templates/params.h.
struct Parameter {
  std::string name;
  int32_t integer = 0;
  float real = 0.0f;
  bool isReal = false;
};

// One kernel to compile.
struct Kernel {
  std::string name;                  // readable and unique within the plan; not a symbol of an image
  std::string templateName;          // empty: `body` instead
  std::vector<Parameter> parameters; // all of the template's, in any order
  mlir::Operation *body =
      nullptr; // a func.func, see docs/design/0001-foundation.md, "Functions that go through linalg"
};

// The offset of a kernel that an image does not hold.
inline constexpr uint32_t kLacking = 0xffffffff;

} // namespace ingot::target

#endif
