// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `ingot` dialect in C++: what a model computes. Everything here is generated from the .td files beside it, which
// are where to read; below stand the few helpers that need more than one op.
#ifndef INGOT_DIALECTS_INGOT_DIALECT_H
#define INGOT_DIALECTS_INGOT_DIALECT_H

#include "dialects/ingot/Dims.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/ingot/IngotDialect.h.inc"
#include "dialects/ingot/IngotEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/ingot/IngotAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/ingot/IngotInterfaces.h.inc"
#include "dialects/ingot/IngotTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/ingot/IngotOps.h.inc"

namespace ingot::ir {

// The OpT of that name in the nearest symbol table around `from` that has one, or null. Unlike
// SymbolTable::lookupNearestSymbolFrom it looks further out, past symbols of other kinds, so that a plan.program sees
// the tensors of its module although its stored weights bear the same names.
template <typename OpT, typename LookupIn> OpT lookupOutwards(mlir::Operation *from, LookupIn lookupIn) {
  for (mlir::Operation *table = from; table; table = table->getParentOp())
    if (table->hasTrait<mlir::OpTrait::SymbolTable>())
      if (auto found = llvm::dyn_cast_or_null<OpT>(lookupIn(table)))
        return found;
  return nullptr;
}
template <typename OpT> OpT lookup(mlir::Operation *from, mlir::StringAttr name) {
  return lookupOutwards<OpT>(from,
                             [&](mlir::Operation *table) { return mlir::SymbolTable::lookupSymbolIn(table, name); });
}
template <typename OpT>
OpT lookup(mlir::Operation *from, mlir::StringAttr name, mlir::SymbolTableCollection &tables) {
  return lookupOutwards<OpT>(from, [&](mlir::Operation *table) { return tables.lookupSymbolIn(table, name); });
}

// Whether the `value` of a symbol's declaration is an expression over symbols that ops of its kind declare before it,
// and comes without a `max`. Null is fine. Emits the error.
mlir::LogicalResult checkDerived(mlir::Operation *symbol, mlir::IntegerAttr max, mlir::StringAttr value,
                                 mlir::StringAttr data, mlir::StringAttr requirement);

// An entry at the end of the module, with the builder at the end of its body.
struct EntryParameter {
  llvm::StringRef name;
  mlir::Type type;
};
EntryOp openEntry(mlir::OpBuilder &builder, mlir::ModuleOp module, mlir::Location loc, llvm::StringRef name,
                  llvm::ArrayRef<EntryParameter> arguments, llvm::ArrayRef<EntryParameter> results);

// The group that a cache value belongs to, or null where it is not declared.
CacheGroupOp cacheGroupOf(mlir::Operation *from, CacheType type);
// Number of the group among those of its module: its row in `slots` and `block_table`.
int64_t cacheGroupIndex(CacheGroupOp group);

// The type of the scales or zero points of a [rows, k] weight of quantized elements, as ingot.pack_groups gives them.
mlir::RankedTensorType groupsType(QuantizedType type, int64_t rows, int64_t k, mlir::Type element);

// Whether a value depends on weights and constants alone, so that the engine writer can compute it.
bool isRecipe(mlir::Value value);

// An element as a register holds it: an integer without sign.
mlir::Type registerType(mlir::Type element);

// An element as memory holds it: an integer without sign; truth values in a byte each.
mlir::Type storedType(mlir::Type element);
// A tensor type without encoding, of elements as memory holds them: how functions over tensors see it.
mlir::RankedTensorType storedTensor(mlir::RankedTensorType type);

// A scalar of element type `from`, as a register holds it, as ingot.cast converts it to `to`.
mlir::Value castScalar(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value scalar, mlir::Type from, mlir::Type to);

// The element-wise value of an op on constants, through its scalar body; null where an operand is not constant, the
// result is larger than a small constant should be, or a step cannot be evaluated.
mlir::Attribute foldElementwise(mlir::Operation *op, llvm::ArrayRef<mlir::Attribute> operands);

} // namespace ingot::ir

#endif
