// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrix products: MatMul, Gemm.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

namespace {

std::vector<Tensor> matMul(Op &op) { return {op.graph.matmul(op.input(0), op.input(1))}; }

// alpha * a' * b' + beta * c
std::vector<Tensor> gemm(Op &op) {
  Graph &graph = op.graph;
  Tensor a = op.input(0), b = op.input(1), c = op.optional(2);
  if (a->rank() != 2 || b->rank() != 2)
    op.fail("operands have shapes " + textOf(a->shape) + " and " + textOf(b->shape) + "; expected matrices");
  if (op.integer("transA", 0))
    a = graph.transpose(a, {1, 0});
  if (op.integer("transB", 0))
    b = graph.transpose(b, {1, 0});
  Tensor product = graph.matmul(a, b);
  auto scaled = [&](Tensor x, const char *name) {
    const double factor = op.real(name, 1.0);
    return factor == 1 ? x : graph.elementwise(ScalarOp::mul, {x, graph.scalar(x->dataType, factor)});
  };
  product = scaled(product, "alpha");
  if (!c)
    return {product};
  if (op.version < 7 && !op.integer("broadcast", 0) && !(c->shape == product->shape))
    op.fail("c has shape " + textOf(c->shape) + "; expected " + textOf(product->shape));
  op.repeats(c, product->shape, "c");
  return {graph.elementwise(ScalarOp::add, {product, scaled(c, "beta")})};
}

constexpr Definition kOps[] = {
    {"", "MatMul", 1, matMul},
    {"", "Gemm", 1, gemm},
};

} // namespace

std::span<const Definition> matrixOps() { return kOps; }

} // namespace ingot::onnx
