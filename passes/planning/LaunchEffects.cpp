// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Effects of launches on their buffers (see LaunchEffects.h).
#include "passes/planning/LaunchEffects.h"
#include "compiler/target/templates/params.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

namespace ingot::passes {

LaunchEffects effectsOf(plan::LaunchOp launch) {
  LaunchEffects effects;
  unsigned count = launch.getBuffers().size();
  auto last = [&](unsigned n) {
    for (unsigned operand = count - n; operand < count; ++operand)
      effects.written.push_back(operand);
  };
  auto kernel = ir::lookup<plan::KernelOp>(launch, launch.getKernelAttr().getAttr());
  if (kernel.getBodyAttr()) {
    auto function = ir::lookup<FunctionOpInterface>(kernel->getParentOp(), kernel.getBodyAttr().getAttr());
    last(function ? function.getNumResults() : 1);
    return effects;
  }
  auto param = [&](StringRef name) -> int64_t {
    auto value = kernel.getParams()->getAs<IntegerAttr>(name);
    return value ? value.getInt() : 0; // left out: 0
  };
  auto planes = [&] { return param("cache_type") == INGOT_I8 ? 4u : 2u; };
  StringRef name = *kernel.getTemplateName();
  if (name == "embedding") {
    last(param("stats") ? 2 : 1);
  } else if (name == "linear" || name == "linear_int") {
    last(param("stats") ? 2 : 1);
    if (param("residual") && param("out_type") == 0 && param("out_stride") == param("n")) {
      // in, weight, [scales], [zeros], [sums], [bias], residual
      bool scales = name == "linear_int" || param("weight_type") == INGOT_U8;
      effects.readInPlace =
          2 + int(scales) + int(param("zeros") != 0) + int(param("in_zeros") != 0) + int(param("bias") != 0);
      effects.writtenInPlace = effects.readInPlace + 1;
    }
  } else if (name == "rope_append") {
    last(planes());
  } else if (name == "attention") {
    last(2); // partials, out
    unsigned first = 3 + 2 * static_cast<unsigned>(param("qk_norm") != 0);
    for (unsigned plane = first; plane < first + planes(); ++plane) {
      effects.written.push_back(plane);
      effects.readWritten.push_back(plane);
    }
  } else if (name == "attention_merge") {
    last(1); // out, of which it writes some rows
    effects.readWritten.push_back(count - 1);
  } else if (name == "sample") {
    last(2);
  } else { // rope_angles, pack_rows, quantize_rows: the last operand
    last(1);
  }
  return effects;
}

const void *memoryOf(Value buffer) {
  Operation *op = buffer.getDefiningOp();
  if (!op || isa<plan::AllocOp, plan::ViewOp>(op))
    return buffer.getAsOpaquePointer();
  return op->getAttrDictionary().getAsOpaquePointer();
}

SmallVector<size_t> groupsOf(ArrayRef<plan::LaunchOp> launches) {
  SmallVector<size_t> groups;
  size_t group = 0;
  for (plan::LaunchOp launch : launches) {
    groups.push_back(group);
    group += !launch.getJoined() && !launch.getLocal();
  }
  return groups;
}

} // namespace ingot::passes
