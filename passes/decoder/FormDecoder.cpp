// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// form-decoder: a graph that takes and gives keys and values becomes entries `step` and `sample` over the paged cache (see Passes.td). What
// inputs, masks, positions and rotations are is read from elements, for steps of several sizes; nothing is taken from names.
#include "dialects/ingot/StepContract.h"
#include "passes/Passes.h"
#include "passes/decoder/DecoderGraph.h"
#include "passes/decoder/DistanceBias.h"
#include "passes/decoder/EncodeEntry.h"
#include "passes/decoder/Heads.h"
#include "passes/decoder/TokenRows.h"
#include "passes/fusion/Match.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <limits>
#include <memory>

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_FORMDECODERPASS
#include "passes/Passes.h.inc"

namespace {

// The most positions that are asked about where no table ends before.
constexpr int64_t kMostPositions = 1 << 17;
// Where masks that are of all tokens by all are read.
constexpr int64_t kNear = 63;

RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

// Keys or values of one attention: the input that holds the earlier ones, and the result that holds all.
struct Cached {
  BlockArgument past;
  unsigned result = 0;
  // Where the elements of position t, kv head g and element i lie in both.
  SmallVector<int64_t> first;            // of t = g = i = 0
  int64_t positionDim = 0, headDim = -1; // headDim -1: there is one head
  int64_t elementDim = 0;
  int64_t headStep = 1;
  int64_t batchDim = -1;
  double factor = 1; // by which attention multiplies what the cache holds

  SmallVector<int64_t> at(int64_t batch, int64_t position, int64_t head, int64_t i) const {
    SmallVector<int64_t> indices(first);
    if (batchDim >= 0)
      indices[size_t(batchDim)] = batch;
    indices[size_t(positionDim)] = position;
    if (headDim >= 0)
      indices[size_t(headDim)] += head * headStep;
    indices[size_t(elementDim)] += i;
    return indices;
  }
};

struct Layer {
  ir::ScaledDotProductAttentionOp op;
  Cached keys, values;
  int64_t heads = 0, kvHeads = 0, size = 0;
  Heads q, k, v;
  double scale = 1;
  int64_t window = 0;
  int64_t number = 0;  // among those that attend to the same
  bool source = false; // attends to what an encoder gave
  std::shared_ptr<DistanceBias> bias = std::make_shared<DistanceBias>(); // layers share it
};

class Former : public TokenRows {
public:
  Former(DecoderGraph &graph, OpBuilder &b, ir::EntryOp step, Value &cache, std::vector<Layer> &layers, int64_t positions)
      : TokenRows(graph, b, step), b(b), step(step), cache(cache), layers(layers), positions_(positions) {}

protected:
  Value attend(ir::ScaledDotProductAttentionOp op) override {
    Layer &layer = *llvm::find_if(layers, [&](const Layer &layer) { return layer.op == op; });
    ir::LayerAttention attention{layer.number, layer.heads, layer.kvHeads, layer.size, layer.scale, layer.window,
                                 op.getSoftCap().convertToDouble(), layer.source ? Value() : biasesOf(layer, op.getLoc())};
    if (layer.source) {
      SmallVector<Value> queries = headsOf({&layer.q}, {layer.heads}, layer.size, op.getLoc());
      return queries.empty() ? Value() : ir::attendToSource(b, op.getLoc(), step, queries[0], attention);
    }
    SmallVector<Value> parts = headsOf({&layer.q, &layer.k, &layer.v}, {layer.heads, layer.kvHeads, layer.kvHeads}, layer.size, op.getLoc());
    if (parts.empty())
      return {};
    if (layer.q.rotary.width) {
      Value angles = anglesOf(layer.k.rotary, op.getLoc());
      for (Value &part : MutableArrayRef<Value>(parts).take_front(2))
        part = ir::RopeOp::create(b, op.getLoc(), part, angles).getResult();
    }
    return ir::appendAndAttend(b, op.getLoc(), step, cache, parts[0], parts[1], parts[2], attention);
  }

private:
  Value biasesOf(const Layer &layer, Location loc) {
    if (!*layer.bias)
      return {};
    std::vector<float> table = layer.bias->table(positions_);
    auto type = RankedTensorType::get({layer.heads, int64_t(table.size()) / layer.heads}, b.getF32Type());
    auto values = DenseElementsAttr::get(type, ArrayRef<float>(table));
    // Equal ones are one attribute, and become one weight.
    Value &constant = biases[values];
    if (!constant)
      constant = ir::ConstantOp::create(b, loc, type, values);
    return constant;
  }

  Value anglesOf(const Rotary &rotary, Location loc) {
    for (const auto &[known, value] : angles)
      if (known.inverse == rotary.inverse && known.factor == rotary.factor)
        return value;
    auto type = RankedTensorType::get({int64_t(rotary.inverse.size())}, b.getF32Type());
    auto number = [&](double value) { return b.getF64FloatAttr(value); };
    Value made = ir::RopeAnglesOp::create(b, loc, step.argumentNamed("positions"), step.argumentNamed("sequence_starts"),
                                          step.argumentNamed("context_lengths"), ir::RopeKindAttr::get(b.getContext(), ir::RopeKind::Fixed),
                                          DenseElementsAttr::get(type, ArrayRef<float>(rotary.inverse)), DenseElementsAttr(),
                                          b.getI64IntegerAttr(0), number(10000), number(1), number(rotary.factor), number(1))
                     .getResult();
    angles.emplace_back(rotary, made);
    return made;
  }

  OpBuilder &b;
  ir::EntryOp step;
  Value &cache;
  std::vector<Layer> &layers;
  int64_t positions_;
  SmallVector<std::pair<Rotary, Value>> angles;
  llvm::DenseMap<Attribute, Value> biases;
};

// Reads layers from elements. Every method gives "" or what is wrong.
class Reader {
public:
  Reader(DecoderGraph &graph, int64_t context) : positions(context > 0 ? context : kMostPositions), graph(graph) {}

  std::string read() {
    for (auto attention : graph.attentions) {
      Layer layer;
      layer.op = attention;
      layer.source = graph.attendsToSource(attention);
      layer.number = llvm::count_if(layers, [&](const Layer &other) { return other.source == layer.source; });
      if (std::string why = layer.source ? readSourceLayer(layer) : readLayer(layer); !why.empty())
        return nodeOf(attention.getResult()) + ": " + why;
      layers.push_back(std::move(layer));
    }
    for (Layer &layer : layers) {
      if (layer.source)
        continue; // read already
      // Layers share masks.
      auto same = llvm::find_if(layers, [&](Layer &other) {
        return !other.source && other.op.getBias() == layer.op.getBias() && other.op.getCausal() == layer.op.getCausal() &&
               other.op.getWindow() == layer.op.getWindow() && other.heads == layer.heads;
      });
      if (&*same != &layer) {
        layer.window = same->window;
        layer.bias = same->bias;
      } else if (std::string why = readMask(layer); !why.empty())
        return nodeOf(layer.op.getResult()) + ": " + why;
    }
    return "";
  }

  // The first of those that attend to the decoder's own tokens, or to an encoder's results; null where there is none.
  const Layer *first(bool source) const {
    auto found = llvm::find_if(layers, [&](const Layer &layer) { return layer.source == source; });
    return found == layers.end() ? nullptr : &*found;
  }

  std::vector<Layer> layers;
  int64_t positions; // for which all that was read holds

private:
  std::string readLayer(Layer &layer) {
    auto q = tensorOf(layer.op.getQuery()), k = tensorOf(layer.op.getKey()), v = tensorOf(layer.op.getValue());
    layer.heads = q.getDimSize(2);
    layer.size = q.getDimSize(3);
    if (v.getDimSize(3) != layer.size)
      return "keys have " + std::to_string(layer.size) + " elements a head and values " + std::to_string(v.getDimSize(3)) +
             "; the cache holds heads of one size";
    if (layer.op.getLengths())
      return "it is given the number of keys of each sequence";
    if (std::string why = readCached(layer.op.getKey(), k.getDimSize(2), layer.size, layer.keys, layer.kvHeads); !why.empty())
      return "its keys: " + why;
    int64_t ofValues = 0;
    if (std::string why = readCached(layer.op.getValue(), v.getDimSize(2), layer.size, layer.values, ofValues); !why.empty())
      return "its values: " + why;
    const Layer *before = first(/*source=*/false);
    if (ofValues != layer.kvHeads)
      return "it has " + std::to_string(layer.kvHeads) + " heads of keys and " + std::to_string(ofValues) + " of values";
    if (before && (before->kvHeads != layer.kvHeads || before->size != layer.size))
      return "its heads are of another number or size than those of the first layer";

    const int64_t limit = positions;
    if (std::string why = readHeads(
            graph, lastOf(layer.op.getQuery()), layer.heads, layer.size, limit, layer.q);
        !why.empty())
      return "its queries: " + why;
    auto fresh = [&](const Cached &cached, Value operand) -> HeadElement {
      if (!graph.cached())
        return lastOf(operand, tensorOf(operand).getDimSize(2) / layer.kvHeads);
      return [&graph = graph, &cached](Elements &elements, int64_t h, int64_t i) {
        Value result = resultOf(graph, cached.result);
        SmallVector<int64_t> at = cached.at(0, elements.shapeOf(result)[size_t(cached.positionDim)] - 1, h, i);
        return elements.at(result, at);
      };
    };
    if (std::string why = readHeads(graph, fresh(layer.keys, layer.op.getKey()), layer.kvHeads, layer.size, limit, layer.k); !why.empty())
      return "its keys: " + why;
    if (std::string why = readHeads(graph, fresh(layer.values, layer.op.getValue()), layer.kvHeads, layer.size, 64, layer.v); !why.empty())
      return "its values: " + why;
    if (layer.v.rotary.width)
      return "its values are rotated";
    if (layer.v.factor != 1 || layer.values.factor != 1)
      return "its values are multiplied by a number";
    const Rotary &a = layer.q.rotary, &c = layer.k.rotary;
    if (a.width != c.width || a.interleaved != c.interleaved)
      return "queries and keys are rotated differently";
    for (auto [x, y] : llvm::zip(a.inverse, c.inverse))
      if (std::fabs(x - y) > 1e-5 * std::fabs(y))
        return "queries and keys are rotated by different angles";
    if (std::fabs(a.factor - c.factor) > 1e-6 * std::fabs(c.factor))
      return "queries and keys are rotated and multiplied by different numbers";
    for (int64_t end : {a.positions, c.positions})
      if (end)
        positions = std::min(positions, end);
    layer.scale = layer.op.getScale().convertToDouble() * layer.q.factor * layer.k.factor * layer.keys.factor;
    if (!(layer.scale > 0))
      return "its scores are multiplied by " + std::to_string(layer.scale);
    return checkTokens(layer);
  }

  // Heads of the last token of an operand of attention; every group-th of them.
  static HeadElement lastOf(Value operand, int64_t group = 1) {
    return [operand, group](Elements &elements, int64_t h, int64_t i) {
      return elements.at(operand, {0, elements.shapeOf(operand)[1] - 1, h * group, i});
    };
  }

  // Of attention to an encoder's results only queries are of this step; every token sees all of them.
  std::string readSourceLayer(Layer &layer) {
    auto q = tensorOf(layer.op.getQuery()), k = tensorOf(layer.op.getKey()), v = tensorOf(layer.op.getValue());
    layer.heads = q.getDimSize(2);
    layer.size = q.getDimSize(3);
    layer.kvHeads = k.getDimSize(2);
    if (v.getDimSize(3) != layer.size || v.getDimSize(2) != layer.kvHeads)
      return "its keys and values are of different sizes; the cache holds heads of one size";
    if (layer.op.getCausal() || layer.op.getWindow() || layer.op.getLengths())
      return "a token does not see all of the encoder's results";
    if (const Layer *before = first(/*source=*/true); before && (before->kvHeads != layer.kvHeads || before->size != layer.size))
      return "its heads are of another number or size than those of the first layer";
    if (std::string why = readHeads(graph, lastOf(layer.op.getQuery()), layer.heads, layer.size, positions, layer.q); !why.empty())
      return "its queries: " + why;
    if (layer.q.rotary.width)
      return "its queries are rotated";
    layer.scale = layer.op.getScale().convertToDouble() * layer.q.factor;
    if (!(layer.scale > 0))
      return "its scores are multiplied by " + std::to_string(layer.scale);
    auto elements = graph.sampleStep();
    const int64_t keys = elements->shapeOf(layer.op.getKey())[1];
    for (int64_t s = 0; s < elements->shapeOf(layer.op.getQuery())[1]; ++s)
      for (int64_t t : {int64_t(0), int64_t(1), keys / 2, keys - 1})
        if (sees(*elements, layer, 0, layer.heads - 1, s, t, keys) != true)
          return "its scores have something else added than the encoder's mask";
    return "";
  }

  static Value resultOf(DecoderGraph &graph, unsigned number) {
    return graph.entry.getBody().front().getTerminator()->getOperand(number);
  }

  // How many heads of an operand differ, where all are of the graph's own tokens.
  std::string readGroups(Value operand, int64_t heads, int64_t size, int64_t &kvHeads) {
    auto elements = graph.sampleStep();
    auto same = [&](int64_t g, int64_t h) {
      for (int64_t i : {int64_t(0), size - 1})
        if (!isMultiple(elements->at(operand, {0, 0, g, i}), elements->at(operand, {0, 0, h, i}), 1))
          return false;
      return true;
    };
    int64_t group = 1;
    while (group < heads && same(0, group))
      ++group;
    if (heads % group)
      return "heads that share them are no equal parts of all";
    kvHeads = heads / group;
    for (int64_t h = 0; h < heads; ++h)
      if (!same(h / group * group, h))
        return "heads that share them are no equal parts of all";
    return "";
  }

  // Where position t's key or value of attention's head g comes from: an input before the step, and a result that becomes it.
  std::string readCached(Value operand, int64_t heads, int64_t size, Cached &cached, int64_t &kvHeads) {
    if (!graph.cached())
      return readGroups(operand, heads, size, kvHeads);
    const int64_t batch = graph.fixedBatch.value_or(2), past = 7;
    auto elements = graph.step(2, 3, past);
    const int64_t steps = graph.fixedSteps.value_or(3);
    SmallVector<int64_t> shape = elements->shapeOf(operand);
    if (shape[1] != past + steps)
      return "there are " + std::to_string(shape[1]) + " in a step of " + std::to_string(steps) + " tokens after " + std::to_string(past) +
             " positions";
    auto locate = [&](int64_t b, int64_t t, int64_t g, int64_t i, SmallVector<int64_t> &indices, double &factor) {
      Form form = elements->at(operand, {b, t, g, i});
      if (!form.isElement())
        return false;
      auto argument = dyn_cast<BlockArgument>(form.terms[0].tensor);
      if (!argument || graph.roles.lookup(argument) != Role::Past || !graph.roles.count(argument) || (cached.past && cached.past != argument))
        return false;
      cached.past = argument;
      indices = elements->indicesOf(argument, form.terms[0].index);
      factor = form.terms[0].factor;
      return true;
    };
    SmallVector<int64_t> other;
    double factor = 1;
    if (!locate(0, 0, 0, 0, cached.first, cached.factor))
      return "those of earlier positions are not read from one input as they are";
    // The dimension in which a step in one direction shows.
    auto direction = [&](int64_t b, int64_t t, int64_t g, int64_t i, int64_t &dim, int64_t &by) {
      if (!locate(b, t, g, i, other, factor))
        return false;
      dim = -1;
      for (size_t d = 0; d < other.size(); ++d)
        if (other[d] != cached.first[d]) {
          if (dim >= 0)
            return false;
          dim = int64_t(d);
          by = other[d] - cached.first[d];
        }
      return true;
    };
    int64_t by = 1;
    const char *unlike = "they do not lie by batch, head, position and element in their input";
    if (!direction(0, 1, 0, 0, cached.positionDim, by) || cached.positionDim < 0 || by != 1)
      return unlike;
    if (size > 1 && (!direction(0, 0, 0, 1, cached.elementDim, by) || cached.elementDim < 0 || by != 1))
      return unlike;
    if (batch > 1 && (!direction(1, 0, 0, 0, cached.batchDim, by) || cached.batchDim < 0 || by != 1))
      return unlike;
    // Heads that share keys read the same.
    int64_t group = 1;
    for (; group < heads; ++group) {
      if (!direction(0, 0, group, 0, cached.headDim, cached.headStep))
        return unlike;
      if (cached.headDim >= 0)
        break;
    }
    if (heads % group)
      return unlike;
    kvHeads = heads / group;
    // All of it, and the result: what was there, then what is new.
    cached.result = unsigned(graph.entry.getResultTypes().size());
    for (unsigned n = 0; n < graph.entry.getResultTypes().size(); ++n) {
      Value result = resultOf(graph, n);
      if (tensorOf(result).getRank() != tensorOf(cached.past).getRank() ||
          tensorOf(result).getElementType() != tensorOf(cached.past).getElementType())
        continue;
      SmallVector<int64_t> whole = elements->shapeOf(result), before = elements->shapeOf(cached.past);
      before[size_t(cached.positionDim)] += steps;
      if (whole != before)
        continue;
      Form form = elements->at(result, cached.at(0, past - 1, kvHeads - 1, 0));
      if (form.isElement() && form.terms[0].tensor == cached.past)
        cached.result = n;
    }
    if (cached.result == graph.entry.getResultTypes().size())
      return "no result gives " + nodeOf(cached.past) + " with those of the new tokens";
    Value result = resultOf(graph, cached.result);
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t t = 0; t < past + steps; ++t)
        for (int64_t g = 0; g < heads; ++g)
          for (int64_t i = 0; i < size; i += (t + g) % 3 == 0 ? 1 : std::max<int64_t>(1, size - 1)) {
            SmallVector<int64_t> at = cached.at(b, t, g / group, i);
            Form whole = elements->at(result, at), read = elements->at(operand, {b, t, g, i});
            if (t < past && !(whole.isElement() && whole.terms[0].factor == 1 && whole.terms[0].tensor == cached.past &&
                              ArrayRef<int64_t>(elements->indicesOf(cached.past, whole.terms[0].index)) == ArrayRef<int64_t>(at)))
              return nodeOf(result) + " does not give earlier positions as they were";
            if (!isMultiple(read, whole, cached.factor))
              return "attention does not read what " + nodeOf(result) + " gives";
          }
    return elements->readOutside() ? "something outside of a tensor is read" : "";
  }

  static bool isMultiple(const Form &a, const Form &b, double factor) {
    if (a.terms.size() != b.terms.size() || a.constant != 0 || b.constant != 0)
      return false;
    for (auto [x, y] : llvm::zip(a.terms, b.terms))
      if (x.tensor != y.tensor || x.index != y.index || std::fabs(x.factor - factor * y.factor) > 1e-6 * std::fabs(x.factor))
        return false;
    return true;
  }

  // Queries and new keys and values of a token are of that token's row.
  std::string checkTokens(Layer &layer) {
    auto elements = graph.sampleStep();
    const int64_t batch = graph.fixedBatch.value_or(2), steps = graph.fixedSteps.value_or(3);
    auto check = [&](const Form &form, int64_t b, int64_t s) {
      for (const Form::Term &term : form.terms) {
        DecoderGraph::Tokens tokens = graph.tokensOf(term.tensor);
        SmallVector<int64_t> at = elements->indicesOf(term.tensor, term.index);
        if (tokens.rows >= 0 ? at[size_t(tokens.rows)] / tokens.heads != b * steps + s
                             : (tokens.steps >= 0 && at[size_t(tokens.steps)] / tokens.heads != s) || (tokens.batch >= 0 && at[size_t(tokens.batch)] != b) ||
                                   (tokens.steps < 0 && !graph.fixedSteps) || (tokens.batch < 0 && !graph.fixedBatch))
          return false;
      }
      return true;
    };
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t s = 0; s < steps; ++s) {
        if (!check(elements->at(layer.op.getQuery(), {b, s, layer.heads - 1, layer.size - 1}), b, s))
          return "its queries are not of their own token";
        if (!graph.cached()) {
          for (Value operand : {layer.op.getKey(), layer.op.getValue()})
            if (!check(elements->at(operand, {b, s, tensorOf(operand).getDimSize(2) - 1, layer.size - 1}), b, s))
              return "its keys or values are not of their own token";
          continue;
        }
        for (const Cached *cached : {&layer.keys, &layer.values})
          if (!check(elements->at(resultOf(graph, cached->result), cached->at(b, 7 + s, layer.kvHeads - 1, layer.size - 1)), b, s))
            return "its keys or values are not of their own token";
      }
    return "";
  }

  // What is added to a score; -infinity where attention itself hides the key. Nothing where that is no number.
  std::optional<double> added(Elements &elements, Layer &layer, int64_t b, int64_t h, int64_t s, int64_t t, int64_t past) {
    const double hidden = -std::numeric_limits<double>::infinity();
    elements.readTables(); // of biases
    if (layer.op.getCausal() && t > past + s)
      return hidden;
    if (int64_t window = int64_t(layer.op.getWindow()); window && std::abs(past + s - t) >= window)
      return hidden;
    Value bias = layer.op.getBias();
    if (!bias)
      return 0.0;
    SmallVector<int64_t> shape = elements.shapeOf(bias), at{b, h, layer.source ? s : graph.firstToken(past) + s, t};
    for (size_t i = 0; i < 4; ++i)
      if (shape[i] == 1)
        at[i] = 0;
    Form form = elements.at(bias, at);
    return form.isNumber() && !std::isnan(form.constant) ? std::optional(form.constant) : std::nullopt;
  }

  // Whether a query sees a key; nothing where its score is changed otherwise than by the layer's biases.
  std::optional<bool> sees(Elements &elements, Layer &layer, int64_t b, int64_t h, int64_t s, int64_t t, int64_t past) {
    auto found = added(elements, layer, b, h, s, t, past);
    if (!found)
      return std::nullopt;
    double expected = layer.bias->at(h, past + s - t);
    if (layer.bias->relative && std::isfinite(*found)) {
      auto own = added(elements, layer, b, h, s, past + s, past);
      if (!own)
        return std::nullopt;
      expected += *own;
    }
    if (std::fabs(*found - expected) <= 1e-6 + 1e-5 * std::fabs(expected) && t <= past + s)
      return true;
    if (*found <= match::kHiddenScore)
      return false;
    return std::fabs(*found) <= 1e-6 ? std::optional<bool>(true) : std::nullopt;
  }

  std::string readMask(Layer &layer) {
    const std::string other = "its scores have something else added than a causal mask";
    if (layer.op.getBias())
      if (std::string why = layer.bias->read(
              graph,
              [&](Elements &elements, int64_t b, int64_t h, int64_t s, int64_t t, int64_t past) { return added(elements, layer, b, h, s, t, past); },
              layer.heads, positions);
          !why.empty())
        return why;
    // The window first: what the last of many positions sees.
    int64_t far = positions - 1;
    if (!graph.cached()) {
      // A mask is then of all tokens by all, and one of its elements may cost as much as all. Far away one is asked for all the same:
      // where it can be told.
      if (far > kNear) {
        auto elements = graph.step(1, 1, far);
        if (sees(*elements, layer, 0, 0, 0, 0, far) == false)
          return "it has a window, and its keys and values of earlier positions are no inputs";
      }
      far = std::min(far, kNear);
    }
    for (;; far /= 2) {
      if (far < 8)
        return other;
      auto elements = graph.step(1, 1, far);
      auto own = sees(*elements, layer, 0, 0, 0, far, far), before = sees(*elements, layer, 0, 0, 0, far - 1, far);
      if (!elements->readOutside() && own && before && *own)
        break;
    }
    if (far < positions - 1 && graph.cached())
      positions = far + 1;
    // Masks may take as many steps to work out as there are positions: the window is found near, and confirmed far away.
    bool good = findWindow(layer, std::min<int64_t>(far, 1 << 11));
    if (good && far > 1 << 11) {
      auto elements = graph.step(1, 1, far);
      auto seesAt = [&](int64_t t) { return sees(*elements, layer, 0, 0, 0, t, far); };
      good = layer.window ? seesAt(far - layer.window) == false && seesAt(far - layer.window + 1) == true : seesAt(0) == true;
      if (!good && layer.window == 0)
        good = findWindow(layer, far); // a long one
    }
    if (!good)
      return other;
    // Some graphs are only for a whole prompt, or for one token after it; a decoder's steps are both.
    std::string why = compareMask(layer, far, 4);
    return why.empty() || graph.fixedSteps || !compareMask(layer, far, 1).empty() ? why : "";
  }

  // Whether the mask is causal, with the layer's window, for prompts and for steps of some tokens after it.
  std::string compareMask(Layer &layer, int64_t far, int64_t wanted) {
    const std::string other = "its scores have something else added than a causal mask";
    const int64_t batch = graph.fixedBatch.value_or(2);
    for (int64_t past : {int64_t(0), int64_t(5), std::min<int64_t>(far - 4, layer.window ? layer.window + 3 : graph.cached() ? 40 : 11)}) {
      if (past < 0)
        continue;
      const int64_t steps = graph.fixedSteps.value_or(past == 0 ? 6 : wanted);
      auto elements = graph.step(2, steps, past);
      for (int64_t b : {int64_t(0), batch - 1})
        for (int64_t h : {int64_t(0), layer.heads - 1})
          for (int64_t s = 0; s < steps; ++s)
            for (int64_t t = 0; t < past + steps; ++t) {
              const bool expected = t <= past + s && (!layer.window || t > past + s - layer.window);
              auto found = sees(*elements, layer, b, h, s, t, past);
              if (!found)
                return other;
              if (*found != expected)
                return "its mask is not causal: token " + std::to_string(s) + " after " + std::to_string(past) + " positions " +
                       (*found ? "sees" : "does not see") + " position " + std::to_string(t);
            }
      if (elements->readOutside())
        return "its mask reads outside of a tensor";
    }
    return "";
  }

  // The first position that the token after `far` positions sees.
  bool findWindow(Layer &layer, int64_t far) {
    auto elements = graph.step(1, 1, far);
    int64_t hidden = -1, seen = far;
    if (sees(*elements, layer, 0, 0, 0, 0, far) == true)
      seen = 0;
    while (seen - hidden > 1) {
      const int64_t middle = (seen + hidden) / 2;
      auto found = sees(*elements, layer, 0, 0, 0, middle, far);
      if (!found)
        return false;
      (*found ? seen : hidden) = middle;
    }
    layer.window = seen == 0 ? 0 : far - seen + 1;
    return true;
  }

  DecoderGraph &graph;
};

struct FormDecoderPass : public impl::FormDecoderPassBase<FormDecoderPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto entries = llvm::to_vector(module.getOps<ir::EntryOp>());
    if (entries.size() != 1)
      return;
    DecoderGraph graph(entries[0]);
    std::string why;
    if (!graph.find(why)) {
      leave(why);
      return;
    }
    int64_t context = 0;
    if (auto known = module->getAttrOfType<IntegerAttr>("ingot.context"))
      context = known.getInt();
    Reader reader(graph, context);
    if (why = reader.read(); !why.empty())
      return leave(why);
    // What is left of the results are the logits.
    SmallVector<unsigned> rest;
    for (unsigned i = 0; i < entries[0].getResultTypes().size(); ++i)
      if (!isCache(graph, reader, i))
        rest.push_back(i);
    if (rest.size() != 1)
      return leave(rest.empty() ? "it gives no logits"
                                : "it gives '" + entries[0].getResName(rest[1]).str() + "' beside '" + entries[0].getResName(rest[0]).str() + "'");
    form(graph, reader, rest[0]);
  }

  void leave(const std::string &why) {
    if (!why.empty())
      getOperation()->setAttr("ingot.not_decoder", StringAttr::get(&getContext(), why));
  }

  // Whether a result holds keys or values, or what an encoder gives, and not what is computed from the last of them.
  static bool isCache(DecoderGraph &graph, Reader &reader, unsigned number) {
    Value result = graph.entry.getBody().front().getTerminator()->getOperand(number);
    if (graph.source && !graph.isOfTokens(result))
      return true;
    if (graph.cached())
      return llvm::any_of(reader.layers, [&](const Layer &layer) {
        return !layer.source && (layer.keys.result == number || layer.values.result == number);
      });
    auto elements = graph.sampleStep();
    Form first = elements->at(result, SmallVector<int64_t>(size_t(tensorOf(result).getRank()), 0));
    return llvm::any_of(reader.layers, [&](Layer &layer) {
      if (layer.source)
        return false;
      auto same = [&](Value operand) {
        Form key = elements->at(operand, {0, 0, 0, 0});
        return first.isElement() && key.isElement() && first.terms[0].tensor == key.terms[0].tensor && first.terms[0].index == key.terms[0].index;
      };
      return same(layer.op.getKey()) || same(layer.op.getValue());
    });
  }

  void form(DecoderGraph &graph, Reader &reader, unsigned logits) {
    ModuleOp module = getOperation();
    module->removeAttr("ingot.wants_decoder");
    ir::EntryOp main = graph.entry;
    Value scores = main.getBody().front().getTerminator()->getOperand(logits);
    auto rest = graph.restOf(scores);
    int64_t vocabulary = 1;
    for (int64_t size : rest.value_or(SmallVector<int64_t>{0}))
      vocabulary *= size;
    if (!rest || vocabulary < 2 || !isa<FloatType>(tensorOf(scores).getElementType()))
      return leave("'" + main.getResName(logits).str() + "' is not a row of logits for each token");
    const Layer &first = *reader.first(/*source=*/false);
    const Layer *source = reader.first(/*source=*/true);
    OpBuilder b(&getContext());
    Location loc = scores.getLoc();
    auto before = llvm::to_vector(module.getOps<ir::SymbolOp>());
    std::string family;
    if (auto known = module->getAttrOfType<StringAttr>("ingot.family"))
      family = known.getValue().str();
    Value cache;
    // Symbols of the graph go once nothing needs them; until then the two sets have different names.
    ir::EntryOp step = ir::openStep(b, module, loc,
                                    {family, vocabulary, std::min(reader.positions, kMostPositions),
                                     llvm::count_if(reader.layers, [](const Layer &layer) { return !layer.source; }), first.kvHeads, first.size,
                                     llvm::count_if(reader.layers, [](const Layer &layer) { return layer.source; }), source ? source->kvHeads : 0,
                                     source ? source->size : 0},
                                    cache);
    Former former(graph, b, step, cache, reader.layers, std::min(reader.positions, kMostPositions));
    Value rows = former.rowsOf(scores);
    if (!rows) {
      std::string why = former.why();
      step->erase();
      for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
        if (isa<ir::CacheGroupOp>(op) || (isa<ir::SymbolOp>(op) && !llvm::is_contained(before, cast<ir::SymbolOp>(op))))
          op.erase();
      for (StringRef name : {"ingot.vocabulary", "ingot.context"})
        module->removeAttr(name);
      return leave(why);
    }
    if (former.positions())
      module->setAttr("ingot.context", b.getI64IntegerAttr(std::min(former.positions(), std::min(reader.positions, kMostPositions))));
    auto flat = ir::tensorType({ir::dimOf(tensorOf(rows), 0), ir::Dim(vocabulary)}, b.getF32Type());
    if (rows.getType() != flat)
      rows = ir::ReshapeOp::create(b, loc, flat, rows);
    rows = ir::GatherRowsOp::create(b, loc, rows, step.argumentNamed("logit_rows")).getResult();
    ir::closeStep(b, module, loc, vocabulary, rows);
    if (source)
      makeEncode(graph, b, loc);
    main->erase();
    // Those that nothing needs any more. Derived ones stand behind what they are made of.
    for (ir::SymbolOp symbol : llvm::reverse(before))
      if (!source || !encodeNeeds(module, symbol))
        symbol->erase();
  }
};

} // namespace
} // namespace ingot::passes
