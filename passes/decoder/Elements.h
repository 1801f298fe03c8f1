// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What single elements of a graph's tensors are, for given dimensions and inputs: a number, or a sum of multiples of
// elements that are computed otherwise (products with weights, norms, inputs). So a pass can ask what a graph does instead of
// how it spells it. Nothing here changes IR.
#ifndef INGOT_PASSES_DECODER_ELEMENTS_H
#define INGOT_PASSES_DECODER_ELEMENTS_H

#include "dialects/ingot/IngotDialect.h"
#include "dialects/ingot/SymbolExpr.h"
#include "passes/decoder/Form.h"
#include "passes/StoredTensors.h"
#include "llvm/ADT/DenseMap.h"

#include <functional>
#include <memory>
#include <optional>

namespace ingot::passes {

// What Elements of one module share: its files, the scalar computations of its element-wise ops, and how symbols follow from others.
class ElementSources {
public:
  explicit ElementSources(mlir::ModuleOp module);

private:
  friend class Elements;
  struct ScalarBody {
    std::unique_ptr<mlir::Block> block; // an argument for each operand
    mlir::Value result;
  };
  const ScalarBody &bodyOf(ir::ScalarBodyInterface op);

  // A symbol that follows from others, or that an i64 of the graph tells.
  struct Derived {
    llvm::StringRef name;
    std::optional<ir::SymbolExpr> value;
    mlir::Value measured;
  };

  StoredTensors stored;
  std::vector<Derived> derived; // in their order
  std::vector<ir::SymbolExpr> requirements;
  llvm::DenseMap<mlir::Operation *, ScalarBody> bodies;
};

class Elements {
public:
  // An element of an input; nothing: it stands for itself.
  using Input = std::function<std::optional<double>(mlir::BlockArgument, llvm::ArrayRef<int64_t>)>;

  // `sizes` gives the symbols that are not derived; those that it leaves out are 1.
  Elements(ElementSources &sources, const llvm::StringMap<int64_t> &sizes, Input input);

  int64_t sizeOf(const ir::Dim &dim);
  llvm::SmallVector<int64_t> shapeOf(mlir::Value tensor);
  Form at(mlir::Value tensor, llvm::ArrayRef<int64_t> indices);
  // Indices of an element by its row-major number.
  llvm::SmallVector<int64_t> indicesOf(mlir::Value tensor, int64_t number);
  static int64_t numberOf(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> indices);

  // Rows that are looked up in stored tables are numbers from now on, where they are; otherwise they stand for themselves.
  void readTables() { tables = true; }

  // Whether a run of these sizes is not refused.
  bool runs() const { return accepted; }
  // Whether something outside of a tensor was read since the last time this was asked.
  bool readOutside() { return std::exchange(outside, false); }

private:
  using Scalars = llvm::DenseMap<mlir::Value, std::optional<Form>>;

  Form formOf(mlir::Value tensor, llvm::ArrayRef<int64_t> indices, int64_t number);
  std::optional<Form> compute(mlir::Value tensor, llvm::ArrayRef<int64_t> indices);
  std::optional<Form> computeRegion(ir::ComputeOp op, llvm::ArrayRef<int64_t> indices);
  // A value of a block, given those of its arguments that are no tensors.
  std::optional<Form> scalar(mlir::Value value, llvm::function_ref<Form(mlir::BlockArgument)> argument, Scalars &known);
  std::optional<Form> reduce(ir::ReduceOp op, llvm::ArrayRef<int64_t> indices);
  std::optional<Form> multiply(ir::MatmulOp op, llvm::ArrayRef<int64_t> indices);

  ElementSources &sources;
  llvm::StringMap<int64_t> sizes;
  Input input;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, Form> known;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<int64_t, 5>> shapes;
  bool outside = false, tables = false, accepted = true;
};

} // namespace ingot::passes

#endif
