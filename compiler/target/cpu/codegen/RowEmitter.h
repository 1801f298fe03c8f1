// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes one linalg op over tensors as loops over vectors of 16 lanes, for one row of its result or for all of it. It
// stands between linalg and upstream's conversions to LLVM: it emits scf, vector, arith, math and pointers.
//
//   parallel innermost dim:  for v in steps of 16 { load, body, store }        tail: the same under a mask
//   transposition:           blocks of 16 rows by 16 lanes, loaded along the rows and transposed in registers
//   reduction to a scalar:   16 lanes take elements l, l+16, ... in order      then lane i with i+8, i+4, i+2, i+1
//
// So a reduction's order is fixed by its length alone. Upstream's vectorizer is not used here because it folds every
// vector into a scalar as it goes: slower, and the order would depend on the vector's width.
#ifndef INGOT_COMPILER_TARGET_CPU_CODEGEN_ROWEMITTER_H
#define INGOT_COMPILER_TARGET_CPU_CODEGEN_ROWEMITTER_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include <optional>
#include <string>

namespace ingot::target::cpu {

inline constexpr int64_t kLanes = 16;

// Where a tensor's elements lie: row-major behind a pointer, or (a row of rank 0) a value.
struct Storage {
  mlir::Value pointer;
  mlir::Value scalar; // instead of a pointer
  mlir::Type element;
  llvm::SmallVector<mlir::Value> sizes; // of every dimension, type index
  bool isRow = false;                   // only one row is held: dimension 0 does not count in addresses
};

class RowEmitter {
public:
  // `storages` maps tensor values to where they are; `scalars` maps values outside of linalg bodies.
  RowEmitter(mlir::OpBuilder &builder, llvm::DenseMap<mlir::Value, Storage> &storages, mlir::IRMapping &scalars,
             std::string &error)
      : b(builder), storages(storages), scalars(scalars), error(error) {}

  // Emits `op` at the builder's insertion point, its result into the storage of that result. With a row: only the part
  // of the result whose dimension 0 is `row`, found in loop dimension `rowDim` of the op.
  bool emit(mlir::linalg::LinalgOp op, mlir::Value row, int64_t rowDim);

  // Whether an operand lies in memory along the rows rather than along the lanes, so that blocks of rows pay.
  static bool transposes(mlir::linalg::LinalgOp op, int64_t rowDim);
  // The same as emit for kLanes rows from `row` on, of an op that transposes.
  bool emitBlock(mlir::linalg::LinalgOp op, mlir::Value row, int64_t rowDim);

  // Whether the op is a product of f32 matrices [rows, k] and [k, columns], one for each element of dimensions before those, of which there
  // may be one. It starts from zeros that it alone reads, which need not be written.
  static bool isProduct(mlir::linalg::LinalgOp op);
  // Such an op by the microkernel: the product of batch `row`, or, of one without batches, `count` rows from `row` on.
  bool emitProduct(mlir::linalg::LinalgOp op, mlir::Value row, mlir::Value count);

private:
  // Indices of lanes that ascend: max(min(first + lane * step, high), low); a bound may be null.
  struct Run {
    mlir::Value first;
    int64_t step = 1; // above 0
    mlir::Value low, high;
  };
  // A scalar or 16 lanes; for lanes of indices, the run that they are.
  struct Lane {
    mlir::Value value;
    std::optional<Run> run;
    bool isVector() const { return mlir::isa<mlir::VectorType>(value.getType()); }
  };
  // Where the loops stand.
  struct Position {
    llvm::SmallVector<mlir::Value> loops; // index of each loop dimension; for the vector dimension the first lane's
    int64_t vectorDim = -1;
    mlir::Value mask; // of the tail
    mlir::Value left; // lanes of the tail
  };
  using Body = llvm::function_ref<bool(Position &)>;
  using Fold = llvm::function_ref<mlir::Value(Position &, mlir::Value)>; // accumulator to accumulator, null: failed

  bool fail(mlir::Operation *op, const llvm::Twine &what);
  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value multiply(mlir::Value a, mlir::Value b);
  mlir::Value broadcast(mlir::Value scalar);
  mlir::Value evaluate(mlir::AffineExpr expr, llvm::ArrayRef<mlir::Value> dims);
  mlir::Value stride(const Storage &storage, unsigned dim);
  mlir::Value extent(mlir::linalg::LinalgOp op, int64_t dim);
  mlir::Value address(const Storage &storage, mlir::Value linear);
  mlir::Value lanePointers(const Storage &storage, mlir::Value linear);
  mlir::Value tailMask(mlir::Value first, mlir::Value size);

  // Addresses of one operand: the linear index of the first lane, and the distance between lanes (null: all the same).
  struct Place {
    mlir::Value linear;
    mlir::Value laneStride;
    bool contiguous = false;
  };
  bool place(mlir::Operation *op, mlir::AffineMap map, const Storage &storage, Position &at, Place &result);
  mlir::Value load(const Storage &storage, const Place &place, Position &at);
  static bool readsNeighbours(const Run &run);
  mlir::Value loadRun(const Storage &storage, mlir::Value start, const Run &run, Position &at);
  std::optional<Run> runOf(mlir::Operation &op, llvm::ArrayRef<Lane> operands);
  mlir::Value compareRun(mlir::Operation &op, llvm::ArrayRef<Lane> operands);
  mlir::Value lanesBefore(mlir::Value number, mlir::Value first, int64_t step);
  mlir::Value lanesBelow(mlir::Value count);
  void store(Storage &storage, const Place &place, Position &at, mlir::Value value);
  mlir::Value laneIndices(const Place &place);
  static int64_t vectorDimOf(mlir::linalg::LinalgOp op, llvm::ArrayRef<int64_t> parallel);
  static bool liesAlongRows(mlir::AffineMap map, int64_t rowDim, int64_t vectorDim);
  void transpose(llvm::SmallVectorImpl<mlir::Value> &vectors);

  bool bodyOf(mlir::linalg::LinalgOp op, Position &at, mlir::Value accumulator, mlir::Value &result);
  bool cloneOp(mlir::Operation &op, Position &at, llvm::DenseMap<mlir::Value, Lane> &lanes);
  bool extractElement(mlir::Operation &op, Position &at, llvm::DenseMap<mlir::Value, Lane> &lanes);
  Lane laneOf(mlir::Value value, llvm::DenseMap<mlir::Value, Lane> &lanes);
  mlir::Value integer(mlir::Type type, const llvm::APInt &value);
  mlir::Value integer(mlir::Type type, int64_t value);
  mlir::Value guardOf(mlir::Operation &op, llvm::SmallVectorImpl<mlir::Value> &values);
  mlir::Value callMath(llvm::StringRef name, llvm::ArrayRef<mlir::Value> values);

  bool overLoops(llvm::ArrayRef<int64_t> dims, mlir::linalg::LinalgOp op, Position &at, Body body);
  bool overVectors(int64_t dim, mlir::linalg::LinalgOp op, Position &at, Body body);
  mlir::Value foldLoops(llvm::ArrayRef<int64_t> dims, mlir::linalg::LinalgOp op, Position &at, mlir::Value start,
                        Fold fold);
  mlir::Value foldVectors(int64_t dim, mlir::linalg::LinalgOp op, mlir::Operation *combiner, Position &at,
                          mlir::Value start, Fold fold);
  mlir::Operation *combiner(mlir::linalg::LinalgOp op);
  mlir::Value combine(mlir::Operation *combiner, mlir::Value a, mlir::Value b);
  mlir::Value identity(mlir::Operation *combiner, mlir::Type type);
  mlir::Value foldLanes(mlir::Operation *combiner, mlir::Value lanes);

  mlir::OpBuilder &b;
  llvm::DenseMap<mlir::Value, Storage> &storages;
  mlir::IRMapping &scalars;
  std::string &error;
  llvm::DenseMap<mlir::OpOperand *, mlir::Value> preloaded; // operands that a block has in registers
  mlir::Location loc = mlir::UnknownLoc::get(b.getContext());
};

} // namespace ingot::target::cpu

#endif
