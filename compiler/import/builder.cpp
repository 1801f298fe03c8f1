// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// builder.h over MLIR: each call makes an op of the `ingot` dialect, located at the model's own name for it. Types are
// inferred by the ops; what an importer got wrong shows when the module is verified (takeModule).
#include "compiler/import/builder_impl.h"
#include "compiler/import/module.h"
#include "dialects/ingot/StepContract.h"
#include "mlir/IR/Verifier.h"

namespace ingot {

mlir::Type GraphBuilder::Impl::element(ElementType type) {
  switch (type) {
  case ElementType::f32:
    return ops.getF32Type();
  case ElementType::f16:
    return ops.getF16Type();
  case ElementType::bf16:
    return ops.getBF16Type();
  case ElementType::f64:
    return ops.getF64Type();
  case ElementType::i8:
    return ops.getI8Type();
  case ElementType::u8:
    return ops.getIntegerType(8, /*isSigned=*/false);
  case ElementType::i16:
    return ops.getI16Type();
  case ElementType::u16:
    return ops.getIntegerType(16, /*isSigned=*/false);
  case ElementType::i32:
    return ops.getI32Type();
  case ElementType::u32:
    return ops.getIntegerType(32, /*isSigned=*/false);
  case ElementType::i64:
    return ops.getI64Type();
  case ElementType::u64:
    return ops.getIntegerType(64, /*isSigned=*/false);
  case ElementType::i1:
    return ops.getI1Type();
  case ElementType::index:
    return ops.getIndexType();
  }
  llvm_unreachable("an element type that builder.h does not list");
}

GraphBuilder::GraphBuilder() : impl(std::make_unique<Impl>()) {}
GraphBuilder::~GraphBuilder() = default;
void GraphBuilder::restart() { impl->begin(); }

GraphBuilder::Scope::Scope(GraphBuilder *owner) : builder(owner) {}
GraphBuilder::Scope::Scope(Scope &&other) noexcept : builder(std::exchange(other.builder, nullptr)) {}
GraphBuilder::Scope::~Scope() {
  if (builder)
    builder->impl->scopes.pop_back();
}
GraphBuilder::Scope GraphBuilder::scope(std::string name) {
  impl->scopes.push_back(std::move(name));
  return Scope(this);
}

// --- The step contract.

void GraphBuilder::beginDecoder(const DecoderSpec &spec) {
  Impl &b = *impl;
  b.decoder = spec;
  b.module->setName(spec.name);
  b.step = ir::openStep(b.ops, *b.module, b.here(), {spec.family, spec.vocabulary, spec.context, spec.layers, spec.kv_heads, spec.head_dim},
                        b.cache);
}

Value GraphBuilder::tokens() { return out(impl->step.argumentNamed("tokens")); }

Value GraphBuilder::selectLogitRows(Value x) {
  return out(
      ir::GatherRowsOp::create(impl->ops, impl->here(), in(x), impl->step.argumentNamed("logit_rows")).getResult());
}

void GraphBuilder::endDecoder(Value logits) {
  ir::closeStep(impl->ops, *impl->module, impl->here(), impl->decoder.vocabulary, in(logits));
}

// --- Weights.

Value GraphBuilder::weight(const TensorSource &source) {
  Impl &b = *impl;
  mlir::Value &known = b.weights[source.name];
  if (known)
    return out(known);
  auto type = mlir::RankedTensorType::get(source.shape, b.element(source.type));
  {
    mlir::OpBuilder::InsertionGuard guard(b.ops);
    if (b.step || b.entry) // tensors stand before the entry that reads them
      b.ops.setInsertionPoint(b.step ? b.step : b.entry);
    bool dummy = source.file.empty();
    ir::TensorOp::create(b.ops, b.here(), source.name, type, dummy ? nullptr : b.ops.getStringAttr(source.file),
                         dummy ? nullptr : b.ops.getI64IntegerAttr(static_cast<int64_t>(source.offset)),
                         dummy ? nullptr : b.ops.getI64IntegerAttr(static_cast<int64_t>(source.bytes)), dummy);
  }
  known = ir::WeightOp::create(b.ops, b.here(), type, source.name);
  return out(known);
}

// --- Ops.

Value GraphBuilder::embedding(Value ids, Value table) {
  Impl &b = *impl;
  // A decoder's tokens may name rows of the previous step's samples.
  mlir::Value previous;
  if (b.step && in(ids) == b.step.argumentNamed("tokens"))
    previous = b.step.argumentNamed("previous_ids");
  return out(ir::EmbeddingOp::create(b.ops, b.here(), in(ids), in(table), previous, mlir::Value(), mlir::Value(), b.ops.getF64FloatAttr(1.0),
                                     /*emit_stats=*/nullptr, /*layout=*/nullptr, /*n=*/nullptr, /*k=*/nullptr)
                 .getResult());
}

Value GraphBuilder::linear(Value x, Value weight, Value bias) {
  return out(
      ir::LinearOp::create(impl->ops, impl->here(), in(x), in(weight), bias ? in(bias) : mlir::Value()).getResult());
}

Value GraphBuilder::unpackBits(Value bytes, int64_t bits, int64_t columns, bool isSigned) {
  auto type = mlir::RankedTensorType::get({typeOf(in(bytes)).getDimSize(0), columns},
                                          impl->element(isSigned ? ElementType::i8 : ElementType::u8));
  return out(ir::UnpackBitsOp::create(impl->ops, impl->here(), type, in(bytes), impl->ops.getI64IntegerAttr(bits)));
}

Value GraphBuilder::assemble(Value codes, Value scales, Value zeros, int64_t block, int64_t zero,
                             const QuantizedSpec *spec) {
  mlir::Type element = impl->ops.getF32Type();
  auto unsignedType = [&](unsigned bits) {
    return mlir::IntegerType::get(&impl->context, bits, mlir::IntegerType::Unsigned);
  };
  if (spec)
    element =
        ir::QuantizedType::get(&impl->context, unsignedType(unsigned(spec->bits)), spec->group,
                               impl->element(spec->scale), spec->zeros ? mlir::Type(unsignedType(8)) : mlir::Type());
  return out(ir::AssembleOp::create(impl->ops, impl->here(),
                                    mlir::RankedTensorType::get(typeOf(in(codes)).getShape(), element), in(codes),
                                    in(scales), zeros ? in(zeros) : mlir::Value(), impl->ops.getI64IntegerAttr(block),
                                    impl->ops.getI64IntegerAttr(zero)));
}

Value GraphBuilder::quantizedLinear(Value x, Value weight, bool integers) {
  auto linear = ir::LinearOp::create(impl->ops, impl->here(), in(x), in(weight));
  linear.setComputeAttr(
      mlir::TypeAttr::get(integers ? mlir::Type(impl->ops.getI8Type()) : mlir::Type(impl->ops.getF32Type())));
  return out(linear.getResult());
}

Value GraphBuilder::integerLinear(Value x, Value scale, Value zero, Value weight) {
  mlir::Type f32 = impl->ops.getF32Type();
  llvm::SmallVector<ir::Dim> dims = ir::dimsOf(typeOf(in(x)));
  dims.back() = ir::Dim(typeOf(in(weight)).getDimSize(0));
  llvm::SmallVector<mlir::Type> types{ir::tensorType(dims, f32)};
  auto linear = ir::LinearOp::create(
      impl->ops, impl->here(), types, in(x), in(weight), mlir::Value(), mlir::Value(), mlir::Value(), mlir::Value(),
      mlir::Value(), mlir::Value(), in(scale), zero ? in(zero) : mlir::Value(), mlir::Value(), mlir::FloatAttr(),
      ir::ActivationAttr(), mlir::UnitAttr(), mlir::UnitAttr(), mlir::TypeAttr(), mlir::TypeAttr(), mlir::TypeAttr(),
      mlir::StringAttr(), mlir::IntegerAttr(), mlir::IntegerAttr());
  return out(linear.getResult());
}

Value GraphBuilder::rmsNorm(Value x, Value gamma, double eps) {
  return out(ir::RmsNormOp::create(impl->ops, impl->here(), in(x), in(gamma), impl->ops.getF64FloatAttr(eps)));
}

Value GraphBuilder::elementwise(Elementwise op, Value a, Value b) {
  auto make = [&]<typename Op>() { return out(Op::create(impl->ops, impl->here(), in(a), in(b))); };
  switch (op) {
  case Elementwise::add:
    return make.operator()<ir::AddOp>();
  case Elementwise::sub:
    return make.operator()<ir::SubOp>();
  case Elementwise::mul:
    return make.operator()<ir::MulOp>();
  case Elementwise::div:
    return make.operator()<ir::DivOp>();
  case Elementwise::max:
    return make.operator()<ir::MaxOp>();
  case Elementwise::min:
    return make.operator()<ir::MinOp>();
  }
  llvm_unreachable("an element-wise op that builder.h does not list");
}

Value GraphBuilder::scale(Value x, double factor) {
  return out(ir::ScaleOp::create(impl->ops, impl->here(), in(x), impl->ops.getF64FloatAttr(factor)));
}

Value GraphBuilder::activation(Activation op, Value x) {
  auto make = [&]<typename Op>() { return out(Op::create(impl->ops, impl->here(), in(x))); };
  switch (op) {
  case Activation::silu:
    return make.operator()<ir::SiluOp>();
  case Activation::gelu:
    return make.operator()<ir::GeluOp>();
  case Activation::gelu_tanh:
    return make.operator()<ir::GeluTanhOp>();
  case Activation::quick_gelu:
    return make.operator()<ir::QuickGeluOp>();
  case Activation::relu:
    return make.operator()<ir::ReluOp>();
  case Activation::sigmoid:
    return make.operator()<ir::SigmoidOp>();
  case Activation::tanh:
    return make.operator()<ir::TanhOp>();
  }
  llvm_unreachable("an activation that builder.h does not list");
}

Value GraphBuilder::splitHeads(Value x, int64_t heads) {
  auto type = typeOf(in(x));
  llvm::SmallVector<ir::Dim> dims = ir::dimsOf(type);
  int64_t width = dims.back().size;
  dims.back() = ir::Dim(heads);
  dims.push_back(ir::Dim(heads > 0 ? width / heads : 0));
  return out(ir::ReshapeOp::create(impl->ops, impl->here(), ir::tensorType(dims, type.getElementType()), in(x)));
}

Value GraphBuilder::mergeHeads(Value x) {
  auto type = typeOf(in(x));
  llvm::SmallVector<ir::Dim> dims = ir::dimsOf(type);
  int64_t headDim = dims.pop_back_val().size;
  dims.back() = ir::Dim(dims.back().size * headDim);
  return out(ir::ReshapeOp::create(impl->ops, impl->here(), ir::tensorType(dims, type.getElementType()), in(x)));
}

Value GraphBuilder::ropeAngles(const RopeSpec &spec) {
  Impl &b = *impl;
  for (const auto &[known, value] : b.ropes)
    if (known == spec)
      return out(value);
  auto list = [&](const std::vector<float> &values) -> mlir::DenseElementsAttr {
    auto type = mlir::RankedTensorType::get({static_cast<int64_t>(values.size())}, b.ops.getF32Type());
    return mlir::DenseElementsAttr::get(type, llvm::ArrayRef<float>(values));
  };
  auto kind = spec.kind == RopeSpec::Kind::dynamic    ? ir::RopeKind::Dynamic
              : spec.kind == RopeSpec::Kind::longrope ? ir::RopeKind::Longrope
                                                      : ir::RopeKind::Fixed;
  auto number = [&](double value) { return b.ops.getF64FloatAttr(value); };
  mlir::Value angles = ir::RopeAnglesOp::create(
      b.ops, b.here(), b.step.argumentNamed("positions"), b.step.argumentNamed("sequence_starts"),
      b.step.argumentNamed("context_lengths"), ir::RopeKindAttr::get(&b.context, kind), list(spec.inv_freq),
      spec.kind == RopeSpec::Kind::longrope ? list(spec.long_inv_freq) : mlir::DenseElementsAttr(),
      b.ops.getI64IntegerAttr(spec.original), number(spec.base), number(spec.factor), number(spec.attention_factor),
      number(spec.long_attention_factor));
  b.ropes.emplace_back(spec, angles);
  return out(angles);
}

Value GraphBuilder::rope(Value x, Value angles) {
  return out(ir::RopeOp::create(impl->ops, impl->here(), in(x), in(angles)));
}

Value GraphBuilder::attention(Value q, Value k, Value v, const AttentionSpec &spec) {
  Impl &b = *impl;
  return out(ir::appendAndAttend(b.ops, b.here(), b.step, b.cache, in(q), in(k), in(v),
                                 {spec.layer, spec.heads, spec.kv_heads, spec.head_dim, spec.scale, spec.window, spec.soft_cap}));
}

// --- module.h.

mlir::MLIRContext &contextOf(GraphBuilder &builder) { return builder.impl->context; }

mlir::OwningOpRef<mlir::ModuleOp> takeModule(GraphBuilder &builder) {
  mlir::OwningOpRef<mlir::ModuleOp> module = std::move(builder.impl->module);
  if (!module || mlir::failed(mlir::verify(*module)))
    return nullptr;
  return module;
}

} // namespace ingot
