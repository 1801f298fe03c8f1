// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activations. Those of transformers are ops of their own; the rest are formulas, element by element.
#include "compiler/import/onnx/op.h"

#include <cmath>

namespace ingot::onnx {

namespace {

Scalar sigmoidOf(Scalar x) { return like(x, 1) / (like(x, 1) + apply(ScalarOp::exp, -x)); }
// log(1 + e^x), with no exponential that overflows.
Scalar softplusOf(Scalar x) {
  return larger(x, like(x, 0)) + apply(ScalarOp::log, like(x, 1) + apply(ScalarOp::exp, -apply(ScalarOp::abs, x)));
}

void needsFloats(Op &op, Tensor x) {
  if (!isFloat(x->type))
    op.fail("its input is of " + nameOf(x->dataType) + "; expected floats");
}

// An op of IR where the input is computed; its formula where it is known.
Tensor named(Op &op, Activation kind, Tensor x, Scalar (*formula)(Scalar)) {
  needsFloats(op, x);
  if (x->known)
    return op.graph.map(x->dataType, {x}, [&](const std::vector<Scalar> &s) { return formula(s[0]); });
  return op.graph.computed(x->dataType, x->shape, op.graph.ir().activation(kind, op.graph.value(x)));
}

std::vector<Tensor> relu(Op &op) {
  Tensor x = op.input(0);
  if (!isFloat(x->type)) // integers from version 14 on
    return {op.graph.map(x->dataType, {x}, [](const std::vector<Scalar> &s) { return larger(s[0], like(s[0], 0)); })};
  return {named(op, Activation::relu, x, [](Scalar s) { return larger(s, like(s, 0)); })};
}

std::vector<Tensor> sigmoid(Op &op) { return {named(op, Activation::sigmoid, op.input(0), sigmoidOf)}; }

// x * (1 + erf(x / sqrt(2))) / 2, or the approximation by tanh.
std::vector<Tensor> gelu(Op &op) {
  const std::string approximation = op.string("approximate", "none");
  if (approximation == "none")
    return {named(op, Activation::gelu, op.input(0), [](Scalar x) {
      return x * like(x, 0.5) * (like(x, 1) + apply(ScalarOp::erf, x * like(x, std::sqrt(0.5))));
    })};
  if (approximation != "tanh")
    op.fail("approximate is '" + approximation + "'; expected none or tanh");
  return {named(op, Activation::gelu_tanh, op.input(0), [](Scalar x) {
    Scalar inner = like(x, std::sqrt(2 / M_PI)) * (x + like(x, 0.044715) * x * x * x);
    return x * like(x, 0.5) * (like(x, 1) + apply(ScalarOp::tanh, inner));
  })};
}

Tensor swishOf(Op &op, Tensor x, double alpha) {
  if (alpha == 1)
    return named(op, Activation::silu, x, [](Scalar s) { return s * sigmoidOf(s); });
  if (std::fabs(alpha - 1.702) < 1e-4)
    return named(op, Activation::quick_gelu, x, [](Scalar s) { return s * sigmoidOf(s * like(s, 1.702)); });
  needsFloats(op, x);
  return op.graph.map(x->dataType, {x}, [&](const std::vector<Scalar> &s) { return s[0] * sigmoidOf(s[0] * like(s[0], alpha)); });
}

std::vector<Tensor> swish(Op &op) { return {swishOf(op, op.input(0), op.real("alpha", 1.0))}; }

std::vector<Tensor> swiglu(Op &op) {
  Tensor a = op.input(0), b = op.input(1);
  if (!(a->shape == b->shape))
    op.fail("operands have shapes " + textOf(a->shape) + " and " + textOf(b->shape) + "; expected equal ones");
  return {op.graph.elementwise(ScalarOp::mul, {swishOf(op, a, op.real("alpha", 1.0)), b})};
}

// A formula of one element and two numbers, attributes of these names and defaults.
struct Parameter {
  const char *name;
  double otherwise;
};
Tensor formula(Op &op, Parameter a, Parameter b, Scalar (*of)(Scalar, double, double)) {
  Tensor x = op.input(0);
  needsFloats(op, x);
  const double first = a.name ? op.real(a.name, a.otherwise) : 0, second = b.name ? op.real(b.name, b.otherwise) : 0;
  return op.graph.map(x->dataType, {x}, [&](const std::vector<Scalar> &s) { return of(s[0], first, second); });
}
constexpr Parameter kNone = {nullptr, 0};

std::vector<Tensor> leakyRelu(Op &op) {
  return {formula(op, {"alpha", 0.01}, kNone,
                  [](Scalar x, double alpha, double) { return select(x < like(x, 0), x * like(x, alpha), x); })};
}

std::vector<Tensor> elu(Op &op) {
  return {formula(op, {"alpha", 1}, kNone, [](Scalar x, double alpha, double) {
    return select(x < like(x, 0), like(x, alpha) * (apply(ScalarOp::exp, x) - like(x, 1)), x);
  })};
}

std::vector<Tensor> selu(Op &op) {
  // The constants are those of the operator's specification; version 1 has them to fewer digits.
  const Parameter alpha = op.version < 6 ? Parameter{"alpha", 1.6732} : Parameter{"alpha", 1.67326319217681884765625};
  const Parameter gamma = op.version < 6 ? Parameter{"gamma", 1.0507} : Parameter{"gamma", 1.05070102214813232421875};
  return {formula(op, alpha, gamma, [](Scalar x, double a, double g) {
    return like(x, g) * select(x > like(x, 0), x, like(x, a) * (apply(ScalarOp::exp, x) - like(x, 1)));
  })};
}

std::vector<Tensor> celu(Op &op) {
  return {formula(op, {"alpha", 1}, kNone, [](Scalar x, double alpha, double) {
    return select(x < like(x, 0), like(x, alpha) * (apply(ScalarOp::exp, x / like(x, alpha)) - like(x, 1)), x);
  })};
}

std::vector<Tensor> hardSigmoid(Op &op) {
  return {formula(op, {"alpha", 0.2}, {"beta", 0.5}, [](Scalar x, double alpha, double beta) {
    return larger(like(x, 0), smaller(like(x, 1), like(x, alpha) * x + like(x, beta)));
  })};
}

std::vector<Tensor> hardSwish(Op &op) {
  return {formula(op, kNone, kNone, [](Scalar x, double, double) {
    return x * larger(like(x, 0), smaller(like(x, 1), x * like(x, 1.0 / 6) + like(x, 0.5)));
  })};
}

std::vector<Tensor> softplus(Op &op) {
  return {formula(op, kNone, kNone, [](Scalar x, double, double) { return softplusOf(x); })};
}

std::vector<Tensor> mish(Op &op) {
  return {formula(op, kNone, kNone, [](Scalar x, double, double) { return x * apply(ScalarOp::tanh, softplusOf(x)); })};
}

std::vector<Tensor> softsign(Op &op) {
  return {formula(op, kNone, kNone, [](Scalar x, double, double) { return x / (like(x, 1) + apply(ScalarOp::abs, x)); })};
}

std::vector<Tensor> thresholdedRelu(Op &op) {
  return {formula(op, {"alpha", 1}, kNone,
                  [](Scalar x, double alpha, double) { return select(x > like(x, alpha), x, like(x, 0)); })};
}

std::vector<Tensor> shrink(Op &op) {
  Tensor x = op.input(0);
  const double bias = op.real("bias", 0.0), lambda = op.real("lambd", 0.5);
  // Integers are compared and moved as doubles.
  const ElementType wide = isFloat(x->type) ? ElementType::f32 : ElementType::f64;
  return {op.graph.map(x->dataType, {x}, [&](const std::vector<Scalar> &s) {
    Scalar v = isFloat(s[0].type()) ? s[0] : cast(s[0], wide);
    Scalar result = select(v < like(v, -lambda), v + like(v, bias), select(v > like(v, lambda), v - like(v, bias), like(v, 0)));
    return cast(result, s[0].type());
  })};
}

// The slope is broadcast to the input; before version 7 it is of a channel each.
std::vector<Tensor> prelu(Op &op) {
  Tensor x = op.input(0), slope = op.input(1);
  if (op.version < 7 && slope->rank() == 1 && x->rank() > 1) {
    Shape shape = slope->shape;
    for (size_t d = 2; d < x->rank(); ++d)
      shape.push_back(Dimension(1));
    slope = op.graph.reshape(slope, shape);
  }
  if (slope->dataType != x->dataType)
    op.fail("the slope is of " + nameOf(slope->dataType) + "; the input is of " + nameOf(x->dataType));
  return {op.graph.map(x->dataType, {x, slope},
                       [](const std::vector<Scalar> &s) { return select(s[0] < like(s[0], 0), s[0] * s[1], s[0]); })};
}

// As in inference: nothing is dropped.
std::vector<Tensor> dropout(Op &op) {
  Tensor x = op.input(0);
  if (op.version >= 12 && op.optional(2)) {
    auto training = op.graph.knownIntegers(op.input(2));
    if (!training)
      op.fail("training_mode must be a constant");
    double ratio = 0.5;
    if (op.optional(1))
      for (double given : op.reals(1))
        ratio = given;
    if (training->size() == 1 && !((*training)[0] == Dimension(0)) && ratio != 0)
      op.fail("it drops elements at random, as in training, which is not supported");
  }
  const DataType maskType = op.version < 10 ? x->dataType : DataType::boolean;
  return {x, op.wants(1) ? op.graph.broadcast(op.graph.scalar(maskType, 1), x->shape) : nullptr};
}

constexpr Definition kOps[] = {
    {"", "Relu", 1, relu},
    {"", "Sigmoid", 1, sigmoid},
    {"", "Gelu", 20, gelu},
    {"", "Swish", 24, swish},
    {"", "SwiGLU", 28, swiglu},
    {"", "LeakyRelu", 1, leakyRelu},
    {"", "Elu", 1, elu},
    {"", "Selu", 1, selu},
    {"", "Celu", 12, celu},
    {"", "HardSigmoid", 1, hardSigmoid},
    {"", "HardSwish", 14, hardSwish},
    {"", "Softplus", 1, softplus},
    {"", "Mish", 18, mish},
    {"", "Softsign", 1, softsign},
    {"", "ThresholdedRelu", 1, thresholdedRelu},
    {"", "Shrink", 9, shrink},
    {"", "PRelu", 1, prelu},
    {"", "Dropout", 1, dropout},
};

} // namespace

std::span<const Definition> activationOps() { return kOps; }

} // namespace ingot::onnx
