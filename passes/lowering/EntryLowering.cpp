// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An entry's ops to launches (see EntryLowering.h). Operands of each launch stand in the order that
// compiler/target/cpu/kernels/params.h states for the template.
//
// A value is a buffer of rows. Rows that only products read may be padded: `stride` elements apart, with zeros behind
// the last column, as their packed weights want them; all others lie side by side.
#include "passes/lowering/EntryLowering.h"
#include "compiler/target/cpu/kernels/params.h"
#include "passes/Locations.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace ingot::passes {

namespace {

RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }
int64_t roundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }
int64_t lastDim(Value value) { return tensorOf(value).getShape().back(); }
Type elementOf(Value value) { return tensorOf(value).getElementType(); }

// How a linear wants the rows of its input: their type, and how far apart they must be at least. What lies behind the
// last column must be zero for weights that are packed in steps of 32.
struct RowForm {
  Type element;
  int64_t stride;
};

Type computeOf(ir::LinearOp linear) { return linear.getCompute().value_or(elementOf(linear.getWeight())); }

RowForm wantedForm(ir::LinearOp linear) {
  int64_t k = linear.depth();
  return {computeOf(linear), linear.getLayout() == "n16k2" ? roundUp(k, 32) : k};
}

int64_t layoutNumber(std::optional<StringRef> layout) {
  return !layout ? INGOT_ROW_MAJOR : *layout == "n16k" ? INGOT_N16K : INGOT_N16K2;
}

int64_t activationNumber(std::optional<ir::Activation> activation) {
  if (!activation)
    return INGOT_ACT_NONE;
  switch (*activation) {
  case ir::Activation::Silu:
    return INGOT_ACT_SILU;
  case ir::Activation::Gelu:
    return INGOT_ACT_GELU;
  case ir::Activation::GeluTanh:
    return INGOT_ACT_GELU_TANH;
  case ir::Activation::Relu:
    return INGOT_ACT_RELU;
  }
  llvm_unreachable("all activations are numbered");
}

class EntryLowering {
public:
  EntryLowering(ir::EntryOp entry, plan::ProgramOp program, ProgramTables &tables)
      : entry(entry), program(program), tables(tables), builder(entry.getContext()) {}

  LogicalResult run() {
    builder.setInsertionPointToEnd(&program.getBody().front());
    auto plan = plan::EntryOp::create(builder, entry.getLoc(), entry.getSymName(), entry.getFunctionType(),
                                      entry.getArgNames(), entry.getResNames());
    builder.setInsertionPointToEnd(&plan.getBody().front());
    for (auto [index, argument] : llvm::enumerate(entry.getBody().getArguments()))
      buffers[argument] =
          plan::InputOp::create(builder, entry.getLoc(), bufferType(), builder.getStringAttr(entry.getArgName(index)));
    if (failed(nameOutputs()))
      return failure();
    for (Operation &op : entry.getBody().front())
      if (failed(lower(&op)))
        return failure();
    return success();
  }

private:
  // --- Buffers.

  Type bufferType() { return plan::BufferType::get(builder.getContext()); }

  // The value whose buffer `value` lies in: reshapes move nothing, and rope_append works where its rows stand.
  static Value originOf(Value value) {
    while (true) {
      if (auto reshape = value.getDefiningOp<ir::ReshapeOp>())
        value = reshape.getInput();
      else if (auto append = value.getDefiningOp<ir::RopeAppendOp>(); append && value == append.getResult())
        value = append.getQkv();
      else
        return value;
    }
  }

  LogicalResult nameOutputs() {
    Operation *terminator = entry.getBody().front().getTerminator();
    for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
      Value origin = originOf(value);
      if (isa<BlockArgument>(origin) || ir::isRecipe(origin) || buffers.contains(origin))
        return entry.emitOpError() << "result '" << entry.getResName(index)
                                   << "' is an argument, a weight or another result; run ingot-lower-general-ops, "
                                      "which copies it";
      buffers[origin] = plan::OutputOp::create(builder, terminator->getLoc(), bufferType(),
                                               builder.getStringAttr(entry.getResName(index)));
    }
    return success();
  }

  // Elements from one row of `value` to the next.
  static int64_t strideOf(Value value) {
    if (tensorOf(value).getRank() == 0)
      return 1;
    int64_t columns = lastDim(value), stride = columns;
    if (tensorOf(value).getRank() != 2 || !isa_and_nonnull<ir::LinearOp, ir::AttentionOp>(value.getDefiningOp()) ||
        value != value.getDefiningOp()->getResult(0))
      return columns;
    for (OpOperand &use : value.getUses()) {
      auto linear = dyn_cast<ir::LinearOp>(use.getOwner());
      if (!linear || use.getOperandNumber() != 0 || linear.getNormStats() || linear.getResidual() == value ||
          wantedForm(linear).element != elementOf(value))
        return columns;
      stride = std::max(stride, wantedForm(linear).stride);
    }
    return stride;
  }

  // A temporary for a tensor of these dimensions, its rows `stride` elements apart (rank 2 and up: of the last axis).
  FailureOr<Value> allocate(Operation *op, RankedTensorType type, int64_t stride) {
    int64_t bytes = ir::elementBytes(type.getElementType()), extra = 0;
    StringAttr symbol;
    for (auto [index, dim] : llvm::enumerate(ir::dimsOf(type))) {
      if (!dim.isDynamic()) {
        bytes *= static_cast<int64_t>(index) + 1 == type.getRank() ? stride : dim.size;
        continue;
      }
      auto expr = dim.name ? ir::parseDim(dim.name.getValue()) : std::nullopt;
      if (!expr)
        return op->emitOpError() << "dimension " << index << " of " << type << " has no symbol; run ingot-infer-shapes";
      if (symbol)
        return op->emitOpError() << "result " << type << " has two dynamic dimensions, '" << symbol.getValue()
                                 << "' and '" << expr->symbol
                                 << "'; expected at most one, because memory is planned per unit of one symbol";
      symbol = builder.getStringAttr(expr->symbol);
      extra = expr->constant;
    }
    // symbol + constant rows fit in (1 + constant) times the symbol's, as every symbol in use is at least 1.
    bytes *= 1 + std::max<int64_t>(extra, 0);
    if (bytes <= 0)
      return op->emitOpError() << "result " << type << " has no elements";
    return plan::AllocOp::create(builder, op->getLoc(), bufferType(), builder.getI64IntegerAttr(bytes),
                                 symbol ? FlatSymbolRefAttr::get(symbol) : FlatSymbolRefAttr())
        .getResult();
  }

  // The buffer of `value`, which is made when it is new: of an output, a weight or a temporary.
  FailureOr<Value> bufferOf(Operation *op, Value value) {
    Value origin = originOf(value);
    if (Value known = buffers.lookup(origin))
      return known;
    Value buffer;
    if (ir::isRecipe(origin)) {
      buffer = weight(tables.weights.add(origin, nodeName(op->getLoc()) + ".constant"), op);
    } else {
      auto temporary = allocate(op, tensorOf(origin), strideOf(origin));
      if (failed(temporary))
        return failure();
      buffer = *temporary;
    }
    buffers[origin] = buffer;
    return buffer;
  }

  Value weight(StringAttr name, Operation *op) {
    Value &reference = weightBuffers[name];
    if (!reference)
      reference = plan::WeightRefOp::create(builder, op->getLoc(), bufferType(), FlatSymbolRefAttr::get(name));
    return reference;
  }

  // --- Symbols and sizes.

  // Number of the symbol that dimension `index` of `value` is; the kernel reads it from the step's symbols.
  FailureOr<int64_t> symbolOf(Operation *op, Value value, unsigned index) {
    ir::Dim dim = ir::dimOf(tensorOf(value), index);
    auto expr = dim.name ? ir::parseDim(dim.name.getValue()) : std::nullopt;
    if (!dim.isDynamic() || !expr || expr->constant != 0)
      return op->emitOpError() << "dimension " << index << " of " << value.getType() << " is " << dim.text()
                               << "; expected a symbol, from which its kernel takes the number of rows";
    return tables.symbolIndex(expr->symbol);
  }

  plan::SizeAttr sizeOf(const ir::Dim &dim) { return plan::sizeOf(builder.getContext(), dim); }
  plan::SizeAttr constant(int64_t value) { return plan::SizeAttr::get(builder.getContext(), value); }
  plan::SizeAttr rowsOf(Value value) { return sizeOf(ir::dimOf(tensorOf(value), 0)); }
  // Bytes of a tensor, where that is affine in the symbols; nothing of the rest.
  plan::SizeAttr bytesOf(Value value) {
    auto type = tensorOf(value);
    if (!type)
      return constant(0);
    plan::SizeAttr size = constant(ir::elementBytes(type.getElementType()));
    for (const ir::Dim &dim : ir::dimsOf(type)) {
      plan::SizeAttr extent = sizeOf(dim);
      if (extent.isConstant())
        size = size.times(extent.getConstant());
      else if (size.isConstant())
        size = extent.times(size.getConstant());
      else
        return constant(0);
    }
    return size;
  }

  // --- Element types that kernels read.

  // Kernels read their rows and vectors in f32, where nothing else is said of them.
  LogicalResult requireF32(Operation *op, Value value, StringRef name) {
    if (!value || elementOf(value).isF32())
      return success();
    return op->emitOpError() << name << " is " << value.getType() << "; its kernel reads f32";
  }

  // --- Launches.

  void launch(Operation *op, StringAttr kernel, ArrayRef<Value> operands, plan::SizeAttr tiles,
              plan::SizeAttr bytesRead, plan::SizeAttr operations, Location loc) {
    std::string node = nodeName(loc);
    plan::LaunchOp::create(builder, loc, FlatSymbolRefAttr::get(kernel), operands, tiles,
                           node.empty() ? StringAttr() : builder.getStringAttr(node), bytesRead, operations);
  }

  // Collects the buffers of a launch, the first failure among them.
  struct Operands {
    SmallVector<Value> values;
    bool failed = false;
    void add(FailureOr<Value> buffer) {
      if (mlir::failed(buffer))
        failed = true;
      else
        values.push_back(*buffer);
    }
  };

  LogicalResult lower(Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<ir::EmbeddingOp, ir::LinearOp, ir::RopeAnglesOp, ir::RopeAppendOp, ir::AttentionOp, ir::SampleOp,
              ir::CallOp>([&](auto kind) { return lowerOp(kind); })
        .Case<ir::ReshapeOp, ir::CacheOp, ir::ReturnOp>([](auto) { return success(); })
        .Case<ir::CacheAppendOp>([](ir::CacheAppendOp append) {
          return append.emitOpError() << "was not fused with the attention of its layer: no kernel appends alone; "
                                         "expected one attention that reads layer "
                                      << append.getLayer() << " just after it is appended";
        })
        .Default([](Operation *op) -> LogicalResult {
          if (llvm::all_of(op->getResults(), [](Value value) { return ir::isRecipe(value); }))
            return success(); // stored where a launch reads it
          return op->emitOpError() << "has no kernel on the cpu target";
        });
  }

  LogicalResult lowerOp(ir::EmbeddingOp op) {
    if (!op.getPreviousIds())
      return op.emitOpError() << "has no previous_ids; the lookup's kernel needs them, because a token may name a row "
                                 "of the previous step's samples";
    if (elementNumber(elementOf(op.getTable())) < 0)
      return op.emitOpError() << "table is " << op.getTable().getType() << "; its kernel reads f32, f16 or bf16";
    KernelParams params(builder, "embedding");
    params.set("n", op.tableRows())
        .set("k", op.tableColumns())
        .set("weight_type", elementNumber(elementOf(op.getTable())))
        .set("layout", layoutNumber(op.getLayout()))
        .set("stats", op.getEmitStats())
        .setFloat("scale", op.getScale().convertToDouble(), 1.0);
    Operands operands;
    operands.add(bufferOf(op, op.getTokens()));
    operands.add(bufferOf(op, op.getPreviousIds()));
    operands.add(bufferOf(op, op.getTable()));
    operands.add(bufferOf(op, op.getResult()));
    if (op.getEmitStats())
      operands.add(bufferOf(op, op.getStats()));
    if (operands.failed)
      return failure();
    plan::SizeAttr rows = rowsOf(op.getTokens());
    int64_t rowBytes = op.tableColumns() * ir::elementBytes(elementOf(op.getTable()));
    launch(op, tables.kernel(params, op.getLoc()), operands.values, rows, rows.times(4 + rowBytes),
           rows.times(2 * op.tableColumns()), op.getLoc());
    return success();
  }

  // The rows that the linear multiplies, in a buffer whose form fits, and their stride there.
  FailureOr<std::pair<Value, int64_t>> productRows(ir::LinearOp op) {
    RowForm wanted = wantedForm(op);
    Value input = op.getInput();
    auto buffer = bufferOf(op, input);
    if (failed(buffer))
      return failure();
    int64_t stride = strideOf(originOf(input));
    bool fits = elementOf(input) == wanted.element && stride >= wanted.stride;
    if (!op.getNormStats() && fits)
      return std::pair(*buffer, stride);
    if (!elementOf(input).isF32())
      return op.emitOpError() << "input is " << input.getType() << " in rows of " << stride
                              << " elements, but its products take " << wanted.element << " in rows of "
                              << wanted.stride << "; only f32 can be packed";

    // One packing for all linears that want the same rows normalized alike.
    auto key = std::make_tuple(input, op.getNormStats(), op.getGamma(), Attribute(op.getEpsAttr()), wanted.element,
                               wanted.stride);
    for (auto &[known, packed] : packings)
      if (known == key)
        return std::pair(packed, wanted.stride);
    int64_t partials = op.getNormStats() ? lastDim(op.getNormStats()) : 0;
    KernelParams params(builder, "pack_rows");
    params.set("k", op.depth())
        .set("k_padded", wanted.stride, op.depth())
        .set("type", elementNumber(wanted.element))
        .set("partials", partials, 0)
        .setFloat("eps", op.getEps() ? op.getEps()->convertToDouble() : 0.0, 0.0);
    Operands operands;
    operands.add(*buffer);
    if (partials) {
      operands.add(bufferOf(op, op.getNormStats()));
      operands.add(bufferOf(op, op.getGamma()));
    }
    auto type = cast<RankedTensorType>(tensorOf(input).clone(wanted.element));
    operands.add(allocate(op, type, wanted.stride));
    if (operands.failed)
      return failure();
    Value packed = operands.values.back();
    plan::SizeAttr rows = rowsOf(input);
    launch(op, tables.kernel(params, op.getLoc()), operands.values, rows, rows.times(4 * op.depth()),
           rows.times(partials ? 2 * op.depth() : 0), op.getLoc());
    packings.push_back({key, packed});
    return std::pair(packed, wanted.stride);
  }

  LogicalResult lowerOp(ir::LinearOp op) {
    if (!op.getLayoutAttr())
      return op.emitOpError() << "weight is not packed; run ingot-pack-weights first";
    if (tensorOf(op.getInput()).getRank() != 2)
      return op.emitOpError() << "input is " << op.getInput().getType()
                              << "; expected rows [rows, k], which is what the product's kernel takes";
    if (op.getGated() && op.getResidual())
      return op.emitOpError() << "is gated and has a residual; the product's kernel adds none to a gated result";
    if (failed(requireF32(op, op.getBias(), "bias")) || failed(requireF32(op, op.getResidual(), "residual")) ||
        failed(requireF32(op, op.getNormStats(), "norm_stats")) || failed(requireF32(op, op.getGamma(), "gamma")))
      return failure();
    if (elementNumber(elementOf(op.getResult())) < 0)
      return op.emitOpError() << "result is " << op.getResult().getType() << "; its kernel writes f32, f16 or bf16";
    Type compute = computeOf(op);
    if (!compute.isF32() && !compute.isBF16())
      return op.emitOpError() << "computes in " << compute << "; expected f32 or bf16";
    if (op.getEmitStats() && !elementOf(op.getResult()).isF32())
      return op.emitOpError() << "gives statistics of a result of " << elementOf(op.getResult()) << "; expected f32";
    auto symbol = symbolOf(op, op.getInput(), 0);
    auto rows = succeeded(symbol) ? productRows(op) : FailureOr<std::pair<Value, int64_t>>(failure());
    if (failed(rows))
      return failure();
    int64_t n = op.columns(), k = op.depth();
    int64_t stride = strideOf(op.getResult());
    KernelParams params(builder, "linear");
    params.set("n", n)
        .set("k", k)
        .set("k_padded", rows->second, k)
        .set("in_type", elementNumber(compute))
        .set("weight_type", elementNumber(elementOf(op.getWeight())))
        .set("layout", layoutNumber(op.getLayout()))
        .set("bias", op.getBias() != nullptr)
        .set("residual", op.getResidual() != nullptr)
        .set("act", activationNumber(op.getActivation()))
        .set("gated", op.getGated())
        .set("stats", op.getEmitStats())
        .set("out_type", elementNumber(elementOf(op.getResult())))
        .set("out_stride", stride, n)
        .set("rows_symbol", *symbol);
    Operands operands;
    operands.add(rows->first);
    operands.add(bufferOf(op, op.getWeight()));
    if (op.getBias())
      operands.add(bufferOf(op, op.getBias()));
    if (op.getResidual())
      operands.add(bufferOf(op, op.getResidual()));
    operands.add(bufferOf(op, op.getResult()));
    if (op.getEmitStats())
      operands.add(bufferOf(op, op.getStats()));
    if (operands.failed)
      return failure();
    plan::SizeAttr count = rowsOf(op.getInput());
    plan::SizeAttr bytes = bytesOf(op.getWeight()).plus(count.times(rows->second * ir::elementBytes(compute)));
    if (op.getResidual())
      bytes = bytes.plus(bytesOf(op.getResidual()));
    launch(op, tables.kernel(params, op.getLoc()), operands.values, constant((n + 15) / 16), bytes,
           count.times(2 * k * (op.getGated() ? 2 * n : n)), op.getLoc());
    return success();
  }

  LogicalResult lowerOp(ir::RopeAnglesOp op) {
    auto symbol = symbolOf(op, op.getContextLengths(), 0);
    if (failed(symbol))
      return failure();
    int64_t half = cast<RankedTensorType>(op.getInvFreq().getType()).getDimSize(0);
    bool longrope = op.getKind() == ir::RopeKind::Longrope;
    KernelParams params(builder, "rope_angles");
    params.set("half", half)
        .set("kind", static_cast<int64_t>(op.getKind()))
        .set("original", op.getOriginal(), 0)
        .setFloat("base", op.getBase().convertToDouble(), 10000.0)
        .setFloat("factor", op.getFactor().convertToDouble(), 1.0)
        .setFloat("attention_factor", op.getAttentionFactor().convertToDouble(), 1.0)
        .setFloat("long_attention_factor", op.getLongAttentionFactor().convertToDouble(), 1.0)
        .set("sequences_symbol", *symbol);
    std::string node = nodeName(op.getLoc());
    auto frequencies = [&](ElementsAttr values, StringRef name) {
      std::string hint = (node.empty() ? "" : node + ".") + name.str();
      return weight(tables.weights.addConstant(cast<DenseElementsAttr>(values), hint, op.getLoc()), op);
    };
    Operands operands;
    operands.add(bufferOf(op, op.getPositions()));
    operands.add(bufferOf(op, op.getSequenceStarts()));
    operands.add(bufferOf(op, op.getContextLengths()));
    operands.add(frequencies(op.getInvFreq(), "inv_freq"));
    if (longrope)
      operands.add(frequencies(*op.getLongInvFreq(), "long_inv_freq"));
    operands.add(bufferOf(op, op.getResult()));
    if (operands.failed)
      return failure();
    plan::SizeAttr rows = rowsOf(op.getResult());
    launch(op, tables.kernel(params, op.getLoc()), operands.values, rows, rows.times(4), rows.times(3 * half),
           op.getLoc());
    return success();
  }

  // The group behind a cache value, whose layout is decided.
  FailureOr<ir::CacheGroupOp> groupOf(Operation *op, ir::CacheType type) {
    ir::CacheGroupOp group = ir::cacheGroupOf(op, type);
    if (!group || !group.hasLayout())
      return op->emitOpError() << "reads cache group @" << type.getGroup().getValue()
                               << ", which has no layout; run ingot-choose-cache-layout first";
    return group;
  }

  Value plane(ir::CacheGroupOp group, StringRef name, int64_t layer) {
    Value &buffer = planes[{group.getSymNameAttr(), builder.getStringAttr(name), layer}];
    if (!buffer)
      buffer = plan::CachePlaneOp::create(builder, group.getLoc(), bufferType(),
                                          FlatSymbolRefAttr::get(group.getSymNameAttr()), builder.getStringAttr(name),
                                          builder.getI64IntegerAttr(layer));
    return buffer;
  }

  LogicalResult lowerOp(ir::RopeAppendOp op) {
    if (!originOf(op.getQkv()).hasOneUse() || !op.getQkv().hasOneUse())
      return op.emitOpError() << "qkv has another reader; it is changed where it stands, so only this op may read it";
    if (failed(requireF32(op, op.getQNorm(), "q_norm")) || failed(requireF32(op, op.getKNorm(), "k_norm")))
      return failure();
    auto group = groupOf(op, cast<ir::CacheType>(op.getCache().getType()));
    auto symbol = symbolOf(op, op.getQkv(), 0);
    if (failed(group) || failed(symbol))
      return failure();
    int64_t rotary = op.getAngles() ? lastDim(op.getAngles()) : 0;
    KernelParams params(builder, "rope_append");
    params.set("kv_heads", op.getKvHeads())
        .set("q_per_kv", op.getHeads() / op.getKvHeads())
        .set("head_dim", op.getHeadDim())
        .set("rotary_dim", rotary, op.getHeadDim())
        .set("page_tokens", *group->getPageTokens())
        .set("cache_type", elementNumber(*group->getElementType()))
        .set("qk_norm", op.getQNorm() != nullptr)
        .setFloat("eps", op.getEps() ? op.getEps()->convertToDouble() : 0.0, 0.0)
        .set("group", ir::cacheGroupIndex(*group), 0)
        .set("tokens_symbol", *symbol);
    Operands operands;
    operands.add(bufferOf(op, op.getQkv()));
    // Without angles nothing is rotated and nothing is read there: any buffer will do.
    operands.add(bufferOf(op, op.getAngles() ? Value(op.getAngles()) : Value(op.getSlots())));
    operands.add(bufferOf(op, op.getSlots()));
    if (op.getQNorm()) {
      operands.add(bufferOf(op, op.getQNorm()));
      operands.add(bufferOf(op, op.getKNorm()));
    }
    operands.add(plane(*group, "key", op.getLayer()));
    operands.add(plane(*group, "value", op.getLayer()));
    if (operands.failed)
      return failure();
    plan::SizeAttr tokens = rowsOf(op.getQkv());
    launch(op, tables.kernel(params, op.getLoc()), operands.values, tokens.times(op.getKvHeads()), bytesOf(op.getQkv()),
           tokens.times(3 * rotary * (op.getHeads() + op.getKvHeads())), op.getLoc());
    return success();
  }

  LogicalResult lowerOp(ir::AttentionOp op) {
    if (tensorOf(op.getQuery()).getRank() != 2)
      return op.emitOpError()
             << "was not fused with the append of layer " << op.getLayer()
             << ": its kernel reads the rows of ingot.rope_append; expected an append of this layer, in "
                "f32, between whose result and the attention no other op reads the cache";
    auto group = groupOf(op, cast<ir::CacheType>(op.getCache().getType()));
    auto tokens = symbolOf(op, op.getQuery(), 0);
    auto sequences = symbolOf(op, op.getContextLengths(), 0);
    auto blocks = symbolOf(op, op.getBlockTable(), 2);
    if (failed(group) || failed(tokens) || failed(sequences) || failed(blocks))
      return failure();
    KernelParams params(builder, "attention");
    params.set("kv_heads", op.getKvHeads())
        .set("q_per_kv", op.getHeads() / op.getKvHeads())
        .set("head_dim", op.getHeadDim())
        .set("page_tokens", *group->getPageTokens())
        .set("cache_type", elementNumber(*group->getElementType()))
        .set("window", op.getWindow(), 0)
        .set("group", ir::cacheGroupIndex(*group), 0)
        .set("out_type", elementNumber(elementOf(op.getResult())))
        .set("out_stride", strideOf(op.getResult()), op.getHeads() * op.getHeadDim())
        .setFloat("scale", op.getScale().convertToDouble())
        .setFloat("soft_cap", op.getSoftCap().convertToDouble(), 0.0)
        .set("tokens_symbol", *tokens)
        .set("sequences_symbol", *sequences)
        .set("blocks_symbol", *blocks);
    Operands operands;
    operands.add(bufferOf(op, op.getQuery()));
    operands.add(plane(*group, "key", op.getLayer()));
    operands.add(plane(*group, "value", op.getLayer()));
    operands.add(bufferOf(op, op.getPositions()));
    operands.add(bufferOf(op, op.getSequenceStarts()));
    operands.add(bufferOf(op, op.getContextLengths()));
    operands.add(bufferOf(op, op.getBlockTable()));
    operands.add(bufferOf(op, op.getResult()));
    if (operands.failed)
      return failure();
    // What a token costs depends on its position, which no symbol says: the profile counts the query alone.
    plan::SizeAttr rows = rowsOf(op.getQuery());
    launch(op, tables.kernel(params, op.getLoc()), operands.values, rows.times(op.getKvHeads()),
           rows.times(4 * op.getHeads() * op.getHeadDim()), constant(0), op.getLoc());
    return success();
  }

  LogicalResult lowerOp(ir::SampleOp op) {
    KernelParams params(builder, "sample");
    params.set("vocabulary", lastDim(op.getLogits()));
    Operands operands;
    for (Value operand : op->getOperands())
      operands.add(bufferOf(op, operand));
    operands.add(bufferOf(op, op.getIds()));
    operands.add(bufferOf(op, op.getLogProbabilities()));
    if (operands.failed)
      return failure();
    launch(op, tables.kernel(params, op.getLoc()), operands.values, rowsOf(op.getLogits()), bytesOf(op.getLogits()),
           constant(0), op.getLoc());
    return success();
  }

  LogicalResult lowerOp(ir::CallOp op) {
    Operands operands;
    plan::SizeAttr bytes = constant(0);
    for (Value input : op.getInputs()) {
      operands.add(bufferOf(op, input));
      bytes = bytes.plus(bytesOf(input));
    }
    for (Value result : op.getResults())
      operands.add(bufferOf(op, result));
    if (operands.failed)
      return failure();
    Value result = op.getResult(0);
    plan::SizeAttr tiles = tensorOf(result).getRank() == 0 ? constant(1) : rowsOf(result);
    launch(op, tables.kernel(op.getCalleeAttr(), op.getLoc()), operands.values, tiles, bytes, constant(0), op.getLoc());
    return success();
  }

  ir::EntryOp entry;
  plan::ProgramOp program;
  ProgramTables &tables;
  OpBuilder builder;

  llvm::DenseMap<Value, Value> buffers; // by origin
  llvm::DenseMap<Attribute, Value> weightBuffers;
  llvm::DenseMap<std::tuple<StringAttr, StringAttr, int64_t>, Value> planes;
  using PackingKey = std::tuple<Value, Value, Value, Attribute, Type, int64_t>;
  SmallVector<std::pair<PackingKey, Value>> packings;
};

} // namespace

ProgramTables::ProgramTables(plan::ProgramOp program) : weights(program), program(program) {
  for (auto symbol : program.getOps<plan::SymbolOp>())
    symbols.push_back(symbol.getSymName());
}

int64_t ProgramTables::symbolIndex(StringRef symbol) const {
  auto found = llvm::find(symbols, symbol);
  return found == symbols.end() ? -1 : found - symbols.begin();
}

StringAttr ProgramTables::kernel(const KernelParams &params, Location loc) {
  OpBuilder builder = OpBuilder::atBlockEnd(&program.getBody().front());
  auto name = builder.getStringAttr(params.templateName());
  DictionaryAttr values = params.attribute();
  StringAttr &key = kernels[{name, values}];
  if (key)
    return key;
  std::string text = params.key(symbols);
  if (unsigned &count = taken[text]; ++count > 1)
    text += "#" + std::to_string(count);
  key = builder.getStringAttr(text);
  plan::KernelOp::create(builder, loc, key, name, values, FlatSymbolRefAttr(), builder.getI64IntegerAttr(0));
  return key;
}

StringAttr ProgramTables::kernel(FlatSymbolRefAttr body, Location loc) {
  StringAttr &key = kernels[{body, Attribute()}];
  if (key)
    return key;
  OpBuilder builder = OpBuilder::atBlockEnd(&program.getBody().front());
  key = builder.getStringAttr("linalg-" + body.getValue());
  plan::KernelOp::create(builder, loc, key, StringAttr(), DictionaryAttr(), body, builder.getI64IntegerAttr(0));
  return key;
}

LogicalResult lowerEntry(ir::EntryOp entry, plan::ProgramOp program, ProgramTables &tables) {
  return EntryLowering(entry, program, tables).run();
}

} // namespace ingot::passes
