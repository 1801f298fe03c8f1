// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the compiler knows of the kernel templates in compiler/target/templates/params.h: their parameters, read from
// that very list, and how many operands a launch has. How they compute is the target's business.
#ifndef INGOT_DIALECTS_PLAN_TEMPLATES_H
#define INGOT_DIALECTS_PLAN_TEMPLATES_H

#include "mlir/IR/BuiltinAttributes.h"
#include <optional>

namespace ingot::plan {

struct TemplateParam {
  llvm::StringRef name;
  bool isFloat;
  bool isOptional; // 0 where it is left out
};

bool isTemplate(llvm::StringRef name);
// In the order of the C struct; empty for a name that is no template.
llvm::ArrayRef<TemplateParam> templateParams(llvm::StringRef name);
// Operands of a launch with these parameters; nothing for a name that is no template.
std::optional<unsigned> templateOperands(llvm::StringRef name, mlir::DictionaryAttr params);

} // namespace ingot::plan

#endif
