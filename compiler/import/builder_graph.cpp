// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// builder.h for graphs of named tensors: entries, constants and the general ops. The symbols of dynamic dimensions are
// declared here as they first appear.
#include "compiler/import/builder_impl.h"

#include <algorithm>
#include <functional>

namespace ingot {

// Characters of an expression that stays whole. Plans take expressions of 1024 steps.
constexpr size_t kLongExpression = 400;

ir::SymbolOp GraphBuilder::Impl::declare(const std::string &name, llvm::StringRef value) {
  mlir::OpBuilder::InsertionGuard guard(ops);
  if (entry)
    ops.setInsertionPoint(entry);
  else
    ops.setInsertionPointToEnd(module->getBody());
  auto symbol = ir::SymbolOp::create(ops, here(), name, /*max=*/nullptr);
  if (!value.empty())
    symbol.setValue(value);
  symbols.push_back(name);
  return symbol;
}

std::string GraphBuilder::Impl::freeName(const std::string &stem) const {
  for (size_t number = 0;; ++number) {
    std::string name = stem + std::to_string(number);
    if (std::find(symbols.begin(), symbols.end(), name) == symbols.end())
      return name;
  }
}

std::string GraphBuilder::Impl::dimName(const Dimension &dimension) {
  std::vector<std::string> names;
  dimension.collectSymbols(names);
  for (const std::string &name : names)
    if (std::find(symbols.begin(), symbols.end(), name) == symbols.end())
      declare(name, "");
  std::string text = dimension.text();
  if (ir::parseDim(text))
    return text;
  for (const auto &[expression, symbol] : derived)
    if (expression == text)
      return symbol;
  // Arithmetic over arithmetic (a window's padding, level by level) doubles its text with each: what is inside becomes
  // symbols, unless it may be negative, which no symbol is.
  std::string value = text;
  if (text.size() > kLongExpression) {
    std::function<std::string(const Dimension &)> nameOf = [&](const Dimension &operand) {
      if (operand.isConstant() || operand.least().value_or(-1) < 0)
        return operand.symbolName().empty() ? "(" + operand.text(nameOf) + ")" : operand.symbolName();
      return dimName(operand);
    };
    value = dimension.text(nameOf);
  }
  std::string name = freeName("d");
  declare(name, value);
  derived.emplace_back(text, name);
  return name;
}

ir::Dim GraphBuilder::Impl::dim(const Dimension &dimension) {
  if (auto constant = dimension.constant())
    return ir::Dim(*constant);
  return dim(llvm::StringRef(dimName(dimension)));
}

mlir::RankedTensorType GraphBuilder::Impl::type(const Shape &shape, mlir::Type of) {
  llvm::SmallVector<ir::Dim> dims;
  for (const Dimension &dimension : shape)
    dims.push_back(dim(dimension));
  return ir::tensorType(dims, of);
}

std::string GraphBuilder::measure(Value value, const Dimension &most) {
  Impl &b = *impl;
  const auto constant = most.constant();
  const std::string bound = constant ? std::to_string(*constant) : b.dimName(most), name = b.freeName("count");
  b.declare(name, "").setData(bound);
  ir::SetSymbolOp::create(b.ops, b.here(), name, in(value));
  return name;
}

void GraphBuilder::require(Relation relation, const Dimension &a, const Dimension &b, const std::string &words) {
  Impl &on = *impl;
  auto nameOf = [&](const Dimension &of) {
    auto constant = of.constant();
    return constant ? std::to_string(*constant) : on.dimName(of);
  };
  // How far the two are apart (the first is beyond the second) is not more than 0; and nor is that, times how far each is from 1.
  const std::string x = nameOf(a), y = nameOf(b);
  const std::string least = relation == Relation::most ? "(" + y + ")" : "min(" + x + ", " + y + ")";
  std::string text = "0-(max(" + x + ", " + y + ")-" + least + ")";
  if (relation == Relation::broadcasts)
    for (const std::string &each : {x, y})
      text += "*max(" + each + "-1, 1-(" + each + "))";
  if (std::find(on.required.begin(), on.required.end(), text) != on.required.end())
    return;
  on.required.push_back(text);
  on.declare(on.freeName("check"), text)
      .setRequirement(on.scopes.empty() ? "expects " + words : "node '" + on.scopes.back() + "' expects " + words);
}

std::vector<Value> GraphBuilder::beginEntry(const std::string &model, const std::string &name,
                                            const std::vector<ArgumentSpec> &arguments) {
  Impl &b = *impl;
  b.module->setName(model.empty() ? "model" : model);
  std::vector<ir::EntryParameter> parameters;
  for (const ArgumentSpec &argument : arguments)
    parameters.push_back({argument.name, b.type(argument.shape, argument.type)});
  b.entry = ir::openEntry(b.ops, *b.module, b.here(), name, parameters, {});
  std::vector<Value> values;
  for (mlir::BlockArgument argument : b.entry.getBody().getArguments())
    values.push_back(out(argument));
  return values;
}

void GraphBuilder::endEntry(const std::vector<std::pair<std::string, Value>> &results) {
  Impl &b = *impl;
  llvm::SmallVector<mlir::Value> values;
  llvm::SmallVector<mlir::Type> types;
  llvm::SmallVector<llvm::StringRef> names;
  for (const auto &[name, value] : results) {
    values.push_back(in(value));
    types.push_back(in(value).getType());
    names.push_back(name);
  }
  ir::ReturnOp::create(b.ops, b.here(), values);
  b.entry.setFunctionType(b.ops.getFunctionType(b.entry.getArgumentTypes(), types));
  b.entry.setResNamesAttr(b.ops.getStrArrayAttr(names));
  b.entry = nullptr;
}

Value GraphBuilder::constant(ElementType type, const std::vector<int64_t> &shape, std::string_view bytes) {
  Impl &b = *impl;
  auto tensor = mlir::RankedTensorType::get(shape, b.element(type));
  mlir::DenseElementsAttr elements;
  if (type == ElementType::i1) {
    llvm::SmallVector<bool> values;
    for (char byte : bytes)
      values.push_back(byte != 0);
    elements = mlir::DenseElementsAttr::get(tensor, values);
  } else {
    elements = mlir::DenseElementsAttr::getFromRawBuffer(tensor, llvm::ArrayRef<char>(bytes.data(), bytes.size()));
  }
  return out(ir::ConstantOp::create(b.ops, b.here(), tensor, elements));
}

bool GraphBuilder::hasElementwise(ScalarOp op) {
  switch (op) {
  case ScalarOp::add:
  case ScalarOp::sub:
  case ScalarOp::mul:
  case ScalarOp::div:
  case ScalarOp::max:
  case ScalarOp::min:
  case ScalarOp::pow:
  case ScalarOp::neg:
  case ScalarOp::abs:
  case ScalarOp::exp:
  case ScalarOp::log:
  case ScalarOp::sqrt:
  case ScalarOp::sin:
  case ScalarOp::cos:
  case ScalarOp::tanh:
  case ScalarOp::erf:
    return true;
  default:
    return false;
  }
}

Value GraphBuilder::elementwise(ScalarOp op, const std::vector<Value> &x) {
  Impl &b = *impl;
  auto unary = [&]<typename Op>() { return out(Op::create(b.ops, b.here(), in(x[0]))); };
  auto binary = [&]<typename Op>() { return out(Op::create(b.ops, b.here(), in(x[0]), in(x[1]))); };
  switch (op) {
  case ScalarOp::add:
    return binary.operator()<ir::AddOp>();
  case ScalarOp::sub:
    return binary.operator()<ir::SubOp>();
  case ScalarOp::mul:
    return binary.operator()<ir::MulOp>();
  case ScalarOp::div:
    return binary.operator()<ir::DivOp>();
  case ScalarOp::max:
    return binary.operator()<ir::MaxOp>();
  case ScalarOp::min:
    return binary.operator()<ir::MinOp>();
  case ScalarOp::pow:
    return binary.operator()<ir::PowOp>();
  case ScalarOp::neg:
    return unary.operator()<ir::NegOp>();
  case ScalarOp::abs:
    return unary.operator()<ir::AbsOp>();
  case ScalarOp::exp:
    return unary.operator()<ir::ExpOp>();
  case ScalarOp::log:
    return unary.operator()<ir::LogOp>();
  case ScalarOp::sqrt:
    return unary.operator()<ir::SqrtOp>();
  case ScalarOp::sin:
    return unary.operator()<ir::SinOp>();
  case ScalarOp::cos:
    return unary.operator()<ir::CosOp>();
  case ScalarOp::tanh:
    return unary.operator()<ir::TanhOp>();
  case ScalarOp::erf:
    return unary.operator()<ir::ErfOp>();
  default:
    llvm_unreachable("no element-wise op of this name");
  }
}

Value GraphBuilder::compare(ScalarOp op, Value a, Value c) {
  Impl &b = *impl;
  auto kind = op == ScalarOp::eq   ? ir::CompareKind::Eq
              : op == ScalarOp::ne ? ir::CompareKind::Ne
              : op == ScalarOp::lt ? ir::CompareKind::Lt
              : op == ScalarOp::le ? ir::CompareKind::Le
              : op == ScalarOp::gt ? ir::CompareKind::Gt
                                   : ir::CompareKind::Ge;
  auto type = typeOf(in(a)).clone(b.ops.getI1Type());
  return out(ir::CompareOp::create(b.ops, b.here(), type, in(a), in(c), ir::CompareKindAttr::get(&b.context, kind)));
}

Value GraphBuilder::select(Value condition, Value a, Value c) {
  Impl &b = *impl;
  return out(ir::SelectOp::create(b.ops, b.here(), in(a).getType(), in(condition), in(a), in(c)));
}

Value GraphBuilder::cast(Value x, ElementType type) {
  Impl &b = *impl;
  auto from = typeOf(in(x));
  if (from.getElementType() == b.element(type))
    return x;
  return out(ir::CastOp::create(b.ops, b.here(), from.clone(b.element(type)), in(x)));
}

Value GraphBuilder::broadcast(Value x, const Shape &shape) {
  Impl &b = *impl;
  auto type = b.type(shape, typeOf(in(x)).getElementType());
  if (type == in(x).getType())
    return x;
  return out(ir::BroadcastOp::create(b.ops, b.here(), type, in(x)));
}

Value GraphBuilder::reshape(Value x, const Shape &shape) {
  Impl &b = *impl;
  auto type = b.type(shape, typeOf(in(x)).getElementType());
  if (type == in(x).getType())
    return x;
  return out(ir::ReshapeOp::create(b.ops, b.here(), type, in(x)));
}

Value GraphBuilder::transpose(Value x, const std::vector<int64_t> &permutation) {
  Impl &b = *impl;
  return out(ir::TransposeOp::create(b.ops, b.here(), in(x), b.ops.getDenseI64ArrayAttr(permutation)).getResult());
}

Value GraphBuilder::concat(const std::vector<Value> &inputs, int64_t axis) {
  Impl &b = *impl;
  llvm::SmallVector<mlir::Value> values;
  for (Value input : inputs)
    values.push_back(in(input));
  return out(ir::ConcatOp::create(b.ops, b.here(), values, b.ops.getI64IntegerAttr(axis), nullptr).getResult());
}

Value GraphBuilder::matmul(Value a, Value c) {
  Impl &b = *impl;
  return out(ir::MatmulOp::create(b.ops, b.here(), in(a), in(c)).getResult());
}

Value GraphBuilder::softmax(Value x, int64_t axis) {
  Impl &b = *impl;
  return out(ir::SoftmaxOp::create(b.ops, b.here(), in(x), b.ops.getI64IntegerAttr(axis)).getResult());
}

Value GraphBuilder::layerNorm(Value x, Value gamma, Value beta, double eps) {
  Impl &b = *impl;
  return out(ir::LayerNormOp::create(b.ops, b.here(), in(x), in(gamma), beta ? in(beta) : mlir::Value(),
                                     b.ops.getF64FloatAttr(eps))
                 .getResult());
}

Value GraphBuilder::reduce(Reduction kind, Value x, int64_t axis, bool keepAxis) {
  Impl &b = *impl;
  auto of = kind == Reduction::sum       ? ir::ReduceKind::Sum
            : kind == Reduction::product ? ir::ReduceKind::Product
            : kind == Reduction::max     ? ir::ReduceKind::Max
            : kind == Reduction::min     ? ir::ReduceKind::Min
                                         : ir::ReduceKind::Mean;
  return out(ir::ReduceOp::create(b.ops, b.here(), in(x), ir::ReduceKindAttr::get(&b.context, of),
                                  b.ops.getI64IntegerAttr(axis), keepAxis ? b.ops.getUnitAttr() : nullptr)
                 .getResult());
}

Value GraphBuilder::convolution(Value x, Value weight, Value bias, const Shape &shape, const WindowSpec &spec) {
  Impl &b = *impl;
  return out(ir::ConvolutionOp::create(
                 b.ops, b.here(), b.type(shape, ElementType::f32), in(x), in(weight), mlir::Value(),
                 bias ? in(bias) : mlir::Value(), mlir::Value(), b.ops.getDenseI64ArrayAttr(spec.strides),
                 b.ops.getDenseI64ArrayAttr(spec.dilations), b.ops.getDenseI64ArrayAttr(spec.pads),
                 b.ops.getI64IntegerAttr(spec.groups), nullptr, nullptr, nullptr, nullptr)
                 .getResult());
}

Value GraphBuilder::attentionOver(Value q, Value k, Value v, Value bias, Value lengths, const AttentionOverSpec &spec) {
  Impl &b = *impl;
  return out(ir::ScaledDotProductAttentionOp::create(
                 b.ops, b.here(), in(q), in(k), in(v), bias ? in(bias) : mlir::Value(),
                 lengths ? in(lengths) : mlir::Value(), b.ops.getF64FloatAttr(spec.scale),
                 spec.causal ? b.ops.getUnitAttr() : nullptr, b.ops.getI64IntegerAttr(spec.window),
                 b.ops.getF64FloatAttr(spec.soft_cap))
                 .getResult());
}

Value GraphBuilder::packedAttentionOver(Value q, Value k, Value v, Value bias, Value starts, Value places, double scale) {
  Impl &b = *impl;
  return out(ir::ScaledDotProductAttentionOp::create(
                 b.ops, b.here(), in(q), in(k), in(v), bias ? in(bias) : mlir::Value(), mlir::Value(), in(starts),
                 places ? in(places) : mlir::Value(), b.ops.getF64FloatAttr(scale), nullptr, b.ops.getI64IntegerAttr(0),
                 b.ops.getF64FloatAttr(0))
                 .getResult());
}

} // namespace ingot
