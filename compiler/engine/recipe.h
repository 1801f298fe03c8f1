// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A recipe: how a stored weight is made from the checkpoint's tensors (cast, concatenate, interleave,
// quantize or take as quantized before, pack).
// The engine writer runs recipes in slices of rows, in parallel, so that no tensor is ever whole in memory.
// Built from the recipe ops of a plan.weight (recipe_from_ir.h); knows nothing of MLIR or of the engine file.
#ifndef INGOT_COMPILER_ENGINE_RECIPE_H
#define INGOT_COMPILER_ENGINE_RECIPE_H

#include "compiler/engine/quantize.h"

#include <algorithm>
#include <array>
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

// What groups have beside their values: scales, zero points, and the sums of u - z.
enum class GroupPlane { scales, zeros, sums };
inline constexpr size_t kGroupPlanes = 3;

// Where the planes of the units that are evaluated go, by GroupPlane; null where they are not wanted.
struct GroupValues {
  std::array<uint8_t *, kGroupPlanes> planes = {};
};

// One step of a recipe. Its value is a matrix [rows, columns] (rank 1: columns = 1), except for `pack` and
// `pack_groups`, which end recipes. A quantized value (integers, scales and zero points) can only be joined and packed.
struct Recipe {
  enum class Kind {
    tensor,
    constant,
    cast,
    transpose,
    concat,
    interleave,
    unpack_bits,
    quantize,
    assemble,
    pack,
    pack_groups
  };
  enum class Layout { row_major, n16k, n16k2, n16k4, n16k8, n16tc, tn };
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
  int64_t block = 0;         // interleave: rows of each operand in turn; assemble: columns that share a scale, 0: all
  bool quantized = false;    // its value is
  Quantization quantization; // of such a value
  int64_t bits = 8;          // unpack_bits: of each integer
  int64_t zero = 0;          // assemble: zero point where there are none
  GroupPlane plane = GroupPlane::scales; // pack_groups
  Layout layout = Layout::row_major;
  int64_t taps = 1; // pack as n16tc or tn: the last so many elements of a row stand for places in a window

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
  // Integers of `bits` bits out of bytes, the first in the lowest bits, as u8 or, with their sign, i8.
  static std::shared_ptr<Recipe> unpackBits(std::shared_ptr<const Recipe> operand, ElementType type, int64_t bits,
                                            int64_t columns);
  // Codes (u8 or i8) with scales and zero points (may be null: `zero`) for each block of columns, each [1 or rows][1 or
  // blocks]: exactly these as a quantized value, or (no quantization) the numbers that they stand for in f32.
  static std::shared_ptr<Recipe> assemble(std::shared_ptr<const Recipe> codes, std::shared_ptr<const Recipe> scales,
                                          std::shared_ptr<const Recipe> zeros, int64_t block, int64_t zero,
                                          const Quantization *quantization);
  static std::shared_ptr<Recipe> pack(std::shared_ptr<const Recipe> operand, Layout layout, int64_t taps = 1);
  // Scales, zero points or sums of a quantized weight, [ceil(rows/16)][groups][16].
  static std::shared_ptr<Recipe> packGroups(std::shared_ptr<const Recipe> operand, GroupPlane plane);

  // Calls `visit` for every source tensor beneath, in order.
  template <typename F> void forEachSource(F &&visit) const {
    if (kind == Kind::tensor)
      visit(source);
    for (const auto &operand : operands)
      operand->forEachSource(visit);
  }

  // Their names, for people: "a + b".
  std::string sourceNames() const;

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
  // Rows of a quantized value, one behind the other: u [stride] each, scales and zero points [groups] each.
  struct QuantizedRows {
    int64_t stride = 0;
    uint8_t *u = nullptr; // null: not wanted
    float *scales = nullptr;
    uint8_t *zeros = nullptr;
    QuantizationError *error = nullptr;
    QuantizedRows from(int64_t row, int64_t groups) const;
  };
  std::string evaluateQuantizedRows(const TensorReader &reader, int64_t first, int64_t count,
                                    const QuantizedRows &out) const;
  std::string quantizeRows(const TensorReader &reader, int64_t first, int64_t count, const QuantizedRows &out) const;
  std::string assembleRows(const TensorReader &reader, int64_t first, int64_t count, const QuantizedRows &out) const;
  std::string assembleFloats(const TensorReader &reader, int64_t first, int64_t count, float *out) const;
  std::string evaluatePanels(const TensorReader &reader, int64_t first, int64_t count, uint8_t *out,
                             QuantizationError *error, GroupValues groups) const;
  // Calls visit(operand, its first row, rows, first row of the result) for the parts of a concat or an interleave that
  // hold rows [first, first + count); a null operand stands for rows of zeros. Stops at an error sentence, which it
  // returns.
  template <typename F> std::string forEachPart(int64_t first, int64_t count, F &&visit) const;
};

template <typename F> std::string Recipe::forEachPart(int64_t first, int64_t count, F &&visit) const {
  if (kind == Kind::concat) {
    int64_t start = 0; // of the segment within the result
    for (const Segment &segment : segments) {
      int64_t lo = std::max(first, start), hi = std::min(first + count, start + segment.rows);
      if (lo < hi)
        if (std::string error = visit(operands[size_t(segment.operand)].get(), segment.first + lo - start, hi - lo, lo);
            !error.empty())
          return error;
      start += segment.rows;
    }
    return "";
  }
  const int64_t ways = int64_t(operands.size());
  for (int64_t row = first; row < first + count;) {
    int64_t group = row / block, within = row % block; // `group` counts blocks of all operands
    const Recipe &operand = *operands[size_t(group % ways)];
    int64_t source = group / ways * block + within;
    int64_t run = std::min(block - within, first + count - row);
    int64_t real = std::clamp<int64_t>(operand.rows - source, 0, run);
    if (real > 0)
      if (std::string error = visit(&operand, source, real, row); !error.empty())
        return error;
    if (real < run)
      if (std::string error = visit(nullptr, 0, run - real, row + real); !error.empty())
        return error;
    row += run;
  }
  return "";
}

} // namespace ingot::engine

#endif
