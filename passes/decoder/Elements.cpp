// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Elements.h.
#include "passes/decoder/Elements.h"
#include "dialects/ingot/SymbolExpr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

namespace {

// The longest sum that is worked out element by element.
constexpr int64_t kLongestSum = int64_t(1) << 21;
constexpr int64_t kLongestProduct = 256;

RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

Form scaled(Form form, double factor) {
  form.constant *= factor;
  if (factor == 0)
    form.terms.clear();
  for (Form::Term &term : form.terms)
    term.factor *= factor;
  return form;
}

Form sum(const Form &a, const Form &b, double sign) {
  Form result(a.constant + sign * b.constant);
  auto before = [](const Form::Term &x, const Form::Term &y) {
    return std::pair(x.tensor.getAsOpaquePointer(), x.index) < std::pair(y.tensor.getAsOpaquePointer(), y.index);
  };
  size_t i = 0, j = 0;
  while (i < a.terms.size() || j < b.terms.size()) {
    if (j == b.terms.size() || (i < a.terms.size() && before(a.terms[i], b.terms[j]))) {
      result.terms.push_back(a.terms[i++]);
      continue;
    }
    Form::Term term = b.terms[j++];
    term.factor *= sign;
    if (i < a.terms.size() && !before(term, a.terms[i]))
      term.factor += a.terms[i++].factor;
    if (term.factor != 0)
      result.terms.push_back(term);
  }
  return result;
}

std::optional<Form> product(const Form &a, const Form &b) {
  if (a.isNumber())
    return scaled(b, a.constant);
  if (b.isNumber())
    return scaled(a, b.constant);
  return std::nullopt;
}

double unary(Operation *op, double x, bool &good) {
  return llvm::TypeSwitch<Operation *, double>(op)
      .Case<ir::ExpOp, math::ExpOp>([&](auto) { return std::exp(x); })
      .Case<ir::LogOp, math::LogOp>([&](auto) { return std::log(x); })
      .Case<ir::AbsOp, math::AbsFOp, math::AbsIOp>([&](auto) { return std::fabs(x); })
      .Case<ir::SinOp, math::SinOp>([&](auto) { return std::sin(x); })
      .Case<ir::CosOp, math::CosOp>([&](auto) { return std::cos(x); })
      .Case<ir::SqrtOp, math::SqrtOp>([&](auto) { return std::sqrt(x); })
      .Case<ir::RsqrtOp, math::RsqrtOp>([&](auto) { return 1 / std::sqrt(x); })
      .Case<ir::TanhOp, math::TanhOp>([&](auto) { return std::tanh(x); })
      .Case<ir::ErfOp, math::ErfOp>([&](auto) { return std::erf(x); })
      .Case<ir::SigmoidOp>([&](auto) { return 1 / (1 + std::exp(-x)); })
      .Case<ir::SiluOp>([&](auto) { return x / (1 + std::exp(-x)); })
      .Case<ir::ReluOp>([&](auto) { return x > 0 ? x : 0; })
      .Case<math::FloorOp>([&](auto) { return std::floor(x); })
      .Case<math::CeilOp>([&](auto) { return std::ceil(x); })
      .Case<math::RoundEvenOp>([&](auto) { return std::nearbyint(x); })
      .Case<math::TruncOp, arith::FPToSIOp, arith::FPToUIOp>([&](auto) { return std::trunc(x); })
      .Default([&](Operation *) {
        good = false;
        return 0.0;
      });
}

double wrapped(double value, Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer || integer.getWidth() >= 53)
    return value;
  if (integer.getWidth() == 1)
    return (int64_t(value) & 1) ? 1 : 0;
  const int64_t span = int64_t(1) << integer.getWidth();
  int64_t low = int64_t(value) & (span - 1);
  return double(low >= span / 2 ? low - span : low);
}

bool compareIntegers(arith::CmpIPredicate predicate, double a, double b) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
  case arith::CmpIPredicate::ult:
    return a < b;
  case arith::CmpIPredicate::sle:
  case arith::CmpIPredicate::ule:
    return a <= b;
  case arith::CmpIPredicate::sgt:
  case arith::CmpIPredicate::ugt:
    return a > b;
  case arith::CmpIPredicate::sge:
  case arith::CmpIPredicate::uge:
    return a >= b;
  }
  return false;
}

bool compareFloats(arith::CmpFPredicate predicate, double a, double b) {
  using P = arith::CmpFPredicate;
  const bool unordered = std::isnan(a) || std::isnan(b);
  switch (predicate) {
  case P::AlwaysFalse:
    return false;
  case P::AlwaysTrue:
    return true;
  case P::ORD:
    return !unordered;
  case P::UNO:
    return unordered;
  case P::OEQ:
    return !unordered && a == b;
  case P::UEQ:
    return unordered || a == b;
  case P::ONE:
    return !unordered && a != b;
  case P::UNE:
    return unordered || a != b;
  case P::OLT:
    return !unordered && a < b;
  case P::ULT:
    return unordered || a < b;
  case P::OLE:
    return !unordered && a <= b;
  case P::ULE:
    return unordered || a <= b;
  case P::OGT:
    return !unordered && a > b;
  case P::UGT:
    return unordered || a > b;
  case P::OGE:
    return !unordered && a >= b;
  case P::UGE:
    return unordered || a >= b;
  }
  return false;
}

bool compareNumbers(ir::CompareKind kind, double a, double b) {
  switch (kind) {
  case ir::CompareKind::Eq:
    return a == b;
  case ir::CompareKind::Ne:
    return a != b;
  case ir::CompareKind::Lt:
    return a < b;
  case ir::CompareKind::Le:
    return a <= b;
  case ir::CompareKind::Gt:
    return a > b;
  case ir::CompareKind::Ge:
    return a >= b;
  }
  return false;
}

// As ingot.cast and the casts of arith convert a number.
double converted(double value, Type from, Type to) {
  if (to.isInteger(1))
    return value != 0 ? 1 : 0;
  if (isa<FloatType>(from) && isa<IntegerType, IndexType>(to))
    return std::trunc(value);
  return isa<IntegerType>(to) ? wrapped(value, to) : value;
}

} // namespace

std::optional<double> StoredTensors::at(ir::TensorOp tensor, int64_t index) {
  if (tensor.getDummy() || !tensor.getFile() || !tensor.getOffset())
    return std::nullopt;
  auto [entry, fresh] = files.try_emplace(*tensor.getFile());
  if (fresh) {
    auto opened = llvm::MemoryBuffer::getFile(*tensor.getFile(), /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (opened)
      entry->second = std::move(*opened);
  }
  if (!entry->second)
    return std::nullopt;
  Type element = tensor.getTensorType().getElementType();
  const int64_t bytes = ir::elementBytes(element);
  const uint64_t at = uint64_t(*tensor.getOffset()) + uint64_t(index) * uint64_t(bytes);
  if (bytes == 0 || at + uint64_t(bytes) > entry->second->getBufferSize())
    return std::nullopt;
  const char *data = entry->second->getBufferStart() + at;
  auto read = [&](auto value) {
    std::memcpy(&value, data, sizeof(value));
    return value;
  };
  if (element.isF32())
    return double(read(float()));
  if (element.isF64())
    return read(double());
  if (element.isF16())
    return llvm::APFloat(llvm::APFloat::IEEEhalf(), llvm::APInt(16, read(uint16_t()))).convertToDouble();
  if (element.isBF16())
    return llvm::APFloat(llvm::APFloat::BFloat(), llvm::APInt(16, read(uint16_t()))).convertToDouble();
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer)
    return std::nullopt;
  const bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return read(uint8_t()) != 0 ? 1.0 : 0.0;
  case 8:
    return isUnsigned ? double(read(uint8_t())) : double(read(int8_t()));
  case 16:
    return isUnsigned ? double(read(uint16_t())) : double(read(int16_t()));
  case 32:
    return isUnsigned ? double(read(uint32_t())) : double(read(int32_t()));
  case 64:
    return isUnsigned ? double(read(uint64_t())) : double(read(int64_t()));
  default:
    return std::nullopt;
  }
}

Elements::Elements(ModuleOp module, const llvm::StringMap<int64_t> &given, Input input, StoredTensors &stored)
    : module(module), sizes(given), input(std::move(input)), stored(stored) {
  for (auto symbol : module.getOps<ir::SymbolOp>()) {
    if (sizes.count(symbol.getSymName()))
      continue;
    int64_t value = 1;
    if (auto text = symbol.getValue()) {
      std::string why;
      if (auto expression = ir::SymbolExpr::parse(*text, why))
        value = expression->evaluate([&](StringRef name) { return sizes.lookup(name); }).value_or(1);
    }
    sizes[symbol.getSymName()] = value;
  }
}

int64_t Elements::sizeOf(const ir::Dim &dim) {
  if (!dim.isDynamic())
    return dim.size;
  if (!dim.name)
    return 1;
  auto parsed = ir::parseDim(dim.name.getValue());
  return parsed ? sizes.lookup(parsed->symbol) + parsed->constant : 1;
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
  auto operand = [&](unsigned i) { return at(op->getOperand(i), indices); };
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
        if (auto number = stored.at(declared, numberOf(shapeOf(tensor), indices)))
          return Form(*number);
        return std::nullopt;
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
      .Case<ir::CastOp>([&](auto cast) -> std::optional<Form> {
        Form form = operand(0);
        Type from = tensorOf(cast.getInput()).getElementType(), to = tensorOf(tensor).getElementType();
        if (form.isNumber())
          return Form(converted(form.constant, from, to));
        if (isa<FloatType>(from) && isa<FloatType>(to))
          return form;
        return std::nullopt;
      })
      .Case<ir::AddOp>([&](auto) -> std::optional<Form> { return sum(operand(0), operand(1), 1); })
      .Case<ir::SubOp>([&](auto) -> std::optional<Form> { return sum(operand(0), operand(1), -1); })
      .Case<ir::MulOp>([&](auto) { return product(operand(0), operand(1)); })
      .Case<ir::DivOp>([&](auto) -> std::optional<Form> {
        Form a = operand(0), b = operand(1);
        if (!b.isNumber())
          return std::nullopt;
        return a.isNumber() ? Form(a.constant / b.constant) : scaled(a, 1 / b.constant);
      })
      .Case<ir::NegOp>([&](auto) -> std::optional<Form> { return scaled(operand(0), -1); })
      .Case<ir::ScaleOp>([&](auto scale) -> std::optional<Form> { return scaled(operand(0), scale.getFactor().convertToDouble()); })
      .Case<ir::PowOp, ir::MaxOp, ir::MinOp>([&](auto) -> std::optional<Form> {
        Form a = operand(0), b = operand(1);
        if (!a.isNumber() || !b.isNumber())
          return std::nullopt;
        return Form(isa<ir::PowOp>(op)   ? std::pow(a.constant, b.constant)
                    : isa<ir::MaxOp>(op) ? std::max(a.constant, b.constant)
                                         : std::min(a.constant, b.constant));
      })
      .Case<ir::CompareOp>([&](auto compare) -> std::optional<Form> {
        Form a = operand(0), b = operand(1);
        if (!a.isNumber() || !b.isNumber())
          return std::nullopt;
        return Form(compareNumbers(compare.getKind(), a.constant, b.constant) ? 1 : 0);
      })
      .Case<ir::SelectOp>([&](auto) -> std::optional<Form> {
        Form condition = operand(0);
        if (!condition.isNumber())
          return std::nullopt;
        return operand(condition.constant != 0 ? 1 : 2);
      })
      .Case<ir::ComputeOp>([&](auto compute) { return computeRegion(compute, indices); })
      .Case<ir::ReduceOp>([&](auto reduceOp) { return reduce(reduceOp, indices); })
      .Case<ir::MatmulOp>([&](auto matmul) { return multiply(matmul, indices); })
      .Default([&](Operation *other) -> std::optional<Form> {
        if (!isa<ir::ScalarBodyInterface>(other) || other->getNumOperands() != 1)
          return std::nullopt;
        Form form = operand(0);
        bool good = form.isNumber();
        double value = good ? unary(other, form.constant, good) : 0;
        return good ? std::optional<Form>(value) : std::nullopt;
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
  auto yielded = cast<ir::YieldOp>(op.getBody().front().getTerminator()).getValue();
  if (!op.getReduce()) {
    Scalars values;
    return scalar(yielded, op, indices, values);
  }
  SmallVector<int64_t> extents, loops(indices);
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
    Scalars values;
    std::optional<Form> term = scalar(yielded, op, loops, values);
    if (!term)
      return std::nullopt;
    if (kind == ir::ReduceKind::Sum) {
      result = sum(result, *term, 1);
      if (result.terms.size() > size_t(kLongestProduct))
        return std::nullopt;
      continue;
    }
    if (!term->isNumber())
      return std::nullopt;
    result.constant = kind == ir::ReduceKind::Product ? result.constant * term->constant
                      : kind == ir::ReduceKind::Max   ? std::max(result.constant, term->constant)
                                                      : std::min(result.constant, term->constant);
  }
  return result;
}

// Only what is needed is worked out: of a choice, the side that is chosen.
std::optional<Form> Elements::scalar(Value value, ir::ComputeOp op, ArrayRef<int64_t> loops, Scalars &values) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return Form(double(loops[argument.getArgNumber() - op.getInputs().size()]));
  if (auto found = values.find(value); found != values.end())
    return found->second;
  Operation *made = value.getDefiningOp();
  auto operand = [&](unsigned i) { return scalar(made->getOperand(i), op, loops, values); };
  auto integers = [&](auto combine) -> std::optional<Form> {
    auto a = operand(0), b = operand(1);
    if (!a || !b || !a->isNumber() || !b->isNumber())
      return std::nullopt;
    std::optional<double> result = combine(a->constant, b->constant);
    return result ? std::optional<Form>(wrapped(*result, value.getType())) : std::nullopt;
  };
  auto floored = [](double a, double b) { return std::floor(a / b); };
  std::optional<Form> result =
      llvm::TypeSwitch<Operation *, std::optional<Form>>(made)
          .Case<arith::ConstantOp>([&](auto constant) -> std::optional<Form> {
            if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
              return Form(number.getValue().convertToDouble());
            auto number = dyn_cast<IntegerAttr>(constant.getValue());
            if (!number)
              return std::nullopt;
            return Form(number.getType().isInteger(1) ? double(number.getValue().getZExtValue())
                                                      : double(number.getValue().getSExtValue()));
          })
          .Case<ir::SizeOp>([&](auto size) -> std::optional<Form> {
            return Form(double(sizeOf(ir::Dim(ShapedType::kDynamic, size.getExprAttr()))));
          })
          .Case<ir::ElementOp>([&](auto element) -> std::optional<Form> {
            SmallVector<int64_t> at_;
            for (Value index : element.getIndices()) {
              auto form = scalar(index, op, loops, values);
              if (!form || !form->isNumber())
                return std::nullopt;
              at_.push_back(int64_t(form->constant));
            }
            auto argument = cast<BlockArgument>(element.getTensor());
            return at(op.getInputs()[argument.getArgNumber()], at_);
          })
          .Case<arith::SelectOp>([&](auto) -> std::optional<Form> {
            auto condition = operand(0);
            if (!condition || !condition->isNumber())
              return std::nullopt;
            return operand(condition->constant != 0 ? 1 : 2);
          })
          .Case<arith::AddIOp>([&](auto) { return integers([](double a, double b) -> std::optional<double> { return a + b; }); })
          .Case<arith::SubIOp>([&](auto) { return integers([](double a, double b) -> std::optional<double> { return a - b; }); })
          .Case<arith::MulIOp>([&](auto) { return integers([](double a, double b) -> std::optional<double> { return a * b; }); })
          .Case<arith::DivSIOp, arith::DivUIOp>([&](auto) {
            return integers([](double a, double b) { return b == 0 ? std::nullopt : std::optional<double>(std::trunc(a / b)); });
          })
          .Case<arith::RemSIOp, arith::RemUIOp>([&](auto) {
            return integers([](double a, double b) { return b == 0 ? std::nullopt : std::optional<double>(std::fmod(a, b)); });
          })
          .Case<arith::FloorDivSIOp>([&](auto) {
            return integers([&](double a, double b) { return b == 0 ? std::nullopt : std::optional<double>(floored(a, b)); });
          })
          .Case<arith::CeilDivSIOp>([&](auto) {
            return integers([](double a, double b) { return b == 0 ? std::nullopt : std::optional<double>(std::ceil(a / b)); });
          })
          .Case<arith::MinSIOp, arith::MinUIOp>([&](auto) {
            return integers([](double a, double b) -> std::optional<double> { return std::min(a, b); });
          })
          .Case<arith::MaxSIOp, arith::MaxUIOp>([&](auto) {
            return integers([](double a, double b) -> std::optional<double> { return std::max(a, b); });
          })
          .Case<arith::AndIOp>([&](auto) {
            return integers([](double a, double b) -> std::optional<double> { return double(int64_t(a) & int64_t(b)); });
          })
          .Case<arith::OrIOp>([&](auto) {
            return integers([](double a, double b) -> std::optional<double> { return double(int64_t(a) | int64_t(b)); });
          })
          .Case<arith::XOrIOp>([&](auto) {
            return integers([](double a, double b) -> std::optional<double> { return double(int64_t(a) ^ int64_t(b)); });
          })
          .Case<arith::CmpIOp>([&](auto compare) {
            return integers([&](double a, double b) -> std::optional<double> {
              return compareIntegers(compare.getPredicate(), a, b) ? 1 : 0;
            });
          })
          .Case<arith::CmpFOp>([&](auto compare) -> std::optional<Form> {
            auto a = operand(0), b = operand(1);
            if (!a || !b || !a->isNumber() || !b->isNumber())
              return std::nullopt;
            return Form(compareFloats(compare.getPredicate(), a->constant, b->constant) ? 1 : 0);
          })
          .Case<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp, arith::TruncIOp>([&](auto) -> std::optional<Form> {
            auto form = operand(0);
            if (!form || !form->isNumber())
              return std::nullopt;
            Type from = made->getOperand(0).getType();
            if (isa<arith::ExtSIOp>(made) && from.isInteger(1))
              return Form(-form->constant);
            return Form(wrapped(form->constant, value.getType()));
          })
          .Case<arith::ExtUIOp>([&](auto) -> std::optional<Form> {
            auto form = operand(0);
            if (!form || !form->isNumber())
              return std::nullopt;
            const unsigned width = made->getOperand(0).getType().getIntOrFloatBitWidth();
            return Form(form->constant < 0 && width < 53 ? form->constant + double(int64_t(1) << width) : form->constant);
          })
          .Case<arith::SIToFPOp, arith::UIToFPOp, arith::ExtFOp, arith::TruncFOp>([&](auto) { return operand(0); })
          .Case<arith::AddFOp, arith::SubFOp>([&](auto) -> std::optional<Form> {
            auto a = operand(0), b = operand(1);
            return a && b ? std::optional<Form>(sum(*a, *b, isa<arith::AddFOp>(made) ? 1 : -1)) : std::nullopt;
          })
          .Case<arith::MulFOp>([&](auto) -> std::optional<Form> {
            auto a = operand(0), b = operand(1);
            return a && b ? product(*a, *b) : std::nullopt;
          })
          .Case<arith::DivFOp>([&](auto) -> std::optional<Form> {
            auto a = operand(0), b = operand(1);
            if (!a || !b || !b->isNumber())
              return std::nullopt;
            return a->isNumber() ? Form(a->constant / b->constant) : scaled(*a, 1 / b->constant);
          })
          .Case<arith::NegFOp>([&](auto) -> std::optional<Form> {
            auto form = operand(0);
            return form ? std::optional<Form>(scaled(*form, -1)) : std::nullopt;
          })
          .Case<arith::MaximumFOp, arith::MaxNumFOp>([&](auto) {
            return integers([](double a, double b) -> std::optional<double> { return std::max(a, b); });
          })
          .Case<arith::MinimumFOp, arith::MinNumFOp>([&](auto) {
            return integers([](double a, double b) -> std::optional<double> { return std::min(a, b); });
          })
          .Case<math::PowFOp>([&](auto) {
            return integers([](double a, double b) -> std::optional<double> { return std::pow(a, b); });
          })
          .Default([&](Operation *other) -> std::optional<Form> {
            if (other->getNumOperands() != 1)
              return std::nullopt;
            auto form = operand(0);
            bool good = form && form->isNumber();
            double number = good ? unary(other, form->constant, good) : 0;
            return good ? std::optional<Form>(number) : std::nullopt;
          });
  values[value] = result;
  return result;
}

} // namespace ingot::passes
