// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lowering of one entry under construction: its buffers, and one function for each op that has a kernel. Shared by
// EntryLowering.cpp, LinearLowering.cpp and AttentionLowering.cpp; others use EntryLowering.h.
#ifndef INGOT_PASSES_LOWERING_ENTRYLOWERINGIMPL_H
#define INGOT_PASSES_LOWERING_ENTRYLOWERINGIMPL_H

#include "passes/Locations.h"
#include "passes/lowering/EntryLowering.h"

namespace ingot::passes {

inline mlir::RankedTensorType tensorOf(mlir::Value value) { return cast<mlir::RankedTensorType>(value.getType()); }
inline int64_t roundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }
inline int64_t lastDim(mlir::Value value) { return tensorOf(value).getShape().back(); }
inline mlir::Type elementOf(mlir::Value value) { return tensorOf(value).getElementType(); }

// How a linear wants the rows of its input: their type, and how far apart they must be at least. What lies behind the
// last column must be zero for weights that are packed in steps of 32.
struct RowForm {
  mlir::Type element;
  int64_t stride;
};
RowForm wantedForm(ir::LinearOp linear);

// As the kernels' templates number activations (compiler/target/templates/params.h).
int64_t activationNumber(std::optional<ir::Activation> activation);

class EntryLowering {
public:
  EntryLowering(ir::EntryOp entry, plan::ProgramOp program, ProgramTables &tables)
      : entry(entry), program(program), tables(tables), builder(entry.getContext()) {}

  mlir::LogicalResult run();

private:
  // The entry's type as the plan has it.
  mlir::FunctionType signature();

  // --- Buffers.

  mlir::Type bufferType() { return plan::BufferType::get(builder.getContext()); }
  // The value whose buffer `value` lies in: reshapes move nothing, and rope_append leaves its rows alone.
  static mlir::Value originOf(mlir::Value value);
  mlir::LogicalResult nameOutputs();
  // Elements from one row of `value` to the next.
  static int64_t strideOf(mlir::Value value);
  // A temporary for a tensor of these dimensions, its rows `stride` elements apart (rank 2 and up: of the last axis).
  mlir::FailureOr<mlir::Value> allocate(mlir::Operation *op, mlir::RankedTensorType type, int64_t stride);
  // The buffer of `value`, which is made when it is new: of an output, a weight or a temporary.
  mlir::FailureOr<mlir::Value> bufferOf(mlir::Operation *op, mlir::Value value);
  mlir::Value weight(mlir::StringAttr name, mlir::Operation *op);
  mlir::Value plane(ir::CacheGroupOp group, llvm::StringRef name, int64_t layer);

  // --- Symbols and sizes.

  // Number of the symbol that dimension `index` of `value` is; the kernel reads it from the step's symbols.
  mlir::FailureOr<int64_t> symbolOf(mlir::Operation *op, mlir::Value value, unsigned index);
  plan::SizeAttr sizeOf(const ir::Dim &dim) { return plan::sizeOf(builder.getContext(), dim); }
  plan::SizeAttr constant(int64_t value) { return plan::SizeAttr::get(builder.getContext(), value); }
  plan::SizeAttr rowsOf(mlir::Value value) { return sizeOf(ir::dimOf(tensorOf(value), 0)); }
  // The product of dimensions whose symbols are known; nothing where it passes 64 bits.
  std::optional<plan::SizeAttr> countOf(llvm::ArrayRef<ir::Dim> dims);
  // Bytes of a tensor, where that is affine in the symbols; nothing of the rest.
  plan::SizeAttr bytesOf(mlir::Value value);

  // --- Launches.

  // Kernels read their rows and vectors in f32, where nothing else is said of them.
  static mlir::LogicalResult requireF32(mlir::Operation *op, mlir::Value value, llvm::StringRef name);

  // rows: of each tile, where workers may cut them.
  void launch(mlir::Operation *op, mlir::StringAttr kernel, llvm::ArrayRef<mlir::Value> operands, plan::SizeAttr tiles,
              plan::SizeAttr bytesRead, plan::SizeAttr operations, mlir::Location loc, plan::SizeAttr rows = {});

  // Collects the buffers of a launch, the first failure among them.
  struct Operands {
    llvm::SmallVector<mlir::Value> values;
    bool failed = false;
    void add(mlir::FailureOr<mlir::Value> buffer) {
      if (mlir::failed(buffer))
        failed = true;
      else
        values.push_back(*buffer);
    }
  };

  // The buffers of all of an op's operands, in their order.
  Operands operandsOf(mlir::Operation *op) {
    Operands operands;
    for (mlir::Value operand : op->getOperands())
      operands.add(bufferOf(op, operand));
    return operands;
  }

  mlir::LogicalResult lower(mlir::Operation *op);
  mlir::LogicalResult lowerOp(ir::EmbeddingOp op);
  mlir::LogicalResult lowerOp(ir::LinearOp op);
  mlir::LogicalResult lowerOp(ir::RopeAnglesOp op);
  mlir::LogicalResult lowerOp(ir::RopeAppendOp op);
  mlir::LogicalResult lowerOp(ir::AttentionOp op);
  mlir::LogicalResult lowerOp(ir::ScaledDotProductAttentionOp op);
  mlir::LogicalResult lowerOp(ir::ConvolutionOp op);
  mlir::LogicalResult lowerOp(ir::SampleOp op);
  mlir::LogicalResult lowerOp(ir::CallOp op);

  // The rows that the linear multiplies, in a buffer whose form fits, and their stride there.
  mlir::FailureOr<std::pair<mlir::Value, int64_t>> productRows(ir::LinearOp op);
  // The same for products of integers: rows of quantize_rows, and their bytes.
  mlir::FailureOr<std::pair<mlir::Value, int64_t>> quantizedRows(ir::LinearOp op);
  // Adds the scales and zero points of a linear or an embedding, where it has them.
  template <typename Op> void addGroupValues(Op op, Operands &operands);
  // What rope_append and attention have in common: parameters and operands.
  mlir::LogicalResult lowerAppend(ir::RopeAppendOp op);
  static KernelParams &setCache(KernelParams &params, int64_t heads, int64_t kvHeads, int64_t headDim, ir::CacheGroupOp group,
                                int64_t rotaryDim = 0, bool norm = false, double eps = 0);
  static void setCache(KernelParams &params, ir::RopeAppendOp append, ir::CacheGroupOp group);
  void addRows(Operands &operands, ir::RopeAppendOp append);
  void addPlanes(Operands &operands, ir::CacheGroupOp group, int64_t layer);
  // The group behind a cache value, whose layout is decided.
  mlir::FailureOr<ir::CacheGroupOp> groupOf(mlir::Operation *op, ir::CacheType type);

  ir::EntryOp entry;
  plan::ProgramOp program;
  ProgramTables &tables;
  mlir::OpBuilder builder;

  llvm::DenseMap<mlir::Value, mlir::Value> buffers; // by origin
  llvm::DenseMap<mlir::Attribute, mlir::Value> weightBuffers;
  llvm::DenseMap<std::tuple<mlir::StringAttr, mlir::StringAttr, int64_t>, mlir::Value> planes;
  using PackingKey = std::tuple<mlir::Value, mlir::Value, mlir::Value, mlir::Attribute, mlir::Type, int64_t>;
  llvm::SmallVector<std::pair<PackingKey, mlir::Value>> packings;
};

} // namespace ingot::passes

#endif
