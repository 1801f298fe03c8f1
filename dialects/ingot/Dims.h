// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dimensions of tensors: a static size, or a dynamic one that #ingot.dims names. Helpers by which type inference,
// verifiers and passes read and make such types.
#ifndef INGOT_DIALECTS_INGOT_DIMS_H
#define INGOT_DIALECTS_INGOT_DIMS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include <optional>

namespace ingot::ir {

// symbol + constant.
struct DimExpr {
  llvm::StringRef symbol;
  int64_t constant = 0;
};

// Reads "tokens", "sequences+1", "x-2"; nothing where the text is no such expression.
std::optional<DimExpr> parseDim(llvm::StringRef text);

// Whether the text is a symbol's name: a letter, then letters, digits and underscores.
bool isSymbolName(llvm::StringRef text);

// One dimension of a tensor type.
struct Dim {
  int64_t size = mlir::ShapedType::kDynamic;
  mlir::StringAttr name; // of a dynamic dimension; null where it is not known

  Dim() = default;
  Dim(int64_t size) : size(size) {}
  Dim(int64_t size, mlir::StringAttr name) : size(size), name(name) {}
  bool isDynamic() const { return mlir::ShapedType::isDynamic(size); }
  // Whether both may be the same number: what is not known agrees with anything.
  bool agrees(const Dim &other) const;
  // Whether both are known to be the same number: sizes, or names of symbols.
  friend bool operator==(const Dim &a, const Dim &b) {
    return a.size == b.size && a.name == b.name && (!a.isDynamic() || a.name);
  }
  // As text for messages: "64", "tokens" or "?".
  std::string text() const;
};

Dim dimOf(mlir::RankedTensorType type, unsigned index);
llvm::SmallVector<Dim> dimsOf(mlir::RankedTensorType type);
// The type of a value that is a tensor.
inline mlir::RankedTensorType tensorOf(mlir::Value value) { return mlir::cast<mlir::RankedTensorType>(value.getType()); }

// A tensor type of these dimensions, with #ingot.dims where one is named.
mlir::RankedTensorType tensorType(llvm::ArrayRef<Dim> dims, mlir::Type elementType);

// Whether types agree in everything that both know.
bool typesAgree(mlir::Type a, mlir::Type b);
bool typesAgree(mlir::TypeRange a, mlir::TypeRange b);

// Bytes of one element as it is stored, of a quantized type: as it is packed; 0 for a type that is not stored.
int64_t elementBytes(mlir::Type type);

// Shape of an [n, k] weight in a packed layout (as ingot.pack names them; k: elements of a row), nothing for another
// name.
std::optional<llvm::SmallVector<int64_t>> packedShape(llvm::StringRef layout, int64_t n, int64_t k);

} // namespace ingot::ir

#endif
