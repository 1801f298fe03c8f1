// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// form-decoder: a graph that takes and gives keys and values becomes entries `step` and `sample` over the paged cache (see Passes.td). What
// inputs, masks, positions and rotations are is read from elements, for steps of several sizes; nothing is taken from names.
#include "dialects/ingot/StepContract.h"
#include "passes/Passes.h"
#include "passes/decoder/CachedKeys.h"
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

using ir::tensorOf;

struct Layer {
  ir::ScaledDotProductAttentionOp op;
  CachedKeys keys, values;
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
    if (layer.q.rotary.width)
      for (Value &part : MutableArrayRef<Value>(parts).take_front(2))
        part = rotate(part, layer.k.rotary, op.getLoc());
    return ir::appendAndAttend(b, op.getLoc(), step, cache, parts[0], parts[1], parts[2], attention);
  }

  Value rotate(Value heads, const Rotary &rotary, Location loc) override {
    return ir::RopeOp::create(b, loc, heads, anglesOf(rotary, loc)).getResult();
  }
  int64_t limit() const override { return positions_; }

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
      if (known.inverse == rotary.inverse && known.factor == rotary.factor && known.original == rotary.original &&
          known.longInverse == rotary.longInverse && known.longFactor == rotary.longFactor)
        return value;
    auto type = RankedTensorType::get({int64_t(rotary.inverse.size())}, b.getF32Type());
    auto number = [&](double value) { return b.getF64FloatAttr(value); };
    auto kind = rotary.original ? ir::RopeKind::Longrope : ir::RopeKind::Fixed;
    auto beyond = rotary.original ? DenseElementsAttr::get(type, ArrayRef<float>(rotary.longInverse)) : DenseElementsAttr();
    Value made = ir::RopeAnglesOp::create(b, loc, step.argumentNamed("positions"), step.argumentNamed("sequence_starts"),
                                          step.argumentNamed("context_lengths"), ir::RopeKindAttr::get(b.getContext(), kind),
                                          DenseElementsAttr::get(type, ArrayRef<float>(rotary.inverse)), beyond,
                                          b.getI64IntegerAttr(rotary.original), number(10000), number(1), number(rotary.factor),
                                          number(rotary.longFactor))
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
    auto q = tensorOf(layer.op.getQuery()), v = tensorOf(layer.op.getValue());
    layer.heads = q.getDimSize(2);
    layer.size = q.getDimSize(3);
    if (v.getDimSize(3) != layer.size)
      return "keys have " + std::to_string(layer.size) + " elements a head and values " + std::to_string(v.getDimSize(3)) +
             "; the cache holds heads of one size";
    auto locate = [&](Value operand, CachedKeys &cached, int64_t &kvHeads) {
      if (graph.cached())
        return readCachedKeys(graph, operand, cached, kvHeads);
      return readGroups(operand, tensorOf(operand).getDimSize(2), layer.size, kvHeads);
    };
    if (std::string why = locate(layer.op.getKey(), layer.keys, layer.kvHeads); !why.empty())
      return "its keys: " + why;
    int64_t ofValues = 0;
    if (std::string why = locate(layer.op.getValue(), layer.values, ofValues); !why.empty())
      return "its values: " + why;
    for (const CachedKeys *cached : {&layer.keys, &layer.values})
      if (cached->room)
        positions = std::min(positions, cached->room);
    const Layer *before = first(/*source=*/false);
    if (ofValues != layer.kvHeads)
      return "it has " + std::to_string(layer.kvHeads) + " heads of keys and " + std::to_string(ofValues) + " of values";
    if (before && (before->kvHeads != layer.kvHeads || before->size != layer.size))
      return "its heads are of another number or size than those of the first layer";

    const int64_t limit = positions;
    if (std::string why = readHeads(
            graph, headsOf(layer.op.getQuery()), layer.heads, layer.size, limit, layer.q);
        !why.empty())
      return "its queries: " + why;
    auto fresh = [&](const CachedKeys &cached, Value operand) -> HeadElement {
      if (!graph.cached())
        return headsOf(operand, tensorOf(operand).getDimSize(2) / layer.kvHeads);
      return [&graph = graph, &cached](Elements &elements, int64_t past, int64_t position, int64_t h, int64_t i) {
        return elements.at(resultOf(graph, cached.result), cached.inResult(0, position, h, i, past));
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
    auto alike = [](ArrayRef<float> all, ArrayRef<float> others) {
      return all.size() == others.size() &&
             llvm::all_of(llvm::zip(all, others), [](auto both) { return std::fabs(std::get<0>(both) - std::get<1>(both)) <= 1e-5 * std::fabs(std::get<1>(both)); });
    };
    if (!alike(a.inverse, c.inverse) || !alike(a.longInverse, c.longInverse) || a.original != c.original)
      return "queries and keys are rotated by different angles";
    if (std::fabs(a.factor - c.factor) > 1e-6 * std::fabs(c.factor) || std::fabs(a.longFactor - c.longFactor) > 1e-4 * std::fabs(c.longFactor))
      return "queries and keys are rotated and multiplied by different numbers";
    for (int64_t end : {a.positions, c.positions})
      if (end)
        positions = std::min(positions, end);
    layer.scale = layer.op.getScale().convertToDouble() * layer.q.factor * layer.k.factor * layer.keys.factor;
    if (!(layer.scale > 0))
      return "its scores are multiplied by " + std::to_string(layer.scale);
    return checkTokens(layer);
  }

  // Heads of a token of an operand of attention; every group-th of them.
  HeadElement headsOf(Value operand, int64_t group = 1) {
    return [&graph = graph, operand, group](Elements &elements, int64_t past, int64_t position, int64_t h, int64_t i) {
      return elements.at(operand, {0, graph.firstToken(past) + position - past, h * group, i});
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
    if (std::string why = readHeads(graph, headsOf(layer.op.getQuery()), layer.heads, layer.size, positions, layer.q); !why.empty())
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
        for (const CachedKeys *cached : {&layer.keys, &layer.values})
          if (!check(elements->at(resultOf(graph, cached->result),
                                  cached->inResult(b, graph.samplePast() + s, layer.kvHeads - 1, layer.size - 1, graph.samplePast())),
                     b, s))
            return "its keys or values are not of their own token";
      }
    return "";
  }

  // What is added to a score; -infinity where attention itself hides the key. Nothing where that is no number.
  std::optional<double> added(Elements &elements, Layer &layer, int64_t b, int64_t h, int64_t s, int64_t t, int64_t past) {
    const double hidden = -std::numeric_limits<double>::infinity();
    elements.readTables(); // of biases
    // Attention's own mask counts from the last of its keys.
    const int64_t place = s + elements.shapeOf(layer.op.getKey())[1] - elements.shapeOf(layer.op.getQuery())[1] + graph.firstToken(past);
    if (layer.op.getCausal() && t > place)
      return hidden;
    if (int64_t window = int64_t(layer.op.getWindow()); window && std::abs(place - t) >= window)
      return hidden;
    if (Value lengths = layer.op.getLengths()) {
      Form length = elements.at(lengths, {b});
      if (!length.isNumber())
        return std::nullopt;
      if (double(t) >= length.constant)
        return hidden;
    }
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
      if (!elements->runs())
        continue;
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
            // Of a cache with room for more also some of what is behind the step.
            for (int64_t t = 0, all = elements->shapeOf(layer.op.getKey())[1]; t < all; t = t == past + steps ? std::max(t + 1, all - 1) : t + 1) {
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
    why = reader.read();
    // What an input with a number for each sequence counts shows where the graph is a decoder if it does.
    constexpr Role kCounts[] = {Role::Last, Role::First, Role::Count};
    const int64_t choices = graph.counts.size() > 3 ? 1 : int64_t(std::pow(3, graph.counts.size()));
    for (int64_t choice = 1; !why.empty() && choice < choices; ++choice) {
      int64_t rest = choice;
      for (BlockArgument count : graph.counts) {
        graph.roles[count] = kCounts[rest % 3];
        rest /= 3;
      }
      Reader another(graph, context);
      if (!another.read().empty())
        continue;
      why.clear();
      reader.layers = std::move(another.layers);
      reader.positions = another.positions;
    }
    if (!why.empty())
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
    if (graph.areHiddenStates(scores))
      return leave("'" + main.getResName(logits).str() + "' holds no logits, but the states that they would be computed from");
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
