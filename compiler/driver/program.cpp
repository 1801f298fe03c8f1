// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See program.h.
#include "compiler/driver/program.h"

#include "dialects/ingot/IngotDialect.h"
#include "runtime/format/kernel_abi.h"

using namespace mlir;

namespace ingot::driver {

std::vector<target::Kernel> kernelsOf(plan::ProgramOp program) {
  std::vector<target::Kernel> kernels;
  for (auto op : program.getOps<plan::KernelOp>()) {
    target::Kernel kernel;
    kernel.name = op.getSymName().str();
    if (op.getBody()) {
      kernel.body = ir::lookup<func::FuncOp>(op, op.getBodyAttr().getAttr());
    } else {
      kernel.templateName = op.getTemplateName()->str();
      DictionaryAttr params = *op.getParams();
      for (NamedAttribute named : params) {
        target::Parameter parameter;
        parameter.name = named.getName().str();
        if (auto real = dyn_cast<FloatAttr>(named.getValue())) {
          parameter.isReal = true;
          parameter.real = real.getValue().convertToFloat();
        } else {
          parameter.integer = int32_t(cast<IntegerAttr>(named.getValue()).getInt());
        }
        kernel.parameters.push_back(parameter);
      }
    }
    kernels.push_back(std::move(kernel));
  }
  return kernels;
}

engine::VariantCode variantOf(target::cpu::Image &image) {
  engine::VariantCode variant;
  variant.target = "cpu";
  variant.name = image.set.name;
  variant.features = image.set.features;
  variant.score = image.set.score;
  for (const target::cpu::VendorScore &score : image.set.vendors)
    variant.vendors.push_back({score.vendor, score.score});
  variant.partial = !image.set.base.empty();
  variant.kernelAbi = INGOT_KERNEL_ABI;
  variant.image = std::move(image.bytes);
  variant.functions = std::move(image.functions);
  return variant;
}

} // namespace ingot::driver
