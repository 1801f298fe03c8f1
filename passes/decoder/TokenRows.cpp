// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See TokenRows.h.
#include "passes/decoder/TokenRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace ingot::passes {

namespace {

using ir::tensorOf;

// Rows of this many columns are moved column by column only where they are not seen to be the same rows.
constexpr int64_t kMostColumns = 1 << 20;

} // namespace

RankedTensorType TokenRows::rowsType(ArrayRef<int64_t> rest) {
  SmallVector<ir::Dim> dims{ir::dimOf(tensorOf(step.argumentNamed("tokens")), 0)};
  for (int64_t size : rest)
    dims.push_back(ir::Dim(size));
  return ir::tensorType(dims, b.getF32Type());
}

SmallVector<int64_t> TokenRows::restOf(Value rows) { return SmallVector<int64_t>(tensorOf(rows).getShape().drop_front()); }

Value TokenRows::reshaped(Value rows, ArrayRef<int64_t> rest) {
  if (ArrayRef<int64_t>(restOf(rows)) == rest)
    return rows;
  return ir::ReshapeOp::create(b, rows.getLoc(), rowsType(rest), rows);
}

std::optional<int64_t> TokenRows::axisOf(Value value, int64_t axis) {
  DecoderGraph::Tokens tokens = graph.tokensOf(value);
  if (tokens.has(axis))
    return std::nullopt;
  int64_t at = 1;
  for (int64_t i = 0; i < axis; ++i)
    at += !tokens.has(i) || (i == tokens.inner() && tokens.heads > 1);
  return at;
}

Value TokenRows::rowsOf(Value value) {
  if (auto found = written.find(value); found != written.end())
    return found->second;
  Value rows = write(value);
  if (!rows)
    fail(nodeOf(value) + " is not computed token by token");
  written[value] = rows;
  return rows;
}

Value TokenRows::write(Value value) {
  if (!isa<FloatType>(tensorOf(value).getElementType()))
    return fail(nodeOf(value) + " is of integers that are no token ids or positions");
  if (auto argument = dyn_cast<BlockArgument>(value))
    return fail(nodeOf(value) + " is neither token ids, positions, a mask nor keys and values of earlier positions");
  auto rest = graph.restOf(value);
  if (!rest)
    return fail("a dimension of " + nodeOf(value) + " is neither that of batch nor of tokens");
  if (!graph.isOfStep(value))
    return repeated(value, *rest);
  if (Value rows = turned(value); rows || !reason.empty())
    return rows;
  Operation *op = value.getDefiningOp();
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<ir::ScaledDotProductAttentionOp>([&](auto attention) -> Value {
        Value rows = attend(attention);
        return rows ? reshaped(rows, *rest) : Value();
      })
      .Case<ir::EmbeddingOp>([&](auto embedding) { return lookUp(embedding); })
      .Case<ir::LinearOp>([&](auto linear) -> Value {
        Value input = rowsOf(linear.getInput());
        if (!input)
          return {};
        const int64_t depth = tensorOf(linear.getInput()).getShape().back();
        if (llvm::product_of(restOf(input)) != depth)
          return fail(nodeOf(value) + " multiplies several rows of a token");
        Value flat = reshaped(input, {depth});
        Value weight = parameter(linear.getWeight()), bias = parameter(linear.getBias());
        if (!weight || (linear.getBias() && !bias))
          return {};
        return reshaped(product(linear, flat, weight, bias), *rest);
      })
      .Case<ir::RmsNormOp>([&](auto norm) -> Value {
        if (!axisOf(value, tensorOf(value).getRank() - 1))
          return {};
        Value input = rowsOf(norm.getInput());
        return input ? ir::RmsNormOp::create(b, norm.getLoc(), input, parameter(norm.getGamma()), norm.getEpsAttr()).getResult() : Value();
      })
      .Case<ir::LayerNormOp>([&](auto norm) -> Value {
        if (!axisOf(value, tensorOf(value).getRank() - 1))
          return {};
        Value input = rowsOf(norm.getInput());
        return input ? ir::LayerNormOp::create(b, norm.getLoc(), input, parameter(norm.getGamma()), parameter(norm.getBeta()), norm.getEpsAttr()).getResult()
                     : Value();
      })
      .Case<ir::SoftmaxOp>([&](auto softmax) -> Value {
        auto axis = axisOf(value, int64_t(softmax.getAxis()));
        Value input = axis ? rowsOf(softmax.getInput()) : Value();
        return input ? ir::SoftmaxOp::create(b, softmax.getLoc(), input, b.getI64IntegerAttr(*axis)).getResult() : Value();
      })
      .Case<ir::ReduceOp>([&](auto reduce) -> Value {
        auto axis = axisOf(reduce.getInput(), int64_t(reduce.getAxis()));
        Value input = axis ? rowsOf(reduce.getInput()) : Value();
        return input ? ir::ReduceOp::create(b, reduce.getLoc(), input, reduce.getKindAttr(), b.getI64IntegerAttr(*axis),
                                            reduce.getKeepAxisAttr())
                           .getResult()
                     : Value();
      })
      .Case<ir::CastOp>([&](auto cast) { return rowsOf(cast.getInput()); }) // floats: rows are f32 throughout
      .Case<ir::BroadcastOp>([&](auto broadcastOp) { return broadcast(value, broadcastOp.getInput()); })
      .Case<ir::ReshapeOp>([&](auto reshape) -> Value {
        // Rows under another shape, where tokens come first in both, but for dimensions of 1.
        auto first = [&](Value of) {
          DecoderGraph::Tokens tokens = graph.tokensOf(of);
          int64_t count = 0;
          for (int64_t i = 0; i < tensorOf(of).getRank() && (tokens.has(i) || tensorOf(of).getDimSize(unsigned(i)) == 1); ++i)
            count += tokens.has(i);
          int64_t all = (tokens.batch >= 0) + (tokens.steps >= 0) + (tokens.rows >= 0);
          return count == all && graph.isOfStep(of);
        };
        Value input = reshape.getInput();
        auto before = graph.restOf(input);
        if (!before || !first(input) || !first(value) || llvm::product_of(*before) != llvm::product_of(*rest))
          return moved(value);
        Value rows = rowsOf(input);
        return rows ? reshaped(rows, *rest) : Value();
      })
      .Case<ir::ComputeOp>([&](auto computeOp) -> Value {
        Value rows = moved(value);
        if (!rows && reason.empty())
          if (auto cut = cutByPosition(graph, computeOp))
            rows = rowsByPosition(*cut, 1, computeOp.getLoc());
        if (rows || !reason.empty())
          return rows;
        return compute(computeOp);
      })
      .Default([&](Operation *other) -> Value {
        if (auto select = dyn_cast<ir::SelectOp>(other)) {
          Value rows = moved(value), condition = rows || !reason.empty() ? Value() : this->condition(select.getCondition());
          if (!condition)
            return rows;
          Value yes = rowsOf(select.getOnTrue()), no = yes ? rowsOf(select.getOnFalse()) : Value();
          return no ? ir::SelectOp::create(b, select.getLoc(), yes.getType(), condition, yes, no).getResult() : Value();
        }
        if (isa<ir::ScalarBodyInterface>(other) && !isa<ir::CompareOp>(other))
          return elementwise(other);
        return moved(value);
      });
}

Value TokenRows::lookUp(ir::EmbeddingOp op) {
  const LookedUp found = lookedUp(graph, *sample, op);
  if (!found.problem.empty())
    return fail(nodeOf(op.getResult()) + found.problem);
  if (found.rows)
    return rowsByPosition(*found.rows, op.getScale().convertToDouble(), op.getLoc());
  return ir::EmbeddingOp::create(b, op.getLoc(), step.argumentNamed("tokens"), parameter(op.getTable()), step.argumentNamed("previous_ids"), Value(),
                                 Value(), op.getScaleAttr(), /*emit_stats=*/nullptr, /*layout=*/nullptr, /*n=*/nullptr, /*k=*/nullptr)
      .getResult();
}

Value TokenRows::rowsByPosition(const PositionRows &rows, double scale, Location loc) {
  const auto [table, offset] = rows;
  const int64_t known = tensorOf(table).getDimSize(0) - offset;
  most = most ? std::min(most, known) : known;
  Value positions = step.argumentNamed("positions");
  auto type = ir::tensorType({ir::dimOf(tensorOf(positions), 1)}, b.getI32Type());
  Value flat = ir::ReshapeOp::create(b, loc, type, positions);
  if (offset != 0) {
    auto made = ir::ComputeOp::create(b, loc, type, ValueRange{flat}, ir::ReduceKindAttr(), b.getStrArrayAttr({}));
    OpBuilder::InsertionGuard guard(b);
    Block *body = b.createBlock(&made.getBody(), {}, {type, b.getIndexType()}, {loc, loc});
    Value element = ir::ElementOp::create(b, loc, b.getI32Type(), body->getArgument(0), ValueRange{body->getArgument(1)});
    Value number = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(int32_t(offset)));
    ir::YieldOp::create(b, loc, arith::AddIOp::create(b, loc, element, number));
    flat = made.getResult();
  }
  return ir::EmbeddingOp::create(b, loc, flat, parameter(table), Value(), Value(), Value(), b.getF64FloatAttr(scale), /*emit_stats=*/nullptr,
                                 /*layout=*/nullptr, /*n=*/nullptr, /*k=*/nullptr)
      .getResult();
}

Value TokenRows::parameter(Value value) {
  if (!value)
    return value;
  if (auto found = written.find(value); found != written.end())
    return found->second;
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumResults() != 1 || !tensorOf(value).hasStaticShape())
    return fail(nodeOf(value) + " is no parameter");
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    Value made = parameter(operand);
    if (!made)
      return {};
    mapping.map(operand, made);
  }
  Value made;
  // Numbers in the graph are f32, as rows are.
  auto constant = dyn_cast<ir::ConstantOp>(op);
  auto elements = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue()) : DenseFPElementsAttr();
  if (elements && !elements.getElementType().isF32()) {
    SmallVector<float> numbers;
    for (llvm::APFloat number : elements.getValues<llvm::APFloat>())
      numbers.push_back(float(number.convertToDouble()));
    auto type = ir::tensorType(ir::dimsOf(tensorOf(value)), b.getF32Type());
    made = ir::ConstantOp::create(b, op->getLoc(), type, DenseElementsAttr::get(type, ArrayRef<float>(numbers)));
  } else if (op->getNumOperands() == 1 && isa<ir::CastOp>(op) && mapping.lookup(op->getOperand(0)).getType() == value.getType()) {
    made = mapping.lookup(op->getOperand(0));
  } else {
    made = b.clone(*op, mapping)->getResult(0);
    // What moves such numbers moves f32.
    if (isa<ir::ReshapeOp, ir::TransposeOp, ir::BroadcastOp>(op))
      made.setType(tensorOf(made).clone(tensorOf(mapping.lookup(op->getOperand(0))).getElementType()));
  }
  written[value] = made;
  return made;
}

Value TokenRows::condition(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<ir::ScalarBodyInterface>(op) || isa<ir::SelectOp>(op) || !graph.isOfStep(value) || !graph.restOf(value))
    return {};
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    Value rows = tensorOf(operand).getElementType().isInteger(1) ? condition(operand) : isa<FloatType>(tensorOf(operand).getElementType()) ? rowsOf(operand) : Value();
    if (!rows)
      return {};
    operands.push_back(rows);
  }
  OperationState state(op->getLoc(), op->getName(), operands, tensorOf(operands[0]).clone(b.getI1Type()), op->getAttrs());
  return b.create(state)->getResult(0);
}

Value TokenRows::elementwise(Operation *op) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    Value rows = rowsOf(operand);
    if (!rows)
      return {};
    operands.push_back(rows);
  }
  OperationState state(op->getLoc(), op->getName(), operands, operands[0].getType(), op->getAttrs());
  return b.create(state)->getResult(0);
}

// A parameter, the same for each token.
Value TokenRows::repeated(Value value, ArrayRef<int64_t> rest) {
  Value source = parameter(value);
  if (!source)
    return {};
  if (!tensorOf(source).getElementType().isF32())
    source = ir::CastOp::create(b, value.getLoc(), ir::tensorType(ir::dimsOf(tensorOf(source)), b.getF32Type()), source);
  return ir::BroadcastOp::create(b, value.getLoc(), rowsType(rest), source);
}

Value TokenRows::broadcast(Value value, Value input) {
  SmallVector<int64_t> rest = *graph.restOf(value);
  RankedTensorType type = rowsType(rest);
  Value source = input;
  SmallVector<int64_t> dims;
  if (!graph.isOfStep(input)) {
    source = parameter(input);
    if (!source)
      return {};
    // A parameter; dimensions of 1 where the result has tokens go.
    DecoderGraph::Tokens tokens = graph.tokensOf(value);
    auto from = tensorOf(input);
    if (tokens.heads > 1)
      return fail(nodeOf(value) + " repeats a parameter for heads that stand in one dimension with tokens");
    const int64_t skip = tensorOf(value).getRank() - from.getRank();
    for (int64_t i = 0; i < from.getRank(); ++i)
      if (!tokens.has(i + skip))
        dims.push_back(from.getDimSize(unsigned(i)));
    auto flat = ir::tensorType(SmallVector<ir::Dim>(dims.begin(), dims.end()), tensorOf(source).getElementType());
    if (flat != source.getType())
      source = ir::ReshapeOp::create(b, value.getLoc(), flat, source);
    if (!tensorOf(source).getElementType().isF32())
      source = ir::CastOp::create(b, value.getLoc(), ir::tensorType(ir::dimsOf(flat), b.getF32Type()), source);
    return source.getType() == type ? source : Value(ir::BroadcastOp::create(b, value.getLoc(), type, source));
  }
  source = rowsOf(input);
  if (!source)
    return {};
  // Those beside tokens; where the result has tokens, one of 1 goes.
  DecoderGraph::Tokens own = graph.tokensOf(input), tokens = graph.tokensOf(value);
  auto from = tensorOf(input);
  const int64_t skip = tensorOf(value).getRank() - from.getRank();
  for (int64_t i = 0; i < from.getRank(); ++i) {
    if (i == own.inner() && own.heads > 1)
      dims.push_back(own.heads);
    if (!own.has(i) && !(tokens.has(i + skip) && from.getDimSize(unsigned(i)) == 1))
      dims.push_back(from.getDimSize(unsigned(i)));
  }
  if (dims.size() > rest.size() || llvm::product_of(dims) != llvm::product_of(restOf(source)))
    return fail(nodeOf(value) + " does not repeat values of a token for the same token");
  dims.insert(dims.begin(), rest.size() - dims.size(), 1);
  source = reshaped(source, dims);
  return source.getType() == type ? source : Value(ir::BroadcastOp::create(b, value.getLoc(), type, source));
}

// An op that moves elements about, whatever it is.
Value TokenRows::moved(Value value) {
  DecoderGraph::Tokens tokens = graph.tokensOf(value);
  SmallVector<int64_t> rest = *graph.restOf(value), shape = sample->shapeOf(value);
  const int64_t count = llvm::product_of(rest);
  if (count == 0 || count > kMostColumns)
    return {};
  const int64_t batch = graph.fixedBatch.value_or(2), steps = graph.fixedSteps.value_or(3);
  Value source;
  SmallVector<int64_t> columns;
  SmallVector<int64_t> indices(shape.size());
  for (int64_t n = 0; n < count; ++n) {
    int64_t left = n;
    for (size_t i = shape.size(); i-- > 0;) {
      if (int64_t(i) == tokens.inner()) {
        indices[i] = shape[i] - tokens.heads + left % tokens.heads;
        left /= tokens.heads;
        continue;
      }
      if (tokens.has(int64_t(i))) {
        indices[i] = shape[i] - 1; // the last token of the last sequence
        continue;
      }
      indices[i] = left % shape[i];
      left /= shape[i];
    }
    Form form = sample->at(value, indices);
    if (!form.isElement() || form.terms[0].factor != 1)
      return {};
    Value from = form.terms[0].tensor;
    if (from == value)
      return {};
    if (source && source != from)
      return {};
    source = from;
    DecoderGraph::Tokens own = graph.tokensOf(source);
    auto ofSource = graph.restOf(source);
    if (!graph.isOfStep(source) || !ofSource)
      return {};
    const DecoderGraph::Place place = graph.placeOf(*sample, source, form.terms[0].index);
    if ((own.batch >= 0 && place.batch != batch - 1) || (own.steps >= 0 && place.step != steps - 1) ||
        (own.rows >= 0 && place.row != batch * steps - 1))
      return {};
    columns.push_back(place.column);
  }
  Value rows = rowsOf(source);
  return rows ? columnsOf(rows, columns, rest, value.getLoc()) : Value();
}

// A computation by elements that reads, of values with tokens, those of its own token.
Value TokenRows::compute(ir::ComputeOp op) {
  DecoderGraph::Tokens tokens = graph.tokensOf(op.getResult());
  if (tokens.heads > 1 || llvm::any_of(op.getInputs(), [&](Value input) { return graph.tokensOf(input).heads > 1; }))
    return {};
  Block &body = op.getBody().front();
  const unsigned inputs = unsigned(op.getInputs().size());
  SmallVector<Value> values;
  for (Value input : op.getInputs()) {
    Value rows = !graph.isOfStep(input) ? parameter(input) : isa<FloatType>(tensorOf(input).getElementType()) ? rowsOf(input) : Value();
    if (!rows)
      return {};
    values.push_back(rows);
  }
  for (Attribute extent : op.getExtents()) {
    int64_t number;
    if (cast<StringAttr>(extent).getValue().getAsInteger(10, number))
      return {};
  }
  auto made = ir::ComputeOp::create(b, op.getLoc(), rowsType(*graph.restOf(op.getResult())), values, op.getReduceAttr(), op.getExtentsAttr());
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> types;
  for (Value value : values)
    types.push_back(value.getType());
  const unsigned rank = unsigned(tensorOf(op.getResult()).getRank());
  unsigned loops = 1;
  for (unsigned i = inputs; i < body.getNumArguments(); ++i)
    loops += i - inputs >= rank || !tokens.has(int64_t(i - inputs));
  types.append(loops, b.getIndexType());
  Block *written_ = b.createBlock(&made.getBody(), {}, types, SmallVector<Location>(types.size(), op.getLoc()));
  IRMapping mapping;
  DenseSet<Value> ofTokens;
  for (unsigned i = 0; i < inputs; ++i)
    mapping.map(body.getArgument(i), written_->getArgument(i));
  for (unsigned i = inputs, next = inputs + 1; i < body.getNumArguments(); ++i) {
    if (i - inputs < rank && tokens.has(int64_t(i - inputs)))
      ofTokens.insert(body.getArgument(i));
    else
      mapping.map(body.getArgument(i), written_->getArgument(next++));
  }
  Value token = written_->getArgument(inputs);
  bool good = true;
  for (Operation &inner : body.getOperations()) {
    auto element = dyn_cast<ir::ElementOp>(inner);
    Value from = element ? op.getInputs()[cast<BlockArgument>(element.getTensor()).getArgNumber()] : Value();
    if (element && graph.isOfStep(from)) {
      DecoderGraph::Tokens own = graph.tokensOf(from);
      SmallVector<Value> indices{token};
      for (auto [i, index] : llvm::enumerate(element.getIndices())) {
        if (!own.has(int64_t(i))) {
          good &= !ofTokens.contains(index);
          if (good)
            indices.push_back(mapping.lookup(index));
          continue;
        }
        auto argument = dyn_cast<BlockArgument>(index);
        const int64_t loop = argument ? int64_t(argument.getArgNumber() - inputs) : -1;
        good &= argument && ((int64_t(i) == own.batch && loop == tokens.batch) || (int64_t(i) == own.steps && loop == tokens.steps) ||
                             (int64_t(i) == own.rows && loop == tokens.rows));
      }
      if (!good)
        break;
      Value tensor = mapping.lookup(element.getTensor());
      Value read = ir::ElementOp::create(b, op.getLoc(), b.getF32Type(), tensor, indices);
      if (element.getType() != read.getType())
        read = arith::TruncFOp::create(b, op.getLoc(), element.getType(), read);
      mapping.map(element.getResult(), read);
      continue;
    }
    for (Value operand : inner.getOperands())
      good &= !ofTokens.contains(operand);
    if (isa<ir::SizeOp>(inner))
      good = false;
    if (!good)
      break;
    if (auto yield = dyn_cast<ir::YieldOp>(inner)) {
      Value result = mapping.lookup(yield.getValue());
      if (!result.getType().isF32())
        result = result.getType().isF64() ? Value(arith::TruncFOp::create(b, op.getLoc(), b.getF32Type(), result))
                                          : Value(arith::ExtFOp::create(b, op.getLoc(), b.getF32Type(), result));
      ir::YieldOp::create(b, op.getLoc(), result);
      continue;
    }
    b.clone(inner, mapping);
  }
  if (!good) {
    made->erase();
    return {};
  }
  return made.getResult();
}

} // namespace ingot::passes
