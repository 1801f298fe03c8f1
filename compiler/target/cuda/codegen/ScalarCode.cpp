// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See ScalarCode.h.
#include "compiler/target/cuda/codegen/ScalarCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace ingot::target::cuda {

std::string registerType(Type type) {
  if (type.isF32() || type.isF16() || type.isBF16())
    return "float";
  if (type.isF64())
    return "double";
  if (type.isIndex())
    return "int64_t";
  if (type.isInteger(1))
    return "bool";
  for (unsigned bits : {8, 16, 32, 64})
    if (type.isInteger(bits))
      return "int" + std::to_string(bits) + "_t";
  return "";
}

std::string memoryType(Type type) {
  if (type.isF16())
    return "f16";
  if (type.isBF16())
    return "bf16";
  if (type.isInteger(1))
    return "uint8_t";
  return registerType(type);
}

std::string loaded(Type type, const std::string &element) {
  if (type.isF16() || type.isBF16())
    return "toFloat(" + element + ")";
  return type.isInteger(1) ? "(" + element + " != 0)" : element;
}

std::string stored(Type type, const std::string &value) {
  if (type.isF16())
    return "toF16(" + value + ")";
  if (type.isBF16())
    return "toBf16(" + value + ")";
  return type.isInteger(1) ? "(uint8_t)(" + value + " ? 1 : 0)" : value;
}

std::string constantCode(Attribute value) {
  if (auto integer = dyn_cast<IntegerAttr>(value)) {
    if (integer.getType().isInteger(1))
      return integer.getValue().isZero() ? "false" : "true";
    const int64_t number = integer.getType().isIndex() ? integer.getInt() : integer.getValue().getSExtValue();
    if (number == INT64_MIN)
      return "(-9223372036854775807LL - 1)";
    return integer.getType().isIndex() || integer.getType().isInteger(64) ? "(int64_t)" + std::to_string(number) + "LL"
           : number == INT32_MIN                                           ? "(-2147483647 - 1)"
                                                                           : std::to_string(number);
  }
  auto real = dyn_cast<FloatAttr>(value);
  if (!real)
    return "";
  const double number = real.getValueAsDouble();
  const bool isDouble = real.getType().isF64();
  if (real.getValue().isInfinity())
    return std::string(number < 0 ? "(-" : "(") + (isDouble ? "(double)" : "") + "floatOf(0x7f800000u))";
  if (real.getValue().isNaN())
    return isDouble ? "(double)floatOf(0x7fc00000u)" : "floatOf(0x7fc00000u)";
  char text[64];
  std::snprintf(text, sizeof(text), isDouble ? "%a" : "%af", number);
  return std::string("(") + text + ")";
}

// f16 and bf16 results are rounded.
static std::string rounded(Type type, const std::string &value) {
  if (type.isF16())
    return "toFloat(toF16(" + value + "))";
  if (type.isBF16())
    return "toFloat(toBf16(" + value + "))";
  return value;
}

static std::string comparedFloats(arith::CmpFPredicate predicate, const std::string &a, const std::string &b) {
  using P = arith::CmpFPredicate;
  auto of = [&](const char *op) { return "(" + a + " " + op + " " + b + ")"; };
  const std::string unordered = "(" + a + " != " + a + " || " + b + " != " + b + ")";
  switch (predicate) {
  case P::AlwaysFalse: return "false";
  case P::AlwaysTrue: return "true";
  case P::OEQ: return of("==");
  case P::OGT: return of(">");
  case P::OGE: return of(">=");
  case P::OLT: return of("<");
  case P::OLE: return of("<=");
  case P::ONE: return "(" + a + " < " + b + " || " + a + " > " + b + ")";
  case P::ORD: return "!" + unordered;
  case P::UEQ: return "!(" + a + " < " + b + " || " + a + " > " + b + ")";
  case P::UGT: return "!" + of("<=");
  case P::UGE: return "!" + of("<");
  case P::ULT: return "!" + of(">=");
  case P::ULE: return "!" + of(">");
  case P::UNE: return of("!=");
  case P::UNO: return unordered;
  }
  return "";
}

static std::string comparedIntegers(arith::CmpIPredicate predicate, Type type, const std::string &a,
                                    const std::string &b) {
  using P = arith::CmpIPredicate;
  const std::string kind = type.isInteger(1) ? "uint8_t" : "u" + registerType(type);
  auto plain = [&](const char *op) { return "(" + a + " " + op + " " + b + ")"; };
  auto unsignedOf = [&](const char *op) { return "((" + kind + ")" + a + " " + op + " (" + kind + ")" + b + ")"; };
  switch (predicate) {
  case P::eq: return plain("==");
  case P::ne: return plain("!=");
  case P::slt: return plain("<");
  case P::sle: return plain("<=");
  case P::sgt: return plain(">");
  case P::sge: return plain(">=");
  case P::ult: return unsignedOf("<");
  case P::ule: return unsignedOf("<=");
  case P::ugt: return unsignedOf(">");
  case P::uge: return unsignedOf(">=");
  }
  return "";
}

std::string scalarCode(Operation &op, ArrayRef<std::string> x) {
  const Type type = op.getNumResults() == 1 ? op.getResult(0).getType() : Type();
  if (!type || registerType(type).empty())
    return "";
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return constantCode(constant.getValue());
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    return comparedFloats(compare.getPredicate(), x[0], x[1]);
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return comparedIntegers(compare.getPredicate(), compare.getLhs().getType(), x[0], x[1]);
  const std::string name = op.getName().getStringRef().str();
  const std::string kind = registerType(type);
  const std::string wide = type.isInteger(1) ? "uint8_t" : "u" + kind; // of integers
  const bool isDouble = type.isF64();
  auto function = [&](const char *of) { return std::string(of) + (isDouble ? "(" : "f("); };

  // Of two floats; what nvcc could fuse stands behind functions that it does not fuse.
  if (name == "arith.addf")
    return rounded(type, "add(" + x[0] + ", " + x[1] + ")");
  if (name == "arith.subf")
    return rounded(type, "add(" + x[0] + ", -" + x[1] + ")");
  if (name == "arith.mulf")
    return rounded(type, "multiply(" + x[0] + ", " + x[1] + ")");
  if (name == "arith.divf")
    return rounded(type, "divide(" + x[0] + ", " + x[1] + ")");
  if (name == "arith.remf")
    return rounded(type, function("fmod") + x[0] + ", " + x[1] + ")");
  if (name == "arith.negf")
    return "(-" + x[0] + ")";
  if (name == "arith.maxnumf" || name == "arith.minnumf")
    return function(name == "arith.maxnumf" ? "fmax" : "fmin") + x[0] + ", " + x[1] + ")";
  if (name == "arith.maximumf" || name == "arith.minimumf") { // not a number where either is none
    const std::string of = function(name == "arith.maximumf" ? "fmax" : "fmin") + x[0] + ", " + x[1] + ")";
    return "(" + x[0] + " != " + x[0] + " || " + x[1] + " != " + x[1] + " ? " + x[0] + " + " + x[1] + " : " + of + ")";
  }

  static const llvm::StringMap<const char *> plain = {
      {"arith.andi", "&"}, {"arith.ori", "|"}, {"arith.xori", "^"}};
  if (auto found = plain.find(name); found != plain.end())
    return "(" + kind + ")(" + x[0] + " " + found->second + " " + x[1] + ")";
  // Overflow wraps: computed without sign, and wide enough that nothing is promoted to int.
  static const llvm::StringMap<const char *> wrapping = {{"arith.addi", "+"}, {"arith.subi", "-"}, {"arith.muli", "*"}};
  if (auto found = wrapping.find(name); found != wrapping.end()) {
    if (type.isInteger(1))
      return "(" + x[0] + (name == "arith.muli" ? " && " : " != ") + x[1] + ")";
    const std::string in = type.isIndex() || type.isInteger(64) ? "(uint64_t)" : "(uint32_t)";
    return "(" + kind + ")(" + in + x[0] + " " + found->second + " " + in + x[1] + ")";
  }
  // Functions of scalars.h; it has none of truth values.
  static const llvm::StringMap<const char *> integers = {
      {"arith.divsi", "quotient"},          {"arith.divui", "unsignedQuotient"},
      {"arith.remsi", "integerRemainder"},         {"arith.remui", "unsignedRemainder"},
      {"arith.floordivsi", "floorQuotient"}, {"arith.ceildivsi", "ceilQuotient"},
      {"arith.ceildivui", "unsignedCeilQuotient"}, {"arith.shli", "shiftLeft"},
      {"arith.shrsi", "shiftRight"},        {"arith.shrui", "unsignedShiftRight"},
      {"math.ipowi", "powerOfInteger"},     {"math.ctpop", "bitsSet"}};
  if (auto found = integers.find(name); found != integers.end()) {
    if (type.isInteger(1))
      return "";
    std::string call = std::string(found->second) + "<" + kind + ">(" + x[0];
    return call + (x.size() == 2 ? ", " + x[1] : "") + ")";
  }
  static const llvm::StringMap<const char *> chosen = {
      {"arith.maxsi", ">"}, {"arith.minsi", "<"}, {"arith.maxui", ">"}, {"arith.minui", "<"}};
  if (auto found = chosen.find(name); found != chosen.end()) {
    const std::string cast = name[name.size() - 2] == 'u' ? "(" + wide + ")" : "";
    return "(" + cast + x[0] + " " + found->second + " " + cast + x[1] + " ? " + x[0] + " : " + x[1] + ")";
  }
  if (name == "arith.select")
    return "(" + x[0] + " ? " + x[1] + " : " + x[2] + ")";

  if (name == "arith.extf" || name == "arith.index_cast" || name == "arith.extsi" || name == "arith.trunci" ||
      name == "arith.sitofp") {
    const Type from = op.getOperand(0).getType();
    if (from.isInteger(1) && name != "arith.trunci") // i1 is -1 with its sign
      return rounded(type, "(" + kind + ")(" + x[0] + " ? -1 : 0)");
    if (type.isInteger(1))
      return "((" + x[0] + " & 1) != 0)";
    return rounded(type, "(" + kind + ")" + x[0]);
  }
  if (name == "arith.truncf")
    return rounded(type, "(" + kind + ")" + x[0]);
  if (name == "arith.extui" || name == "arith.uitofp" || name == "arith.index_castui") {
    const Type from = op.getOperand(0).getType();
    const std::string cast = from.isInteger(1) ? "uint8_t" : "u" + registerType(from);
    return rounded(type, "(" + kind + ")(" + cast + ")" + x[0]);
  }
  if (name == "arith.fptosi")
    return "(" + kind + ")" + x[0];
  if (name == "arith.fptoui")
    return "(" + kind + ")(" + wide + ")" + x[0];
  if (name == "arith.bitcast") {
    const Type from = op.getOperand(0).getType();
    if (from.isF32() && type.isInteger(32))
      return "(int32_t)bitsOf(" + x[0] + ")";
    if (from.isInteger(32) && type.isF32())
      return "floatOf((uint32_t)" + x[0] + ")";
    if ((from.isF64() && type.isInteger(64)) || (from.isInteger(64) && type.isF64()))
      return "__builtin_bit_cast(" + kind + ", " + x[0] + ")";
    return "";
  }

  if (name == "math.absi")
    return "(" + x[0] + " < 0 ? (" + kind + ")(0 - " + x[0] + ") : " + x[0] + ")";
  if (name == "math.fma")
    return rounded(type, (isDouble ? "::fma(" : "fmaf(") + x[0] + ", " + x[1] + ", " + x[2] + ")");
  static const llvm::StringMap<const char *> questions = {
      {"math.isnan", "isNan"}, {"math.isinf", "isInfinite"}, {"math.isfinite", "isFinite"}};
  if (auto found = questions.find(name); found != questions.end())
    return std::string(found->second) + "(" + x[0] + ")";
  if (name == "math.rsqrt")
    return rounded(type, isDouble ? "divide(1.0, sqrt(" + x[0] + "))" : "divide(1.0f, squareRoot(" + x[0] + "))");
  static const llvm::StringMap<const char *> functions = {
      {"math.exp", "exp"},     {"math.exp2", "exp2"},   {"math.expm1", "expm1"}, {"math.log", "log"},
      {"math.log2", "log2"},   {"math.log10", "log10"}, {"math.log1p", "log1p"}, {"math.sqrt", "sqrt"},
      {"math.cbrt", "cbrt"},   {"math.sin", "sin"},     {"math.cos", "cos"},     {"math.tan", "tan"},
      {"math.asin", "asin"},   {"math.acos", "acos"},   {"math.atan", "atan"},   {"math.atan2", "atan2"},
      {"math.sinh", "sinh"},   {"math.cosh", "cosh"},   {"math.tanh", "tanh"},   {"math.asinh", "asinh"},
      {"math.acosh", "acosh"}, {"math.atanh", "atanh"}, {"math.erf", "erf"},     {"math.erfc", "erfc"},
      {"math.absf", "fabs"},   {"math.floor", "floor"}, {"math.ceil", "ceil"},   {"math.trunc", "trunc"},
      {"math.round", "round"}, {"math.roundeven", "rint"}, {"math.powf", "pow"}, {"math.copysign", "copysign"}};
  if (auto found = functions.find(name); found != functions.end()) {
    // CUDA's are up to 4 units in the last place off in f32.
    static const llvm::StringSet<> throughF64 = {"math.tan",   "math.sinh",  "math.asinh",
                                                 "math.acosh", "math.atanh", "math.powf"};
    const bool widens = !isDouble && throughF64.contains(name);
    std::string call = widens ? std::string("(float)") + found->second + "(" : function(found->second);
    for (size_t i = 0; i < x.size(); ++i)
      call += (i ? ", " : "") + std::string(widens ? "(double)" : "") + x[i];
    return rounded(type, call + ")");
  }
  return "";
}

} // namespace ingot::target::cuda
