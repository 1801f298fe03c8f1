// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The graph that operators are imported into: tensors whose contents are known are evaluated, all others become IR. What an
// operator computes is said once, as a function of scalars (compiler/import/scalar.h); this decides which of the two it becomes.
#ifndef INGOT_COMPILER_IMPORT_ONNX_GRAPH_H
#define INGOT_COMPILER_IMPORT_ONNX_GRAPH_H

#include "compiler/import/builder.h"
#include "compiler/import/onnx/literal.h"
#include "compiler/import/onnx/model.h"
#include "compiler/import/onnx/small_float.h"

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>

namespace ingot::onnx {

// Why an operator cannot be imported; the importer adds which node it was.
struct ImportError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct TensorData;
using Tensor = TensorData *; // of a Graph, and as long as it lives; null: an input or output that is left out

// Where numbers come from integers: (codes - zero) * scale. Kept beside them, so that a product can take the integers.
struct Dequantized {
  Tensor codes = nullptr; // of the tensor's shape
  Tensor scale = nullptr; // floats: one, one for each index of `axis`, or one for each block along it
  Tensor zero = nullptr;  // of the codes' type and the scale's shape or one; null: 0
  enum class Along { all, axis, blocks } along = Along::all;
  size_t axis = 0;
  int64_t block = 0;                // blocks: elements of `axis` that share a scale
  bool constant = false;            // all of it is
  std::optional<int64_t> everyZero; // of constants: what all zero points are
};

// Sums of products of integers whose right operand is a constant matrix, of its i32 sums or of these as floats.
struct IntegerProduct {
  Tensor a = nullptr, aZero = nullptr; // codes of 8 bits [.., k], their one zero point or null
  Tensor b = nullptr, bZero = nullptr; // codes of 8 bits [k, n], one zero point, one for each column, or null
};

// A number of the graph, times constants.
struct ScaleFactors {
  Tensor number = nullptr, constants = nullptr;
};

// What a tensor's elements are computed by, where that is said by elements. Loops after those of its dimensions run over extents.
struct Formula {
  Scalar body;
  Shape extents;
  Reduction kind = Reduction::sum;
};

// Between which numbers all elements lie; nothing: not known.
struct Bounds {
  std::optional<Dimension> least, most;
};

// A constant matrix of codes as a product's rows [n, k].
struct WeightCodes {
  Value codes; // u8 or i8
  bool isSigned = false;
  int64_t bits = 8; // 8 or 4: of each code, whatever holds it
  int64_t n = 0, k = 0;
  Tensor scales = nullptr; // [1 or n, 1 or blocks]; null: 1
  Tensor zeros = nullptr;  // alike, of the codes' type or of floats; null: `zero`
  int64_t zero = 0;
  int64_t block = 0; // columns that share a scale; 0: all
};

struct TensorData {
  DataType dataType;
  ElementType type; // in which elements are held
  Shape shape;
  std::shared_ptr<const Literal> known;   // its elements, where they are few and known
  std::optional<TensorBytes> stored;      // a constant of a file, where its bytes lie as they are held
  Value value;                            // in IR, once it was asked for
  std::string name;                       // of a stored tensor
  std::vector<std::string> strings;       // of DataType::string
  std::optional<TensorBytes> packed;      // a constant of 4 or 2 bits as its file holds it, where rows are whole bytes
  std::function<Value()> later;           // gives `value` once it is asked for
  Tensor repeats = nullptr; // the known tensor that it was broadcast from
  Tensor tokenStarts = nullptr; // of offsets of tokens [batch, length]: where each sequence begins among tokens, i64 [batch + 1]
  std::shared_ptr<const Dequantized> dequantized;
  std::shared_ptr<const IntegerProduct> product;
  std::function<Tensor()> asFloats; // the same as f32, where that is to be had otherwise than by conversion
  std::shared_ptr<const ScaleFactors> factors;
  std::shared_ptr<const Formula> formula; // of what is not known
  bool given = false;                     // an argument
  std::shared_ptr<const Bounds> bounds;   // once they were asked for
  std::map<int64_t, Dimension> sizes;     // elements that a run measures, as dimensions

  size_t rank() const { return shape.size(); }
};
using Indices = std::vector<Scalar>;

class Graph {
public:
  explicit Graph(GraphBuilder &builder) : builder(builder) {}
  Graph(const Graph &) = delete;
  GraphBuilder &ir() { return builder; }

  // --- Where tensors come from.
  Tensor argument(DataType type, Shape shape, Value value);
  Tensor stored(const TensorBytes &bytes, const std::string &name);
  Tensor literal(DataType type, Literal literal);
  Tensor integers(const std::vector<Dimension> &values, DataType type = DataType::i64); // rank 1
  Tensor scalar(DataType type, double value, std::vector<int64_t> shape = {});          // all elements alike
  // A value of IR that an op of its own gave.
  Tensor computed(DataType type, Shape shape, Value value);

  // The tensor in IR.
  Value value(Tensor tensor);
  // Its elements as integers, where they are known; nothing otherwise.
  std::optional<std::vector<Dimension>> knownIntegers(Tensor tensor) const;
  std::optional<std::vector<double>> knownReals(Tensor tensor) const;

  // --- Definitions by elements. Bodies give the type in which elements of `type` are held.
  using Element = std::function<Scalar(const Indices &)>;
  using Term = std::function<Scalar(const Indices &, const Indices &)>; // indices of the result, and of the extents
  Tensor compute(DataType type, Shape shape, const Element &body);
  // Terms combined over the extents. 16-bit floats are combined in f32 and rounded once.
  Tensor reduce(DataType type, Shape shape, Shape extents, Reduction kind, const Term &body);
  // An element; indices must lie in the tensor.
  Scalar at(Tensor tensor, Indices indices);
  // The number that an element stands for, as f32: of f8 and f4 too, which `at` gives the bits of.
  Scalar real(Tensor tensor, const Indices &indices);
  // An element of a tensor that is broadcast to `rank` dimensions.
  Scalar atBroadcast(Tensor tensor, const Indices &indices);
  // Where the element at `indices` of `shape` lies in a tensor that is broadcast to it.
  static Indices broadcastIndices(Tensor tensor, const Shape &shape, const Indices &indices);
  // Element by element after broadcasting. 16-bit floats are given to the body as f32, and its result rounded.
  using Map = std::function<Scalar(const std::vector<Scalar> &)>;
  Tensor map(DataType type, const std::vector<Tensor> &inputs, const Map &body);

  // --- Ops that have names in IR, where they do.
  Tensor elementwise(ScalarOp op, const std::vector<Tensor> &inputs); // of one type, which is the result's
  Tensor compare(ScalarOp op, Tensor a, Tensor b);
  Tensor where(Tensor condition, Tensor a, Tensor b);
  Tensor cast(Tensor x, DataType type, CastMode mode = {}); // numbers; of few bits too
  Tensor reshape(Tensor x, Shape shape);
  Tensor transpose(Tensor x, std::vector<int64_t> permutation);
  Tensor broadcast(Tensor x, const Shape &shape);
  Tensor concat(const std::vector<Tensor> &inputs, size_t axis);
  // x[first + i * step] along each axis; extents of the result are given.
  Tensor slice(Tensor x, const std::vector<Dimension> &first, const std::vector<int64_t> &step, Shape extents);
  Tensor softmax(Tensor x, size_t axis);
  Tensor reduceAxes(Reduction kind, Tensor x, std::vector<size_t> axes, bool keep);
  // a [.., m, k] times b [.., k, n] with numpy's broadcasting of the leading dimensions. A stored matrix of floats becomes a linear.
  Tensor matmul(Tensor a, Tensor b);

  // The shape that numpy's broadcasting gives. Throws where dimensions do not go together; where that is not known, a run
  // whose inputs show it is refused.
  Shape broadcastShape(const std::vector<Tensor> &inputs);

  // --- What must be true of shapes and may not be known yet.

  // Whether the two are different for all inputs. Where they may be equal, runs are refused where they are not, told by `words`:
  // "as many rows as columns".
  bool differ(const Dimension &a, const Dimension &b, const std::string &words);
  // Whether the first is more than the second for all inputs; runs are refused in the same way where it is for them.
  bool exceeds(const Dimension &a, const Dimension &b, const std::string &words);
  // The tensor in another shape, of as many elements as a run then has to have.
  Tensor reshapeUnproven(Tensor x, const Shape &shape);

  // A dimension that depends on data: what the one element of an i64 is in a run, from 0 to `most`, for which memory is planned.
  // Known only behind what computes it; the value must be computed by the graph, not an argument.
  Dimension measured(Tensor value, const Dimension &most);
  // An integer of a tensor as a dimension (sizes.cpp): known, arithmetic over what is measured, or measured itself. `most` bounds it where
  // nothing else does; nothing where there is no bound.
  std::optional<Dimension> sizeAt(Tensor tensor, int64_t place, const std::optional<Dimension> &most = std::nullopt);
  // A mask's sum, of integers that a caller gives, counts as at most its length: other numbers end the run.
  Bounds boundsOf(Tensor tensor);

  // Two dimensions that an operator needs to be equal. Where that says that two symbols are, it is remembered.
  void equate(const Dimension &a, const Dimension &b);
  // Symbols, and the symbols and the number whose sum they were found to be.
  using Equalities = std::map<std::string, std::vector<Dimension>>;
  const Equalities &equalSymbols() const { return equals; }
  // Symbols that are lengths of masks which callers give: not meant to be 1 where something longer stands beside them.
  std::set<std::string> maskLengths;
  // Symbols of inputs [batch, length] of integers or truth values (token ids, types, masks), and [batch, length, width] of vectors for these. Some
  // exporters give each input names of its own for what is one batch and one length; vectors beside vectors may be repeated.
  struct TokenAxis {
    size_t axis;
    bool vectors;
  };
  std::map<std::string, TokenAxis> tokenAxes;

  // --- Quantized tensors (graph_quantized.cpp). Weights of the model's own codes become quantized weights that hold
  // exactly these where a layout can; others are dequantized once, while the engine is written.

  // A tensor that a file holds, or that is small and known: what products store.
  static bool isConstant(Tensor tensor);
  // Of constants, computed when it is needed in floats; of others `plainly`, with what it came from.
  Tensor dequantize(DataType type, Dequantized how, const std::function<Tensor()> &plainly);
  // Whether a product with this constant keeps its codes.
  static bool isQuantizedWeight(Tensor tensor);
  // The i32 sums of a times the constant b; `plainly` gives them where no kernel does. Zero points may be null.
  Tensor integerMatmul(Tensor a, Tensor aZero, Tensor b, Tensor bZero, const std::function<Tensor()> &plainly);
  // Such sums as f32 times a's scale and b's (either may be left out); null where that is not to be had at once.
  Tensor scaledSums(Tensor sums, Tensor aScale, Tensor bScale);
  // rows f32 [r, k] times a constant's rows [n, k], floats or dequantized: f32 [r, n].
  Tensor rowsTimes(Tensor rows, Tensor weight);
  Tensor rowsTimes(Tensor rows, const WeightCodes &weight, bool integers);
  // Rows of a constant [n, k] by their numbers, i32 [t], all of them within 0..n-1: f32 [t, k]. A product with the same constant
  // shares it.
  Tensor lookUp(Tensor numbers, const WeightCodes &weight);
  // (rows - zero) * scale of codes of 8 bits [r, k] times a constant's rows [n, k], dequantized from such too: f32 [r,
  // n]. Zero and scale are one number or null (0, 1). Null where no kernel takes the weight so.
  Tensor codesTimes(Tensor rows, Tensor zero, Tensor scale, Tensor weight);

private:
  TensorData *make(DataType type, Shape shape);
  std::string storedName(const TensorBytes &bytes, const std::string &name);
  // Tells what a tensor of a named op is, for sizeAt.
  Tensor described(Tensor tensor, const Element &body);
  std::optional<Cell> cellAt(Tensor tensor, const std::vector<int64_t> &indices, int depth);
  std::optional<Cell> sumAt(Tensor tensor, const std::vector<int64_t> &indices, int depth);
  Value broadcastValue(Tensor tensor, const Shape &shape);
  std::optional<Literal> evaluateAll(ElementType type, const Shape &shape, const Shape &extents, Reduction kind,
                                     const Scalar &body);
  Value emit(ElementType type, const Shape &shape, const Shape &extents, Reduction kind, const Scalar &body);
  // See graph_quantized.cpp.
  Tensor alike(Tensor x, Tensor result, const std::function<std::optional<Dequantized>(const Dequantized &)> &moved);
  Tensor transposedAlike(Tensor x, Tensor result, const std::vector<int64_t> &permutation);
  Tensor reshapedAlike(Tensor x, Tensor result);
  Tensor scaledAlike(Tensor result, Tensor x, Tensor y);
  std::optional<WeightCodes> codesOf(Tensor weight);
  Value quantizedValue(const WeightCodes &weight, std::optional<QuantizedSpec> spec);
  std::optional<Value> floatsOf(Tensor weight);
  Tensor quantizedMatmul(Tensor a, Tensor b);
  Tensor integerRows(const IntegerProduct &product, Tensor scale, const WeightCodes &weight, const QuantizedSpec &spec,
                     const Shape &shape);

  GraphBuilder &builder;
  std::deque<TensorData> tensors;
  std::set<std::string> takenNames; // of stored tensors
  std::map<std::tuple<std::string, uint64_t, DataType, std::vector<int64_t>>, std::string> storedNames; // by where they lie
  std::map<DataType, Tensor> smallFloats; // values of all bytes
  Equalities equals;
  std::set<std::string> measuredSymbols;
  int nesting = 0; // of boundsOf
};

// An axis as operators give it, negative from the end; throws where it is none of `rank`.
size_t axisOf(int64_t axis, size_t rank);
Indices loopsOf(size_t count, size_t first = 0);

// Where the element at `indices` of a tensor of `shape` lies in one of another shape that has the same elements in order.
Indices sameElement(const Indices &indices, const Shape &shape, const Shape &other);

} // namespace ingot::onnx

#endif
