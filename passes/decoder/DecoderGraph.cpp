// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See DecoderGraph.h.
#include "passes/decoder/DecoderGraph.h"
#include "passes/Locations.h"

using namespace mlir;

namespace ingot::passes {

namespace {

using ir::tensorOf;

// Sizes that differ from each other, from their sum and from their product.
constexpr int64_t kBatch = 2, kSteps = 3;

// What is computed from a value.
DenseSet<Value> computedFrom(Value value) {
  DenseSet<Value> found{value};
  SmallVector<Value> open{value};
  while (!open.empty())
    for (Operation *user : open.pop_back_val().getUsers())
      for (Value result : user->getResults())
        if (found.insert(result).second)
          open.push_back(result);
  return found;
}

// Inputs that a value is computed from, whatever stands between.
void addInputs(Value value, llvm::SetVector<BlockArgument> &found, DenseSet<Value> &seen) {
  SmallVector<Value> open{value};
  while (!open.empty()) {
    Value at = open.pop_back_val();
    if (!seen.insert(at).second)
      continue;
    if (auto argument = dyn_cast<BlockArgument>(at))
      found.insert(argument);
    else
      llvm::append_range(open, at.getDefiningOp()->getOperands());
  }
}

} // namespace

std::string nodeOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto entry = dyn_cast<ir::EntryOp>(argument.getOwner()->getParentOp());
    return entry ? "input '" + entry.getArgName(argument.getArgNumber()).str() + "'" : "an argument";
  }
  std::string name = nodeName(value.getLoc());
  return name.empty() ? "an op '" + value.getDefiningOp()->getName().stripDialect().str() + "'" : "'" + name + "'";
}

llvm::SetVector<BlockArgument> argumentsBehind(Value value) {
  llvm::SetVector<BlockArgument> found;
  SmallVector<Value> open{value};
  DenseSet<Value> seen;
  while (!open.empty()) {
    Value at = open.pop_back_val();
    if (!seen.insert(at).second)
      continue;
    if (auto argument = dyn_cast<BlockArgument>(at)) {
      found.insert(argument);
      continue;
    }
    Operation *op = at.getDefiningOp();
    if (at != value && isa<ir::LinearOp, ir::RmsNormOp, ir::LayerNormOp, ir::EmbeddingOp, ir::ScaledDotProductAttentionOp, ir::SoftmaxOp>(op))
      continue;
    llvm::append_range(open, op->getOperands());
  }
  return found;
}

bool DecoderGraph::find(std::string &why) {
  Block &body = entry.getBody().front();
  const auto all = llvm::to_vector(body.getOps<ir::ScaledDotProductAttentionOp>());
  if (all.empty())
    return false;
  // Keys and values that come from inputs.
  for (auto attention : all)
    for (Value operand : {attention.getKey(), attention.getValue()})
      for (BlockArgument argument : argumentsBehind(operand))
        if (isa<FloatType>(tensorOf(argument).getElementType()) && tensorOf(argument).getRank() >= 3)
          roles[argument] = Role::Past;
  hasPast = !roles.empty();
  if (!hasPast && !entry->getParentOp()->hasAttr("ingot.wants_decoder"))
    return false;
  if (!findIds()) {
    why = "no lookup of token ids was found";
    return false;
  }
  roles[ids] = Role::Ids;
  ofTokens = computedFrom(ids);
  bool attendsToSelf = false;
  for (auto attention : all) {
    if (ofTokens.contains(attention.getQuery()))
      attentions.push_back(attention);
    attendsToSelf |= ofTokens.contains(attention.getKey());
  }
  if (!attendsToSelf) {
    why = "no attention from tokens to tokens was found";
    return false;
  }
  return findSource(why) && findSymbols(why);
}

// The table of tokens has the most rows. An encoder may look up its own in the same: the decoder's have a row of results each.
bool DecoderGraph::findIds() {
  Block &body = entry.getBody().front();
  auto steps = [](Value value, unsigned dim) -> StringAttr {
    ir::Dim of = ir::dimOf(tensorOf(value), dim);
    return of.isDynamic() ? of.name : StringAttr();
  };
  int64_t most = 0;
  bool hasRows = false;
  for (auto lookup : body.getOps<ir::EmbeddingOp>()) {
    llvm::SetVector<BlockArgument> from = argumentsBehind(lookup.getTokens());
    if (from.size() != 1 || tensorOf(from[0]).getRank() > 2 || tensorOf(from[0]).getRank() == 0)
      continue;
    StringAttr own = steps(from[0], unsigned(tensorOf(from[0]).getRank() - 1));
    const bool rows = own && llvm::any_of(body.getTerminator()->getOperands(), [&](Value result) {
                        auto type = tensorOf(result);
                        return type.getRank() == 3 && isa<FloatType>(type.getElementType()) && steps(result, 1) == own;
                      });
    if (std::pair(rows, lookup.tableRows()) <= std::pair(hasRows, most))
      continue;
    ids = from[0];
    most = lookup.tableRows();
    hasRows = rows;
  }
  return ids != nullptr;
}

// What an encoder reads beside masks: token ids that are looked up, or features.
bool DecoderGraph::findSource(std::string &why) {
  DenseSet<Value> seen;
  for (auto attention : attentions)
    if (attendsToSource(attention))
      for (Value operand : {attention.getKey(), attention.getValue()})
        addInputs(operand, behindSource, seen);
  if (behindSource.empty())
    return true;
  for (BlockArgument argument : behindSource)
    if (auto role = roles.find(argument); role != roles.end() && role->second == Role::Past) {
      why = nodeOf(argument) + " holds keys or values of an encoder's results; compile the encoder's file with that of the decoder which "
                               "computes them";
      return false;
    }
  int64_t most = 0;
  llvm::SetVector<BlockArgument> read;
  for (auto lookup : entry.getBody().front().getOps<ir::EmbeddingOp>())
    if (llvm::SetVector<BlockArgument> from = argumentsBehind(lookup.getTokens()); from.size() == 1 && behindSource.contains(from[0])) {
      read.insert(from[0]);
      if (lookup.tableRows() > most) {
        most = lookup.tableRows();
        source = from[0];
      }
    }
  for (BlockArgument argument : behindSource)
    if (isa<FloatType>(tensorOf(argument).getElementType()) && tensorOf(argument).getRank() >= 3)
      read.insert(source = argument);
  if (!source) {
    why = "what its encoder reads was not found: neither token ids that are looked up nor features";
    return false;
  }
  for (BlockArgument argument : read)
    if (argument != source) {
      why = "its encoder reads " + nodeOf(argument) + " beside " + nodeOf(source) + "; expected one input";
      return false;
    }
  roles[source] = Role::Source;
  return true;
}

bool DecoderGraph::findSymbols(std::string &why) {
  auto nameOf = [&](BlockArgument argument) { return "input '" + entry.getArgName(argument.getArgNumber()).str() + "'"; };
  auto name = [&](BlockArgument argument, int64_t dim) -> StringRef {
    ir::Dim of = ir::dimOf(tensorOf(argument), unsigned(dim));
    return of.isDynamic() && of.name ? of.name.getValue() : StringRef();
  };
  auto take = [&](BlockArgument argument, int64_t dim, Size size) {
    if (StringRef symbol = name(argument, dim); !symbol.empty())
      symbols.try_emplace(symbol, size);
  };
  auto idsType = tensorOf(ids);
  if (idsType.getRank() == 1) {
    fixedBatch = 1;
    take(ids, 0, Size::Steps);
  } else {
    take(ids, 0, Size::Batch);
    take(ids, 1, Size::Steps);
    if (!idsType.isDynamicDim(0))
      fixedBatch = idsType.getDimSize(0);
  }
  if (!idsType.isDynamicDim(idsType.getRank() - 1))
    fixedSteps = idsType.getDimSize(idsType.getRank() - 1);
  if ((fixedBatch && *fixedBatch != 1) || (fixedSteps && (*fixedSteps != 1 || !hasPast))) {
    why = nameOf(ids) + " has fixed dimensions; expected one token, or dynamic ones";
    return false;
  }
  // An encoder's dimensions, but for the batch.
  for (BlockArgument argument : behindSource)
    for (int64_t i = 0; i < tensorOf(argument).getRank(); ++i)
      take(argument, i, i == 0 && tensorOf(argument).getRank() > 1 ? Size::Batch : Size::Source);
  // A dimension that a result has as well is one of room for all positions; else results are longer by the step.
  auto stays = [&](StringRef symbol) {
    return llvm::any_of(entry.getBody().front().getTerminator()->getOperands(), [&](Value result) {
      return llvm::any_of(ir::dimsOf(tensorOf(result)), [&](const ir::Dim &dim) { return dim.isDynamic() && dim.name && dim.name.getValue() == symbol; });
    });
  };
  for (BlockArgument argument : entry.getBody().getArguments())
    if (auto role = roles.find(argument); role != roles.end() && role->second == Role::Past)
      for (int64_t i = 0; i < tensorOf(argument).getRank(); ++i) {
        // Batch comes first where it has a name of its own.
        StringRef symbol = name(argument, i);
        if (!symbol.empty() && !symbols.count(symbol))
          symbols[symbol] = i == 0 && !fixedBatch ? Size::Batch : stays(symbol) ? Size::Room : Size::Past;
      }
  for (BlockArgument argument : entry.getBody().getArguments()) {
    if (roles.count(argument) || argument.use_empty())
      continue;
    auto type = tensorOf(argument);
    const int64_t rank = type.getRank();
    const bool isFloat = isa<FloatType>(type.getElementType()), isBool = type.getElementType().isInteger(1);
    // The dimensions that no other input has: of masks, the last is that of all positions, the first that of the batch.
    for (int64_t i = rank; i-- > 0;) {
      StringRef symbol = name(argument, i);
      if (symbol.empty() || symbols.count(symbol))
        continue;
      symbols[symbol] = i == 0 && rank > 1 ? Size::Batch : i == rank - 1 ? Size::Total : Size::Steps;
    }
    auto sizeIs = [&](int64_t dim, Size size) {
      StringRef symbol = name(argument, dim);
      return !symbol.empty() && symbols.count(symbol) && symbols[symbol] == size;
    };
    const bool lastIsSteps = rank > 0 && (sizeIs(rank - 1, Size::Steps) || (fixedSteps && type.getDimSize(rank - 1) == *fixedSteps));
    const bool isRoom = rank > 0 && !lastIsSteps && !behindSource.contains(argument) &&
                        (sizeIs(rank - 1, Size::Room) || (!type.isDynamicDim(unsigned(rank - 1)) && type.getDimSize(unsigned(rank - 1)) > 1));
    if (rank == 0 || (rank == 1 && type.getDimSize(0) == 1)) {
      roles[argument] = isBool ? Role::True : Role::Last;
    } else if (rank >= 3) {
      roles[argument] = isFloat ? Role::CausalBias : isBool ? Role::CausalMask : Role::Ones;
    } else if (isRoom) {
      roles[argument] = Role::Filled;
    } else if (rank == 1) {
      roles[argument] = sizeIs(0, Size::Batch) ? Role::Last : lastIsSteps ? Role::Positions : Role::Ones;
    } else {
      roles[argument] = lastIsSteps && !isFloat && !isBool ? Role::Positions : Role::Ones;
    }
  }
  for (BlockArgument argument : entry.getBody().getArguments())
    if (auto role = roles.find(argument); role != roles.end() && role->second == Role::Last)
      counts.push_back(argument);
  // An encoder runs for one sequence without padding: what it reads beside its source must be masks.
  for (BlockArgument argument : behindSource)
    if (Role role = roles.lookup(argument); argument != source && role != Role::Ones) {
      why = "its encoder reads " + nameOf(argument) + " beside " + nameOf(source) + ", and it is no mask [batch, positions]";
      return false;
    }
  sample = sampleStep();
  return true;
}

std::unique_ptr<Elements> DecoderGraph::step(int64_t batch, int64_t steps, int64_t past, int64_t source) {
  batch = fixedBatch.value_or(batch);
  steps = fixedSteps.value_or(steps);
  if (!hasPast) { // all tokens from the first on
    steps += past;
    past = 0;
  }
  llvm::StringMap<int64_t> sizes;
  for (const auto &symbol : symbols) {
    switch (symbol.second) {
    case Size::Batch:
      sizes[symbol.first()] = batch;
      break;
    case Size::Steps:
      sizes[symbol.first()] = steps;
      break;
    case Size::Past:
      sizes[symbol.first()] = past;
      break;
    case Size::Total:
      sizes[symbol.first()] = past + steps;
      break;
    case Size::Room:
      sizes[symbol.first()] = (past + steps + 16) / 6 * 6 + 7; // no multiple of other sizes
      break;
    case Size::Source:
      sizes[symbol.first()] = source;
      break;
    }
  }
  return std::make_unique<Elements>(
      sources, sizes,
      [this, past, steps](BlockArgument argument, ArrayRef<int64_t> indices) -> std::optional<double> {
        auto role = roles.find(argument);
        if (role == roles.end())
          return std::nullopt;
        const int64_t last = indices.empty() ? 0 : indices.back();
        switch (role->second) {
        case Role::Ids:
          return double(idAt(indices.size() > 1 ? indices[0] : 0, last));
        case Role::Past:
        case Role::Source:
          return std::nullopt;
        case Role::Positions:
          return double(past + last);
        case Role::Ones:
        case Role::True:
          return 1.0;
        case Role::Filled:
          return double(last < past + steps);
        case Role::Last:
          return double(past + steps - 1);
        case Role::First:
          return double(past);
        case Role::Count:
          return double(past + steps);
        case Role::CausalBias:
        case Role::CausalMask: {
          const bool seen = last <= past + indices[indices.size() - 2];
          return role->second == Role::CausalMask ? double(seen) : seen ? 0.0 : -3.4e38;
        }
        }
        return std::nullopt;
      });
}

DecoderGraph::Tokens DecoderGraph::tokensOf(Value value) {
  Tokens tokens;
  const int64_t batch = fixedBatch.value_or(kBatch), steps = fixedSteps.value_or(kSteps);
  for (auto [i, dim] : llvm::enumerate(ir::dimsOf(tensorOf(value)))) {
    if (!dim.isDynamic())
      continue;
    const int64_t size = sample->sizeOf(dim);
    if (size == batch && !fixedBatch && tokens.batch < 0)
      tokens.batch = int64_t(i);
    else if (size == steps && !fixedSteps && tokens.steps < 0)
      tokens.steps = int64_t(i);
    else if ((tokens.batch >= 0 || fixedBatch) && size % steps == 0 && !fixedSteps && tokens.inner() < 0) {
      tokens.steps = int64_t(i);
      tokens.heads = size / steps;
    } else if (size % (batch * steps) == 0 && tokens.inner() < 0 && tokens.batch < 0) {
      tokens.rows = int64_t(i);
      tokens.heads = size / (batch * steps);
    }
  }
  return tokens;
}

bool DecoderGraph::isOfStep(Value value) {
  Tokens tokens = tokensOf(value);
  if (tokens.batch >= 0 || tokens.inner() >= 0)
    return true;
  if (!fixedBatch || !fixedSteps)
    return false;
  if (ofInputs.empty())
    for (BlockArgument argument : entry.getBody().getArguments())
      for (Value from : computedFrom(argument))
        ofInputs.insert(from);
  return ofInputs.contains(value);
}

bool DecoderGraph::areHiddenStates(Value result) {
  while (Operation *op = result.getDefiningOp()) {
    if (isa<ir::RmsNormOp, ir::LayerNormOp>(op))
      return true;
    if (!isa<ir::ScalarBodyInterface, ir::ReshapeOp, ir::TransposeOp, ir::CastOp>(op))
      return false;
    SmallVector<Value> ofStep;
    for (Value operand : op->getOperands())
      if (isOfStep(operand) && !llvm::is_contained(ofStep, operand))
        ofStep.push_back(operand);
    if (ofStep.size() != 1)
      return isa<ir::AddOp>(op) && ofStep.size() == 2; // a layer's result beside what it was given
    result = ofStep[0];
  }
  return false;
}

DecoderGraph::Place DecoderGraph::placeOf(Elements &elements, Value tensor, int64_t number) {
  Tokens tokens = tokensOf(tensor);
  SmallVector<int64_t> at = elements.indicesOf(tensor, number), all = elements.shapeOf(tensor);
  Place place;
  for (int64_t i = 0; i < int64_t(at.size()); ++i) {
    if (!tokens.has(i)) {
      place.column = place.column * all[size_t(i)] + at[size_t(i)];
      continue;
    }
    int64_t token = at[size_t(i)];
    if (i == tokens.inner()) {
      place.column = place.column * tokens.heads + token % tokens.heads;
      token /= tokens.heads;
    }
    (i == tokens.batch ? place.batch : i == tokens.steps ? place.step : place.row) = token;
  }
  return place;
}

std::optional<SmallVector<int64_t>> DecoderGraph::restOf(Value value) {
  Tokens tokens = tokensOf(value);
  SmallVector<int64_t> rest;
  auto type = tensorOf(value);
  for (int64_t i = 0; i < type.getRank(); ++i) {
    if (i == tokens.inner() && tokens.heads > 1)
      rest.push_back(tokens.heads);
    if (tokens.has(i))
      continue;
    if (type.isDynamicDim(unsigned(i)))
      return std::nullopt;
    rest.push_back(type.getDimSize(unsigned(i)));
  }
  return rest;
}

} // namespace ingot::passes
