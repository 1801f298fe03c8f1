// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A recipe: how a stored weight is made from the checkpoint's tensors (cast, concatenate, interleave,
// quantize, pack).
// The engine writer runs recipes in slices of rows, in parallel, so that no tensor is ever whole in memory.
// Built from the recipe ops of a plan.weight (recipe_from_ir.h); knows nothing of MLIR or of the engine file.
#ifndef INGOT_COMPILER_ENGINE_RECIPE_H
#define INGOT_COMPILER_ENGINE_RECIPE_H

#include "compiler/engine/quantize.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ingot::engine {

// Opens the checkpoint's files once each and reads ranges of them. Thread-safe after `open`.
class TensorReader {
public:
  TensorReader(uint64_t dummySeed) : dummySeed(dummySeed) {}
  ~TensorReader();
  TensorReader(const TensorReader &) = delete;

  // Opens `source.file` unless it is open already or the tensor is a dummy. Returns an error sentence, or "".
  std::string open(const TensorSource &source);

  // Reads rows [first, first + count) of the tensor seen as [rows, row bytes] into `out`; "" or an error sentence.
  // A tensor without a file gets pseudo-random values: of norms around 1, of biases small, of matrices with standard
  // deviation 1/sqrt(columns); they depend on the seed, the tensor's name and the row alone.
  std::string read(const TensorSource &source, int64_t first, int64_t count, void *out) const;

private:
  struct File {
    std::string path;
    int descriptor;
  };
  std::vector<File> files;
  uint64_t dummySeed;
};

// Where the scales and zero points of the units that are evaluated go; null where they are not wanted.
struct GroupValues {
  uint8_t *scales = nullptr, *zeros = nullptr;
};

// One step of a recipe. Its value is a matrix [rows, columns] (rank 1: columns = 1), except for `pack` and
// `pack_groups`, which end recipes. What `quantize` gives only they can read: integers, scales and zero points.
struct Recipe {
  enum class Kind { tensor, constant, cast, transpose, concat, interleave, quantize, pack, pack_groups };
  enum class Layout { row_major, n16k, n16k2, n16k4, n16k8 };
  struct Segment {
    int operand;
    int64_t first, rows;
  };

  Kind kind;
  ElementType type = ElementType::f32; // of the result
  int64_t rows = 0, columns = 1;       // logical, before packing
  std::vector<std::shared_ptr<const Recipe>> operands;
  TensorSource source;           // tensor
  std::vector<uint8_t> bytes;    // constant, row-major
  std::vector<Segment> segments; // concat: rows of the result in order
  int64_t block = 0;             // interleave: rows of each operand in turn
  Quantization quantization;     // quantize
  bool zeros = false;            // pack_groups: zero points, not scales
  Layout layout = Layout::row_major;

  static std::shared_ptr<Recipe> tensor(TensorSource source);
  static std::shared_ptr<Recipe> constant(ElementType type, int64_t rows, int64_t columns, std::vector<uint8_t> bytes);
  static std::shared_ptr<Recipe> cast(std::shared_ptr<const Recipe> operand, ElementType type);
  static std::shared_ptr<Recipe> concat(std::vector<std::shared_ptr<const Recipe>> operands,
                                        std::vector<Segment> segments);
  // Columns become rows. The operand is held whole from the first row that is asked for to the last.
  static std::shared_ptr<Recipe> transpose(std::shared_ptr<const Recipe> operand);
  // Blocks of `block` rows of every operand in turn; the last block of each is padded with zero rows.
  static std::shared_ptr<Recipe> interleave(std::vector<std::shared_ptr<const Recipe>> operands, int64_t block);
  static std::shared_ptr<Recipe> quantize(std::shared_ptr<const Recipe> operand, Quantization quantization);
  static std::shared_ptr<Recipe> pack(std::shared_ptr<const Recipe> operand, Layout layout);
  // Scales or zero points of a quantized weight, [ceil(rows/16)][groups][16].
  static std::shared_ptr<Recipe> packGroups(std::shared_ptr<const Recipe> operand, bool zeros);

  // Calls `visit` for every source tensor beneath, in order.
  template <typename F> void forEachSource(F &&visit) const {
    if (kind == Kind::tensor)
      visit(source);
    for (const auto &operand : operands)
      operand->forEachSource(visit);
  }

  // Bytes of the stored result, and its units: the writer asks for ranges of units (panels of 16 rows, or rows).
  uint64_t storedBytes() const;
  int64_t units() const;
  uint64_t unitBytes() const;

  // Whether both make the same values from the same sources.
  bool makesSameAs(const Recipe &other) const;

  // Evaluates units [first, first + count) into `out` (count * unitBytes() bytes). "" or an error sentence.
  // Where quantized values are packed, adds to `error`, if given, what their rounding cost, and writes to the parts of
  // `groups` that are given what packGroups would make of the same units: so a source is read and rounded once.
  std::string evaluate(const TensorReader &reader, int64_t first, int64_t count, uint8_t *out,
                       QuantizationError *error = nullptr, GroupValues groups = {}) const;

private:
  struct Transposed;
  std::shared_ptr<Transposed> transposed; // transpose
  std::string evaluateRows(const TensorReader &reader, int64_t first, int64_t count, uint8_t *out) const;
  std::string evaluateQuantized(const TensorReader &reader, int64_t first, int64_t count, uint8_t *out,
                                QuantizationError *error, GroupValues groups) const;
  void packGroupValues(bool zeroPoints, const float *scales, const uint8_t *zeros, uint8_t *out) const;
};

} // namespace ingot::engine

#endif
