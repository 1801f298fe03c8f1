// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Form.h.
#include "passes/decoder/Form.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

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

bool isMultiple(const Form &a, const Form &b, double factor) {
  if (a.terms.size() != b.terms.size() || a.constant != 0 || b.constant != 0)
    return false;
  for (auto [x, y] : llvm::zip(a.terms, b.terms))
    if (x.tensor != y.tensor || x.index != y.index || std::fabs(x.factor - factor * y.factor) > 1e-6 * std::fabs(x.factor))
      return false;
  return true;
}

std::optional<Form> product(const Form &a, const Form &b) {
  if (a.isNumber())
    return scaled(b, a.constant);
  if (b.isNumber())
    return scaled(a, b.constant);
  return std::nullopt;
}

namespace {

double unary(Operation *op, double x, bool &good) {
  return llvm::TypeSwitch<Operation *, double>(op)
      .Case<math::ExpOp>([&](auto) { return std::exp(x); })
      .Case<math::LogOp>([&](auto) { return std::log(x); })
      .Case<math::AbsFOp, math::AbsIOp>([&](auto) { return std::fabs(x); })
      .Case<math::SinOp>([&](auto) { return std::sin(x); })
      .Case<math::CosOp>([&](auto) { return std::cos(x); })
      .Case<math::SqrtOp>([&](auto) { return std::sqrt(x); })
      .Case<math::RsqrtOp>([&](auto) { return 1 / std::sqrt(x); })
      .Case<math::TanhOp>([&](auto) { return std::tanh(x); })
      .Case<math::ErfOp>([&](auto) { return std::erf(x); })
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

std::optional<Form> exactly(Operation *op, llvm::function_ref<std::optional<Form>(unsigned)> operand) {
  Type type = op->getResult(0).getType();
  auto integers = [&](auto combine) -> std::optional<Form> {
    auto a = operand(0), b = operand(1);
    if (!a || !b || !a->isNumber() || !b->isNumber())
      return std::nullopt;
    std::optional<double> result = combine(a->constant, b->constant);
    return result ? std::optional<Form>(wrapped(*result, type)) : std::nullopt;
  };
  auto floored = [](double a, double b) { return std::floor(a / b); };
  return
      llvm::TypeSwitch<Operation *, std::optional<Form>>(op)
          .Case<arith::ConstantOp>([&](auto constant) -> std::optional<Form> {
            if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
              return Form(number.getValue().convertToDouble());
            auto number = dyn_cast<IntegerAttr>(constant.getValue());
            if (!number)
              return std::nullopt;
            return Form(number.getType().isInteger(1) ? double(number.getValue().getZExtValue())
                                                      : double(number.getValue().getSExtValue()));
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
            Type from = op->getOperand(0).getType();
            if (isa<arith::ExtSIOp>(op) && from.isInteger(1))
              return Form(-form->constant);
            return Form(wrapped(form->constant, type));
          })
          .Case<arith::ExtUIOp>([&](auto) -> std::optional<Form> {
            auto form = operand(0);
            if (!form || !form->isNumber())
              return std::nullopt;
            const unsigned width = op->getOperand(0).getType().getIntOrFloatBitWidth();
            return Form(form->constant < 0 && width < 53 ? form->constant + double(int64_t(1) << width) : form->constant);
          })
          .Case<arith::SIToFPOp, arith::UIToFPOp, arith::ExtFOp, arith::TruncFOp>([&](auto) { return operand(0); })
          .Case<arith::AddFOp, arith::SubFOp>([&](auto) -> std::optional<Form> {
            auto a = operand(0), b = operand(1);
            return a && b ? std::optional<Form>(sum(*a, *b, isa<arith::AddFOp>(op) ? 1 : -1)) : std::nullopt;
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
}

} // namespace

std::optional<Form> evaluate(Operation *op, llvm::function_ref<std::optional<Form>(unsigned)> operand) {
  std::optional<Form> result = exactly(op, operand);
  // Numbers of a graph are rounded as it rounds them: which of T5's buckets a distance is in turns on that.
  if (result && result->isNumber() && op->getResult(0).getType().isF32())
    result->constant = double(float(result->constant));
  return result;
}

} // namespace ingot::passes
