// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Elements.h.
#include "passes/decoder/Elements.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;

namespace ingot::passes {

namespace {

// The longest sum that is worked out element by element.
constexpr int64_t kLongestSum = int64_t(1) << 21;
constexpr int64_t kLongestProduct = 256;

using ir::tensorOf;

} // namespace

ElementSources::ElementSources(ModuleOp module) {
  llvm::StringMap<Value> measured;
  module.walk([&](ir::SetSymbolOp set) { measured[set.getSymbol()] = set.getValue(); });
  for (auto symbol : module.getOps<ir::SymbolOp>()) {
    std::string why;
    if (auto known = measured.find(symbol.getSymName()); known != measured.end()) {
      derived.push_back({symbol.getSymName(), std::nullopt, known->second});
      continue;
    }
    auto expression = symbol.getValue() ? ir::SymbolExpr::parse(*symbol.getValue(), why) : std::nullopt;
    if (expression && symbol.getRequirement())
      requirements.push_back(std::move(*expression));
    else if (expression)
      derived.push_back({symbol.getSymName(), std::move(expression), {}});
  }
}

const ElementSources::ScalarBody &ElementSources::bodyOf(ir::ScalarBodyInterface op) {
  ScalarBody &body = bodies[op];
  if (!body.block) {
    body.block = std::make_unique<Block>();
    SmallVector<Value> scalars;
    for (Value operand : op->getOperands())
      scalars.push_back(body.block->addArgument(ir::registerType(tensorOf(operand).getElementType()), op.getLoc()));
    OpBuilder builder(op.getContext());
    builder.setInsertionPointToEnd(body.block.get());
    body.result = op.buildScalarBody(builder, op.getLoc(), scalars);
  }
  return body;
}

Elements::Elements(ElementSources &sources, const llvm::StringMap<int64_t> &given, Input input)
    : sources(sources), sizes(given), input(std::move(input)) {
  auto valueOf = [&](StringRef name) {
    auto found = sizes.find(name);
    return found == sizes.end() ? 1 : found->second;
  };
  for (const ElementSources::Derived &symbol : sources.derived) {
    if (sizes.count(symbol.name))
      continue;
    if (symbol.value) {
      sizes[symbol.name] = symbol.value->evaluate(valueOf).value_or(1);
      continue;
    }
    Form form = at(symbol.measured, SmallVector<int64_t>(size_t(tensorOf(symbol.measured).getRank()), 0));
    sizes[symbol.name] = form.isNumber() ? int64_t(form.constant) : 1;
  }
  for (const ir::SymbolExpr &requirement : sources.requirements)
    accepted &= requirement.evaluate(valueOf).value_or(0) >= 0;
}

int64_t Elements::sizeOf(const ir::Dim &dim) {
  if (!dim.isDynamic())
    return dim.size;
  if (!dim.name)
    return 1;
  auto parsed = ir::parseDim(dim.name.getValue());
  if (!parsed)
    return 1;
  auto found = sizes.find(parsed->symbol);
  return (found == sizes.end() ? 1 : found->second) + parsed->constant;
}

SmallVector<int64_t> Elements::shapeOf(Value tensor) {
  auto [entry, fresh] = shapes.try_emplace(tensor);
  if (fresh)
    for (const ir::Dim &dim : ir::dimsOf(tensorOf(tensor)))
      entry->second.push_back(sizeOf(dim));
  return SmallVector<int64_t>(entry->second.begin(), entry->second.end());
}

int64_t Elements::numberOf(ArrayRef<int64_t> shape, ArrayRef<int64_t> indices) {
  int64_t number = 0;
  for (auto [size, index] : llvm::zip(shape, indices))
    number = number * size + index;
  return number;
}

SmallVector<int64_t> Elements::indicesOf(Value tensor, int64_t number) {
  SmallVector<int64_t> shape = shapeOf(tensor), indices(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    indices[i] = shape[i] ? number % shape[i] : 0;
    number = shape[i] ? number / shape[i] : 0;
  }
  return indices;
}

Form Elements::at(Value tensor, ArrayRef<int64_t> indices) {
  SmallVector<int64_t> shape = shapeOf(tensor);
  for (auto [size, index] : llvm::zip(shape, indices))
    if (index < 0 || index >= size) {
      outside = true;
      return Form();
    }
  const int64_t number = numberOf(shape, indices);
  // What is cheap and asked for once is not kept.
  Operation *op = tensor.getDefiningOp();
  const bool keep = op && (!tensor.hasOneUse() || isa<ir::ReduceOp, ir::MatmulOp>(op) || (isa<ir::ComputeOp>(op) && cast<ir::ComputeOp>(op).getReduce()));
  auto key = std::pair(tensor, number);
  if (!keep)
    return formOf(tensor, indices, number);
  if (auto found = known.find(key); found != known.end())
    return found->second;
  Form form = formOf(tensor, indices, number);
  known[key] = form;
  return form;
}

Form Elements::formOf(Value tensor, ArrayRef<int64_t> indices, int64_t number) {
  if (std::optional<Form> computed = compute(tensor, indices))
    return *computed;
  Form form;
  form.terms.push_back({tensor, number, 1.0});
  return form;
}

std::optional<Form> Elements::compute(Value tensor, ArrayRef<int64_t> indices) {
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    if (std::optional<double> number = input(argument, indices))
      return Form(*number);
    return std::nullopt;
  }
  Operation *op = tensor.getDefiningOp();
  return llvm::TypeSwitch<Operation *, std::optional<Form>>(op)
      .Case<ir::ConstantOp>([&](auto constant) -> std::optional<Form> {
        auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
        if (!elements)
          return std::nullopt;
        const int64_t number = numberOf(shapeOf(tensor), indices);
        if (isa<FloatType>(elements.getElementType()))
          return Form(elements.template getValues<llvm::APFloat>()[size_t(number)].convertToDouble());
        llvm::APInt value = elements.template getValues<llvm::APInt>()[size_t(number)];
        const bool isUnsigned = value.getBitWidth() == 1 || elements.getElementType().isUnsignedInteger();
        return Form(isUnsigned ? double(value.getZExtValue()) : double(value.getSExtValue()));
      })
      .Case<ir::WeightOp>([&](auto weight) -> std::optional<Form> {
        auto declared = ir::lookup<ir::TensorOp>(weight, weight.getTensorAttr().getAttr());
        if (!declared)
          return std::nullopt;
        if (auto number = sources.stored.at(declared, numberOf(shapeOf(tensor), indices)))
          return Form(*number);
        return std::nullopt;
      })
      .Case<ir::EmbeddingOp>([&](auto lookup) -> std::optional<Form> {
        if (!tables || lookup.getScales())
          return std::nullopt;
        Form row = at(lookup.getTokens(), {indices[0]});
        if (!row.isNumber())
          return std::nullopt;
        Form value = at(lookup.getTable(), {int64_t(row.constant), indices[1]});
        return value.isNumber() ? std::optional<Form>(value.constant * lookup.getScale().convertToDouble()) : std::nullopt;
      })
      .Case<ir::ReshapeOp>([&](auto reshape) -> std::optional<Form> {
        Value from = reshape.getInput();
        return at(from, indicesOf(from, numberOf(shapeOf(tensor), indices)));
      })
      .Case<ir::TransposeOp>([&](auto transpose) -> std::optional<Form> {
        SmallVector<int64_t> own(indices.size());
        for (auto [i, from] : llvm::enumerate(transpose.getPermutation()))
          own[size_t(from)] = indices[i];
        return at(transpose.getInput(), own);
      })
      .Case<ir::BroadcastOp>([&](auto broadcast) -> std::optional<Form> {
        SmallVector<int64_t> shape = shapeOf(broadcast.getInput()), own;
        for (auto [size, index] : llvm::zip(shape, indices.take_back(shape.size())))
          own.push_back(size == 1 ? 0 : index);
        return at(broadcast.getInput(), own);
      })
      .Case<ir::ConcatOp>([&](auto concat) -> std::optional<Form> {
        if (concat.getSegments())
          return std::nullopt;
        SmallVector<int64_t> own(indices);
        const size_t axis = size_t(concat.getAxis());
        for (Value part : concat.getInputs()) {
          const int64_t size = shapeOf(part)[axis];
          if (own[axis] < size)
            return at(part, own);
          own[axis] -= size;
        }
        return std::nullopt;
      })
      .Case<ir::SplitOp>([&](auto split) -> std::optional<Form> {
        SmallVector<int64_t> own(indices);
        for (unsigned i = 0; i < cast<OpResult>(tensor).getResultNumber(); ++i)
          own[size_t(split.getAxis())] += split.getSizes()[i];
        return at(split.getInput(), own);
      })
      .Case<ir::ComputeOp>([&](auto compute) { return computeRegion(compute, indices); })
      .Case<ir::ReduceOp>([&](auto reduceOp) { return reduce(reduceOp, indices); })
      .Case<ir::MatmulOp>([&](auto matmul) { return multiply(matmul, indices); })
      .Default([&](Operation *other) -> std::optional<Form> {
        auto elementwise = dyn_cast<ir::ScalarBodyInterface>(other);
        if (!elementwise)
          return std::nullopt;
        Scalars values;
        return scalar(sources.bodyOf(elementwise).result, [&](BlockArgument argument) { return at(other->getOperand(argument.getArgNumber()), indices); },
                      values);
      });
}

std::optional<Form> Elements::reduce(ir::ReduceOp op, ArrayRef<int64_t> indices) {
  SmallVector<int64_t> own(indices);
  const size_t axis = size_t(op.getAxis());
  if (op.getKeepAxis())
    own[axis] = 0;
  else
    own.insert(own.begin() + std::ptrdiff_t(axis), 0);
  const int64_t size = shapeOf(op.getInput())[axis];
  if (size > kLongestSum)
    return std::nullopt;
  double result = 0;
  for (int64_t i = 0; i < size; ++i) {
    own[axis] = i;
    Form form = at(op.getInput(), own);
    if (!form.isNumber())
      return std::nullopt;
    switch (op.getKind()) {
    case ir::ReduceKind::Sum:
    case ir::ReduceKind::Mean:
      result += form.constant;
      break;
    case ir::ReduceKind::Max:
      result = i ? std::max(result, form.constant) : form.constant;
      break;
    case ir::ReduceKind::Min:
      result = i ? std::min(result, form.constant) : form.constant;
      break;
    case ir::ReduceKind::Product:
      result = (i ? result : 1) * form.constant;
      break;
    }
  }
  return Form(op.getKind() == ir::ReduceKind::Mean ? result / double(size) : result);
}

std::optional<Form> Elements::multiply(ir::MatmulOp op, ArrayRef<int64_t> indices) {
  const int64_t depth = shapeOf(op.getLhs()).back();
  if (depth > kLongestProduct)
    return std::nullopt;
  SmallVector<int64_t> left(indices), right(indices);
  Form result;
  for (int64_t k = 0; k < depth; ++k) {
    left.back() = k;
    right[right.size() - 2] = k;
    auto term = product(at(op.getLhs(), left), at(op.getRhs(), right));
    if (!term)
      return std::nullopt;
    result = sum(result, *term, 1);
  }
  return result;
}

std::optional<Form> Elements::computeRegion(ir::ComputeOp op, ArrayRef<int64_t> indices) {
  Value yielded = cast<ir::YieldOp>(op.getBody().front().getTerminator()).getValue();
  SmallVector<int64_t> extents, loops(indices);
  auto term = [&]() {
    Scalars values;
    return scalar(yielded, [&](BlockArgument argument) { return Form(double(loops[argument.getArgNumber() - op.getInputs().size()])); }, values);
  };
  if (!op.getReduce())
    return term();
  int64_t count = 1;
  for (Attribute extent : op.getExtents()) {
    StringRef text = cast<StringAttr>(extent).getValue();
    int64_t size;
    if (text.getAsInteger(10, size))
      size = sizeOf(ir::Dim(ShapedType::kDynamic, cast<StringAttr>(extent)));
    extents.push_back(size);
    loops.push_back(0);
    if (size < 0 || __builtin_mul_overflow(count, size, &count))
      return std::nullopt;
  }
  // Scripts write whole tensors element by element: of all updates the last that is meant for this element is asked for. Where there are as
  // many as elements and that of this element's own number is meant for it, it is that one.
  if (*op.getReduce() == ir::ReduceKind::Max && extents.size() == 1) {
    SmallVector<int64_t> shape = shapeOf(op.getResult());
    int64_t leading = 1;
    size_t rank = 0;
    while (rank < shape.size() && leading < count)
      leading *= shape[rank++];
    if (leading == count && count > 1) {
      const int64_t own = numberOf(ArrayRef<int64_t>(shape).take_front(rank), indices.take_front(rank));
      loops[indices.size()] = own;
      std::optional<Form> found = term();
      if (found && found->isNumber() && found->constant == double(own))
        return found;
    }
  }
  if (count > kLongestSum)
    return std::nullopt;
  const ir::ReduceKind kind = *op.getReduce();
  Form result(kind == ir::ReduceKind::Product ? 1
              : kind == ir::ReduceKind::Max   ? -std::numeric_limits<double>::infinity()
              : kind == ir::ReduceKind::Min   ? std::numeric_limits<double>::infinity()
                                              : 0);
  for (int64_t n = 0; n < count; ++n) {
    int64_t rest = n;
    for (size_t i = extents.size(); i-- > 0;) {
      loops[indices.size() + i] = rest % extents[i];
      rest /= extents[i];
    }
    std::optional<Form> found = term();
    if (!found)
      return std::nullopt;
    if (kind == ir::ReduceKind::Sum) {
      result = sum(result, *found, 1);
      if (result.terms.size() > size_t(kLongestProduct))
        return std::nullopt;
      continue;
    }
    if (!found->isNumber())
      return std::nullopt;
    result.constant = kind == ir::ReduceKind::Product ? result.constant * found->constant
                      : kind == ir::ReduceKind::Max   ? std::max(result.constant, found->constant)
                                                      : std::min(result.constant, found->constant);
  }
  return result;
}

std::optional<Form> Elements::scalar(Value value, llvm::function_ref<Form(BlockArgument)> argument, Scalars &values) {
  if (auto given = dyn_cast<BlockArgument>(value))
    return argument(given);
  if (auto found = values.find(value); found != values.end())
    return found->second;
  Operation *op = value.getDefiningOp();
  std::optional<Form> result;
  if (auto size = dyn_cast<ir::SizeOp>(op)) {
    result = Form(double(sizeOf(ir::Dim(ShapedType::kDynamic, size.getExprAttr()))));
  } else if (auto element = dyn_cast<ir::ElementOp>(op)) {
    SmallVector<int64_t> place;
    for (Value index : element.getIndices())
      if (auto form = scalar(index, argument, values); form && form->isNumber())
        place.push_back(int64_t(form->constant));
    auto tensor = cast<BlockArgument>(element.getTensor());
    if (place.size() == element.getIndices().size())
      result = at(cast<ir::ComputeOp>(element->getParentOp()).getInputs()[tensor.getArgNumber()], place);
  } else {
    result = evaluate(op, [&](unsigned i) { return scalar(op->getOperand(i), argument, values); });
  }
  values[value] = result;
  return result;
}

} // namespace ingot::passes
