// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See scalar.h.
#include "compiler/import/scalar.h"

namespace ingot {

bool isFloat(ElementType type) {
  return type == ElementType::f32 || type == ElementType::f16 || type == ElementType::bf16 || type == ElementType::f64;
}

bool isUnsigned(ElementType type) {
  return type == ElementType::u8 || type == ElementType::u16 || type == ElementType::u32 || type == ElementType::u64 ||
         type == ElementType::i1;
}

ElementType Scalar::type() const { return node->type; }

static std::shared_ptr<ScalarNode> nodeOf(ScalarOp op, ElementType type) {
  auto node = std::make_shared<ScalarNode>();
  node->op = op;
  node->type = type;
  return node;
}

Scalar::Scalar(int64_t value) : Scalar(integer(ElementType::index, value)) {}

Scalar::Scalar(const Dimension &dimension) {
  if (auto value = dimension.constant()) {
    *this = integer(ElementType::index, *value);
    return;
  }
  auto made = nodeOf(ScalarOp::size, ElementType::index);
  made->size = dimension;
  node = made;
}

Scalar Scalar::real(ElementType type, double value) {
  auto made = nodeOf(ScalarOp::constant, type);
  made->real = value;
  return Scalar(made);
}

Scalar Scalar::integer(ElementType type, int64_t value) {
  auto made = nodeOf(ScalarOp::constant, type);
  made->integer = value;
  return Scalar(made);
}

Scalar Scalar::loop(int64_t number) {
  auto made = nodeOf(ScalarOp::index, ElementType::index);
  made->integer = number;
  return Scalar(made);
}

Scalar Scalar::element(const void *tensor, ElementType type, std::vector<Scalar> indices) {
  auto made = nodeOf(ScalarOp::element, type);
  made->tensor = tensor;
  made->operands = std::move(indices);
  return Scalar(made);
}

Scalar Scalar::make(ScalarOp op, ElementType type, std::vector<Scalar> operands) {
  auto made = nodeOf(op, type);
  made->operands = std::move(operands);
  return Scalar(made);
}

Scalar like(const Scalar &x, double value) {
  return isFloat(x.type()) ? Scalar::real(x.type(), value) : Scalar::integer(x.type(), int64_t(value));
}

Scalar apply(ScalarOp op, Scalar x) {
  const bool truth = op == ScalarOp::is_nan || op == ScalarOp::is_inf || op == ScalarOp::logical_not;
  return Scalar::make(op, truth ? ElementType::i1 : x.type(), {x});
}

static std::optional<int64_t> constantIndex(const Scalar &x) {
  if (x.type() == ElementType::index && x->op == ScalarOp::constant)
    return x->integer;
  return std::nullopt;
}

Scalar apply(ScalarOp op, Scalar x, Scalar y) {
  // Index arithmetic with constants is tidied up: slices and transposes then read as what they are.
  if (x.type() == ElementType::index) {
    auto a = constantIndex(x), b = constantIndex(y);
    if (op == ScalarOp::add) {
      if (a && b)
        return Scalar(*a + *b);
      if (a && *a == 0)
        return y;
      if (b && *b == 0)
        return x;
    } else if (op == ScalarOp::sub) {
      if (a && b)
        return Scalar(*a - *b);
      if (b && *b == 0)
        return x;
    } else if (op == ScalarOp::mul) {
      if (a && b)
        return Scalar(*a * *b);
      if ((a && *a == 0) || (b && *b == 0))
        return Scalar(0);
      if (a && *a == 1)
        return y;
      if (b && *b == 1)
        return x;
    } else if (op == ScalarOp::div && b && *b == 1) {
      return x;
    } else if (op == ScalarOp::rem && b && *b == 1) {
      return Scalar(0);
    }
  }
  switch (op) {
  case ScalarOp::eq:
  case ScalarOp::ne:
  case ScalarOp::lt:
  case ScalarOp::le:
  case ScalarOp::gt:
  case ScalarOp::ge:
    return Scalar::make(op, ElementType::i1, {x, y});
  default:
    return Scalar::make(op, x.type(), {x, y});
  }
}

Scalar select(Scalar condition, Scalar x, Scalar y) {
  return Scalar::make(ScalarOp::select, x.type(), {condition, x, y});
}

Scalar cast(Scalar x, ElementType type) {
  if (x.type() == type)
    return x;
  return Scalar::make(ScalarOp::cast, type, {x});
}

} // namespace ingot
