// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What single elements of a graph's tensors are, for given dimensions and inputs: a number, or a sum of multiples of
// elements that are computed otherwise (products with weights, norms, inputs). So a pass can ask what a graph does instead of
// how it spells it. Nothing here changes IR.
#ifndef INGOT_PASSES_DECODER_ELEMENTS_H
#define INGOT_PASSES_DECODER_ELEMENTS_H

#include "dialects/ingot/IngotDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <functional>
#include <memory>
#include <optional>

namespace ingot::passes {

// constant + sum of factor * element; terms are in the order of their elements, and no factor is 0.
struct Form {
  struct Term {
    mlir::Value tensor;
    int64_t index; // row-major, under the dimensions asked about
    double factor;
  };
  double constant = 0;
  llvm::SmallVector<Term, 2> terms;

  Form(double constant = 0) : constant(constant) {}
  bool isNumber() const { return terms.empty(); }
  // Whether it is one element times a factor.
  bool isElement() const { return constant == 0 && terms.size() == 1; }
};

// Bytes of tensors in files, read as they are asked for.
class StoredTensors {
public:
  // The element as a number; nothing where it cannot be read.
  std::optional<double> at(ir::TensorOp tensor, int64_t index);

private:
  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> files;
};

class Elements {
public:
  // An element of an input; nothing: it stands for itself.
  using Input = std::function<std::optional<double>(mlir::BlockArgument, llvm::ArrayRef<int64_t>)>;

  // `sizes` gives the symbols that are not derived; those that it leaves out are 1.
  Elements(mlir::ModuleOp module, const llvm::StringMap<int64_t> &sizes, Input input, StoredTensors &stored);

  int64_t sizeOf(const ir::Dim &dim);
  llvm::SmallVector<int64_t> shapeOf(mlir::Value tensor);
  Form at(mlir::Value tensor, llvm::ArrayRef<int64_t> indices);
  // Indices of an element by its row-major number.
  llvm::SmallVector<int64_t> indicesOf(mlir::Value tensor, int64_t number);
  static int64_t numberOf(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> indices);

  // Whether something outside of a tensor was read since the last time this was asked.
  bool readOutside() { return std::exchange(outside, false); }

private:
  using Scalars = llvm::DenseMap<mlir::Value, std::optional<Form>>;
  struct Loops;

  Form formOf(mlir::Value tensor, llvm::ArrayRef<int64_t> indices, int64_t number);
  std::optional<Form> compute(mlir::Value tensor, llvm::ArrayRef<int64_t> indices);
  std::optional<Form> computeRegion(ir::ComputeOp op, llvm::ArrayRef<int64_t> indices);
  std::optional<Form> scalar(mlir::Value value, ir::ComputeOp op, llvm::ArrayRef<int64_t> loops, Scalars &known);
  std::optional<Form> reduce(ir::ReduceOp op, llvm::ArrayRef<int64_t> indices);
  std::optional<Form> multiply(ir::MatmulOp op, llvm::ArrayRef<int64_t> indices);

  mlir::ModuleOp module;
  llvm::StringMap<int64_t> sizes;
  Input input;
  StoredTensors &stored;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, Form> known;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<int64_t, 5>> shapes;
  bool outside = false;
};

} // namespace ingot::passes

#endif
