// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers the dialect, and defines its attributes: affine sizes and cache planes.
#include "dialects/plan/PlanDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/plan/PlanDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/plan/PlanAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/plan/PlanTypes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.cpp.inc"

namespace ingot::plan {

void PlanDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/plan/PlanOps.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/plan/PlanAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/plan/PlanTypes.cpp.inc"
      >();
}

// --- size.

// Sorted by name, equal symbols added up, zeros left out.
static SizeAttr canonicalSize(MLIRContext *context, int64_t constant, ArrayRef<std::pair<StringAttr, int64_t>> terms) {
  SmallVector<std::pair<StringAttr, int64_t>> sorted(terms);
  llvm::sort(sorted, [](auto &a, auto &b) { return a.first.getValue() < b.first.getValue(); });
  SmallVector<StringAttr> symbols;
  SmallVector<int64_t> coefficients;
  for (auto [symbol, coefficient] : sorted) {
    if (!symbols.empty() && symbols.back() == symbol)
      coefficients.back() += coefficient;
    else {
      symbols.push_back(symbol);
      coefficients.push_back(coefficient);
    }
  }
  for (size_t i = symbols.size(); i-- > 0;)
    if (coefficients[i] == 0) {
      symbols.erase(symbols.begin() + i);
      coefficients.erase(coefficients.begin() + i);
    }
  return SizeAttr::get(context, constant, symbols, coefficients);
}

SizeAttr SizeAttr::get(MLIRContext *context, int64_t constant) {
  return SizeAttr::get(context, constant, ArrayRef<StringAttr>(), ArrayRef<int64_t>());
}

SizeAttr SizeAttr::get(MLIRContext *context, StringRef symbol, int64_t coefficient, int64_t constant) {
  return canonicalSize(context, constant, {{StringAttr::get(context, symbol), coefficient}});
}

int64_t SizeAttr::coefficient(StringRef symbol) const {
  for (auto [name, coefficient] : llvm::zip(getSymbols(), getCoefficients()))
    if (name.getValue() == symbol)
      return coefficient;
  return 0;
}

SizeAttr SizeAttr::plus(SizeAttr other) const {
  SmallVector<std::pair<StringAttr, int64_t>> terms;
  for (SizeAttr size : {*this, other})
    for (auto [symbol, coefficient] : llvm::zip(size.getSymbols(), size.getCoefficients()))
      terms.emplace_back(symbol, coefficient);
  return canonicalSize(getContext(), getConstant() + other.getConstant(), terms);
}

SizeAttr SizeAttr::times(int64_t factor) const {
  SmallVector<std::pair<StringAttr, int64_t>> terms;
  for (auto [symbol, coefficient] : llvm::zip(getSymbols(), getCoefficients()))
    terms.emplace_back(symbol, coefficient * factor);
  return canonicalSize(getContext(), getConstant() * factor, terms);
}

LogicalResult SizeAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t, ArrayRef<StringAttr> symbols,
                               ArrayRef<int64_t> coefficients) {
  if (symbols.size() != coefficients.size())
    return emitError() << "#plan.size has " << symbols.size() << " symbols and " << coefficients.size()
                       << " coefficients";
  for (auto [index, symbol] : llvm::enumerate(symbols)) {
    if (index && symbols[index - 1].getValue() >= symbol.getValue())
      return emitError() << "#plan.size: symbols must be sorted and distinct";
    if (coefficients[index] == 0)
      return emitError() << "#plan.size: coefficient of " << symbol << " is zero";
  }
  return success();
}

// `<` term (`+` term)* `>` with term: constant, symbol, or constant `*` symbol.
Attribute SizeAttr::parse(AsmParser &parser, Type) {
  int64_t constant = 0;
  SmallVector<std::pair<StringAttr, int64_t>> terms;
  if (parser.parseLess())
    return {};
  do {
    int64_t number = 1;
    StringRef symbol;
    OptionalParseResult hasNumber = parser.parseOptionalInteger(number);
    if (hasNumber.has_value() && failed(*hasNumber))
      return {};
    if (hasNumber.has_value() && failed(parser.parseOptionalStar())) {
      constant += number;
      continue;
    }
    if (parser.parseKeyword(&symbol))
      return {};
    terms.emplace_back(StringAttr::get(parser.getContext(), symbol), number);
  } while (succeeded(parser.parseOptionalPlus()));
  if (parser.parseGreater())
    return {};
  return canonicalSize(parser.getContext(), constant, terms);
}

void SizeAttr::print(AsmPrinter &printer) const {
  printer << "<";
  if (getConstant() != 0 || isConstant())
    printer << getConstant();
  for (auto [index, symbol] : llvm::enumerate(getSymbols())) {
    if (index || getConstant() != 0)
      printer << " + ";
    if (getCoefficients()[index] != 1)
      printer << getCoefficients()[index] << " * ";
    printer << symbol.getValue();
  }
  printer << ">";
}

SizeAttr sizeOf(MLIRContext *context, const ir::Dim &dim) {
  if (!dim.isDynamic())
    return SizeAttr::get(context, dim.size);
  std::optional<ir::DimExpr> expr = dim.name ? ir::parseDim(dim.name.getValue()) : std::nullopt;
  return expr ? SizeAttr::get(context, expr->symbol, 1, expr->constant) : SizeAttr();
}

// --- plane.

LogicalResult PlaneAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef name, Type type, StringRef,
                                int64_t pageBytes) {
  if (pageBytes <= 0 || pageBytes % 64) // plane-c1
    return emitError() << "#plan.plane \"" << name << "\": page_bytes must be a positive multiple of 64, found "
                       << pageBytes;
  return success();
}

} // namespace ingot::plan
