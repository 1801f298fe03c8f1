// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the files that implement builder.h share. Internal to them.
#ifndef INGOT_COMPILER_IMPORT_BUILDER_IMPL_H
#define INGOT_COMPILER_IMPORT_BUILDER_IMPL_H

#include "compiler/import/builder.h"
#include "dialects/ingot/IngotDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"

namespace ingot {

// What belongs to the module under construction.
struct Construction {
  ir::EntryOp entry; // of a graph, while it is open
  std::vector<std::string> symbols;                         // declared
  std::vector<std::pair<std::string, std::string>> derived; // expressions and their symbols
  std::vector<std::string> required;                        // expressions of checks

  DecoderSpec decoder;
  ir::EntryOp step;
  mlir::Value cache; // as the last append left it
  llvm::StringMap<mlir::Value> weights;
  std::vector<std::pair<RopeSpec, mlir::Value>> ropes;
};

struct GraphBuilder::Impl : Construction {
  Impl() : ops(&context) {
    context.loadDialect<ir::IngotDialect>();
    begin();
  }

  // An empty module.
  void begin() {
    module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
    ops.setInsertionPointToEnd(module->getBody());
    static_cast<Construction &>(*this) = {};
    scopes.clear();
  }

  mlir::Location here() {
    if (scopes.empty())
      return mlir::UnknownLoc::get(&context);
    return mlir::NameLoc::get(mlir::StringAttr::get(&context, scopes.back()));
  }

  mlir::Type element(ElementType type);
  // A dynamic dimension named by an expression of symbols.
  ir::Dim dim(llvm::StringRef expr) {
    return ir::Dim(mlir::ShapedType::kDynamic, mlir::StringAttr::get(&context, expr));
  }
  mlir::RankedTensorType type(llvm::ArrayRef<ir::Dim> dims, ElementType of) {
    return ir::tensorType(dims, element(of));
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OpBuilder ops;
  std::vector<std::string> scopes;

  // The dimension of a tensor. An expression that is no symbol with a constant becomes a symbol of its own.
  ir::Dim dim(const Dimension &dimension);
  std::string dimName(const Dimension &dimension);
  // Before the entry that is open; `value` is empty of one that is given.
  ir::SymbolOp declare(const std::string &name, llvm::StringRef value);
  // The stem and the least number that make no symbol's name.
  std::string freeName(const std::string &stem) const;
  mlir::RankedTensorType type(const Shape &shape, ElementType of) { return type(shape, element(of)); }
  mlir::RankedTensorType type(const Shape &shape, mlir::Type of);
};

inline mlir::Value in(Value value) { return mlir::Value::getFromOpaquePointer(value.impl); }
inline Value out(mlir::Value value) { return {value.getAsOpaquePointer()}; }
inline mlir::RankedTensorType typeOf(mlir::Value value) { return mlir::cast<mlir::RankedTensorType>(value.getType()); }

} // namespace ingot

#endif
