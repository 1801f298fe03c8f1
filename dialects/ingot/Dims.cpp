// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Named dimensions: see Dims.h. Also the verifier of #ingot.dims, where an expression's grammar is decided.
#include "dialects/ingot/Dims.h"
#include "dialects/ingot/IngotDialect.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace ingot::ir {

bool isSymbolName(StringRef text) {
  return !text.empty() && llvm::isAlpha(text.front()) &&
         llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

std::optional<DimExpr> parseDim(StringRef text) {
  size_t sign = text.find_first_of("+-");
  DimExpr expr{text.substr(0, sign), 0};
  if (!isSymbolName(expr.symbol))
    return std::nullopt;
  if (sign == StringRef::npos)
    return expr;
  StringRef digits = text.substr(sign + 1);
  if (digits.empty() || !llvm::all_of(digits, llvm::isDigit) || digits.getAsInteger(10, expr.constant))
    return std::nullopt;
  if (text[sign] == '-')
    expr.constant = -expr.constant;
  return expr;
}

bool Dim::agrees(const Dim &other) const {
  if (isDynamic() && other.isDynamic())
    return !name || !other.name || name == other.name;
  // A named dynamic dimension against a static one: no program of ours may rely on their being equal.
  if (isDynamic() || other.isDynamic())
    return !name && !other.name;
  return size == other.size;
}

std::string Dim::text() const {
  if (!isDynamic())
    return std::to_string(size);
  return name ? name.str() : "?";
}

Dim dimOf(RankedTensorType type, unsigned index) {
  int64_t size = type.getDimSize(index);
  if (ShapedType::isDynamic(size))
    if (auto dims = dyn_cast_or_null<DimsAttr>(type.getEncoding()))
      return Dim(size, dims.getExprs()[index]);
  return Dim(size);
}

SmallVector<Dim> dimsOf(RankedTensorType type) {
  SmallVector<Dim> dims;
  for (unsigned i = 0; i < type.getRank(); ++i)
    dims.push_back(dimOf(type, i));
  return dims;
}

RankedTensorType tensorType(ArrayRef<Dim> dims, Type elementType) {
  SmallVector<int64_t> shape;
  SmallVector<StringAttr> names;
  unsigned named = 0, dynamic = 0;
  for (const Dim &dim : dims) {
    shape.push_back(dim.size);
    dynamic += dim.isDynamic();
    named += dim.isDynamic() && dim.name;
    names.push_back(dim.isDynamic() && dim.name ? dim.name : StringAttr::get(elementType.getContext(), ""));
  }
  // An encoding names all dynamic dimensions or there is none.
  if (named == 0 || named != dynamic)
    return RankedTensorType::get(shape, elementType);
  return RankedTensorType::get(shape, elementType, DimsAttr::get(elementType.getContext(), names));
}

bool typesAgree(Type a, Type b) {
  auto ta = dyn_cast<RankedTensorType>(a), tb = dyn_cast<RankedTensorType>(b);
  if (!ta || !tb)
    return a == b;
  if (ta.getElementType() != tb.getElementType() || ta.getRank() != tb.getRank())
    return false;
  return llvm::all_of(llvm::seq<unsigned>(0, ta.getRank()),
                      [&](unsigned i) { return dimOf(ta, i).agrees(dimOf(tb, i)); });
}

bool typesAgree(TypeRange a, TypeRange b) {
  return a.size() == b.size() &&
         llvm::all_of(llvm::zip(a, b), [](auto pair) { return typesAgree(std::get<0>(pair), std::get<1>(pair)); });
}

int64_t elementBytes(Type type) {
  if (isa<QuantizedType>(type))
    return 1;
  return type.isIntOrFloat() ? llvm::divideCeil(type.getIntOrFloatBitWidth(), 8) : 0;
}

std::optional<SmallVector<int64_t>> packedShape(StringRef layout, int64_t n, int64_t k) {
  int64_t panels = llvm::divideCeil(n, 16);
  if (layout == "tn")
    return SmallVector<int64_t>{k, n};
  if (layout == "n16k" || layout == "n16tc")
    return SmallVector<int64_t>{panels, k, 16};
  if (layout == "n16k2")
    return SmallVector<int64_t>{panels, (int64_t)llvm::divideCeil(k, 32) * 16, 16, 2};
  if (layout == "n16k4")
    return SmallVector<int64_t>{panels, (int64_t)llvm::divideCeil(k, 64) * 16, 16, 4};
  if (layout == "n16k8")
    return SmallVector<int64_t>{panels, (int64_t)llvm::divideCeil(k, 64) * 8, 16, 4};
  return std::nullopt;
}

LogicalResult DimsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                       function_ref<InFlightDiagnostic()> emitError) const {
  // dims-c1
  if (shape.size() != getExprs().size())
    return emitError() << "#ingot.dims names " << getExprs().size() << " dimensions of a tensor that has "
                       << shape.size();
  for (auto [index, size, expr] : llvm::enumerate(shape, getExprs())) {
    // dims-c2
    if (ShapedType::isDynamic(size) != !expr.empty())
      return emitError() << "#ingot.dims: dimension " << index
                         << (expr.empty() ? " is dynamic and has no name" : " is static and has a name");
    // dims-c3
    if (!expr.empty() && !parseDim(expr.getValue()))
      return emitError() << "#ingot.dims: expected a symbol, or a symbol plus or minus a constant, found \""
                         << expr.getValue() << "\"";
  }
  return success();
}

} // namespace ingot::ir
