// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as an ONNX file: either problems are told, or the whole graph is imported. The builder makes nothing, so that the reader, the shapes and
// every operator's import are what is run.
#include "compiler/import/onnx/import.h"
#include "compiler/import/onnx/model.h"
#include "compiler/import/onnx/specialize.h"

#include <cstdlib>

namespace ingot {

struct GraphBuilder::Impl {
  uintptr_t values = 0;
  Value next() { return {reinterpret_cast<void *>(++values)}; }
};

GraphBuilder::GraphBuilder() : impl(std::make_unique<Impl>()) {}
GraphBuilder::~GraphBuilder() = default;
GraphBuilder::Scope::Scope(GraphBuilder *owner) : builder(owner) {}
GraphBuilder::Scope::Scope(Scope &&other) noexcept : builder(other.builder) {}
GraphBuilder::Scope::~Scope() = default;
GraphBuilder::Scope GraphBuilder::scope(std::string) { return Scope(this); }
std::vector<Value> GraphBuilder::beginEntry(const std::string &, const std::string &, const std::vector<ArgumentSpec> &arguments) {
  std::vector<Value> values;
  for (size_t i = 0; i < arguments.size(); ++i)
    values.push_back(impl->next());
  return values;
}
void GraphBuilder::endEntry(const std::vector<std::pair<std::string, Value>> &results) {
  for (const auto &[name, value] : results)
    if (!value)
      std::abort();
}
Value GraphBuilder::weight(const TensorSource &) { return impl->next(); }
Value GraphBuilder::embedding(Value, Value) { return impl->next(); }
Value GraphBuilder::linear(Value, Value, Value) { return impl->next(); }
Value GraphBuilder::rmsNorm(Value, Value, double) { return impl->next(); }
Value GraphBuilder::scale(Value, double) { return impl->next(); }
Value GraphBuilder::activation(Activation, Value) { return impl->next(); }
Value GraphBuilder::constant(ElementType type, const std::vector<int64_t> &shape, std::string_view bytes) {
  uint64_t expected = elementBytes(type);
  for (int64_t size : shape)
    expected *= uint64_t(size);
  if (expected != bytes.size())
    std::abort();
  return impl->next();
}
Value GraphBuilder::compute(const ComputeSpec &spec) {
  if (!spec.body || spec.body.type() != spec.type)
    std::abort();
  return impl->next();
}
bool GraphBuilder::hasElementwise(ScalarOp op) { return op == ScalarOp::add || op == ScalarOp::mul; }
Value GraphBuilder::elementwise(ScalarOp, const std::vector<Value> &) { return impl->next(); }
Value GraphBuilder::compare(ScalarOp, Value, Value) { return impl->next(); }
Value GraphBuilder::select(Value, Value, Value) { return impl->next(); }
Value GraphBuilder::cast(Value, ElementType) { return impl->next(); }
Value GraphBuilder::broadcast(Value, const Shape &) { return impl->next(); }
Value GraphBuilder::reshape(Value, const Shape &) { return impl->next(); }
Value GraphBuilder::transpose(Value, const std::vector<int64_t> &) { return impl->next(); }
Value GraphBuilder::concat(const std::vector<Value> &, int64_t) { return impl->next(); }
Value GraphBuilder::matmul(Value, Value) { return impl->next(); }
Value GraphBuilder::softmax(Value, int64_t) { return impl->next(); }
Value GraphBuilder::layerNorm(Value, Value, Value, double) { return impl->next(); }
Value GraphBuilder::reduce(Reduction, Value, int64_t, bool) { return impl->next(); }
Value GraphBuilder::convolution(Value, Value, Value, const Shape &, const WindowSpec &) { return impl->next(); }
Value GraphBuilder::packedAttentionOver(Value, Value, Value, Value, Value, Value, double) { return impl->next(); }
Value GraphBuilder::unpackBits(Value, int64_t, int64_t, bool) { return impl->next(); }
Value GraphBuilder::assemble(Value, Value, Value, int64_t, int64_t, const QuantizedSpec *) { return impl->next(); }
Value GraphBuilder::quantizedLinear(Value, Value, bool) { return impl->next(); }
Value GraphBuilder::integerLinear(Value, Value, Value, Value) { return impl->next(); }
void GraphBuilder::require(Relation, const Dimension &, const Dimension &, const std::string &) {}
std::string GraphBuilder::measure(Value, const Dimension &) { return "count" + std::to_string(++impl->values); }
void GraphBuilder::restart() { *impl = {}; }

} // namespace ingot

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ingot::onnx::Model model;
  if (!model.parse({reinterpret_cast<const char *>(data), size}, "/nonexistent").empty())
    return 0;
  ingot::GraphBuilder builder;
  ingot::onnx::ImportResult result;
  if (!ingot::onnx::importChoosing(model, builder, result) && result.problems.empty())
    std::abort();
  return 0;
}
