// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How weights and activations are to be stored and multiplied, as a person writes it: schemes ("int4:g32,asym") and
// rules files, which name exceptions by tensor. Parsed here, for the command line and for choose-precision alike.
#ifndef INGOT_PASSES_QUANTIZATION_SCHEMES_H
#define INGOT_PASSES_QUANTIZATION_SCHEMES_H

#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>
#include <vector>

namespace mlir {
class MLIRContext;
class Type;
} // namespace mlir

namespace ingot::passes {

// A type in which a weight is stored.
struct Scheme {
  enum class Kind { f32, f16, bf16, int8, int4 };
  Kind kind = Kind::f32;
  int64_t group = 0; // int8 and int4: columns that share a scale; 0: a whole row
  bool asym = false; // int4: groups have zero points
  bool isQuantized() const { return kind == Kind::int8 || kind == Kind::int4; }
};

// What parseScheme takes, for messages.
extern const char *const kSchemes;

// Reads f32, f16, bf16, int8 (int8:channel), int8:g32|g64|g128, int4 (int4:g128), int4:g32|g64|g128 and the latter four
// with ",asym"; nothing for other text.
std::optional<Scheme> parseScheme(llvm::StringRef text);

// The element type that weight_element says: a float, or !ingot.quantized.
mlir::Type typeOf(const Scheme &scheme, mlir::MLIRContext *context);

// A line of a rules file: `PATTERN SCHEME [activations=float|int8]`.
struct PrecisionRule {
  std::string pattern; // with * for any characters and ? for one
  Scheme scheme;
  std::string activations; // "float", "int8" or "": the scheme's default
  unsigned line = 0;
};

// Reads the text of a rules file, "#" starting a comment. Returns "" or a sentence that names `file` and the line.
std::string parseRules(llvm::StringRef text, llvm::StringRef file, std::vector<PrecisionRule> &rules);

// The same from the file itself; "" as a name is no rules.
std::string readRules(const std::string &file, std::vector<PrecisionRule> &rules);

bool matches(llvm::StringRef pattern, llvm::StringRef name);

} // namespace ingot::passes

#endif
