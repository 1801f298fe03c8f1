// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declarations of all passes, grouped by intent as the folders are. Each says what it changes before and after, and
// when it does nothing. The order in which they run is said in compiler/pipelines.
#ifndef INGOT_PASSES
#define INGOT_PASSES

include "mlir/Pass/PassBase.td"

class Ingot_Pass<string flag> : Pass<flag, "::mlir::ModuleOp"> {
  let dependentDialects = ["::ingot::ir::IngotDialect"];
}

// --- shapes/

def InferShapesPass : Ingot_Pass<"ingot-infer-shapes"> {
  let summary = "Sharpen types from operands to results and check that every dimension is known";
  let description = [{
    Walks each entry from its arguments and replaces a result's type by the one its op infers, where that knows more: a
    static dimension for a dynamic one, a symbol for none. The entry's result types follow what it returns.

    ```mlir
    %y = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<4x8xf32>) -> tensor<?x?xf32>
    // becomes
    %y = ingot.linear %x, %w : ... -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
    ```

    Does nothing when all types are already as sharp as their operands allow. Fails, naming the op and the dimension,
    when a dynamic dimension is left that no symbol names: memory could not be planned for it.
  }];
}

def FlattenRowsPass : Ingot_Pass<"ingot-flatten-rows"> {
  let summary = "See tensors of many dimensions as rows";
  let description = [{
    Element-wise ops, norms, softmax and reductions along the last axis are computed on tensors of two dimensions, where what is
    broadcast allows it: functions run row by row, and a row then is the last axis alone. Dimensions that are 1 are left out
    in front of other general ops, and leading dimensions of an ingot.compute become one until there are rows for many threads. A softmax whose axis is dynamic becomes its steps, each with its result in memory, as no
    worker could hold a row of it.

    ```mlir
    %y = ingot.add %a, %b : tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
    // becomes, with d0 = batch*length
    %y = ingot.add %ra, %rb : tensor<?x8xf32, #ingot.dims<"d0", "">>
    ```

    With `beside-linears` only element-wise ops and norms change that read a linear's rows under another shape, and so what reads
    their results in turn: an activation, a sum or a norm then stands next to its linear, where fusion looks for it.

    Declares symbols of products of dimensions. Does nothing to ops of two dimensions or fewer.
  }];
  let options = [Option<"besideLinears", "beside-linears", "bool", /*default=*/"false", "only ops that read a linear's rows under another shape">];
}

def DropPaddingPass : Ingot_Pass<"ingot-drop-padding"> {
  let summary = "Compute the positions of a batch that a mask shows, and no others";
  let description = [{
    Where the bias of attentions hides the keys that an argument [B, S] masks, and nothing else lets a position reach another, rows
    that are padding decide nothing. Values [B, S, ...] are then computed for the rows that are seen, one behind another; attention
    runs over sequences by their starts, with the part of its bias that is no mask read by places; and results are put back among zeros.

    ```mlir
    %y = ingot.layer_norm %x, %g : tensor<?x?x8xf32, #ingot.dims<"b", "s", "">>
    %o = ingot.scaled_dot_product_attention %q, %k, %v bias %mask   // [b, s, h, d], mask [b, 1, 1, s]
    // becomes
    ingot.symbol @tokens data "b*s"
    ingot.set_symbol @tokens, %count
    %y = ingot.layer_norm %px, %g : tensor<?x8xf32, #ingot.dims<"tokens", "">>
    %o = ingot.scaled_dot_product_attention %pq, %pk, %pv starts %starts   // [1, tokens, h, d]
    ```

    A mask is found by following constants: one of its values (0 or 1) makes the bias at most -10,000, the other makes it 0. Other values of
    the mask count as the second.

    Does nothing, and tells why in the module's attribute `ingot.padding_kept`, where values of padded rows would reach results: through a
    reduction, product or convolution over positions whose operand is not known to be one number in such rows (a product
    with the mask, a choice by it), or through another attention. Results themselves, and positions picked from a batch, may be padding: they
    are zeros then. Tells the attentions in `ingot.padding_dropped`.

    With `ranges` the largest and smallest element of all positions, by which a graph quantizes dynamically, become those of the
    positions that are seen. That is another range than the graph's where padding had a larger one.
  }];
  let options = [Option<"ranges", "ranges", "bool", /*default=*/"false", "take ranges over the positions that are seen">];
  let dependentDialects = ["::ingot::ir::IngotDialect", "::mlir::arith::ArithDialect"];
}

// --- fusion/

def WidenFloatsPass : Ingot_Pass<"ingot-widen-floats"> {
  let summary = "Round f16 and bf16 once, where they leave a run of ops";
  let description = [{
    Element-wise ops, softmax, norms and reductions of f16 and bf16 are computed in f32. A result that is rounded for the next such op alone
    is not rounded: so later passes see attention and GELU in it as in f32. Ops that move elements follow where what they move is f32
    already; arguments, results and weights keep their types.

    ```mlir
    %t = ingot.tanh %x : tensor<4xf16>
    %y = ingot.neg %t : tensor<4xf16>
    // becomes
    %w = ingot.cast %x : tensor<4xf16> to tensor<4xf32>
    %t = ingot.tanh %w : tensor<4xf32>
    %n = ingot.neg %t : tensor<4xf32>
    %y = ingot.cast %n : tensor<4xf32> to tensor<4xf16>
    ```
  }];
  let dependentDialects = ["::ingot::ir::IngotDialect"];
}

def RecognizeOpsPass : Ingot_Pass<"ingot-recognize-ops"> {
  let summary = "Make one op of mathematics that was written out";
  let description = [{
    Exporters write norms, activations and softmax in primitive ops. They become one op each, whatever the order of operands, the
    place of constants and the way in which powers, means and roots are spelled: sigmoid, silu, gelu, gelu_tanh, quick_gelu, softmax
    (along the last axis), layer_norm and rms_norm with their scales and shifts (along the last axis), the bias of a linear, a
    transpose around which dimensions were joined and split again, choices that are written as sums of products with a condition and its
    opposite (`x * c + y * (1 - c)`, for finite numbers), and a softmax that is masked afterwards and divided by its sum. What reads a
    slice reads what was cut.

    ```mlir
    %e = ingot.erf %h              // h = x / sqrt(2)
    %g = ingot.add %e, %one
    %y = ingot.mul %half_x, %g
    // becomes
    %y = ingot.gelu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ```

    Constants are compared to 1e-4. Does nothing where an intermediate value has other readers and the op would have to be
    computed twice, or where types are not f32 (norms).
  }];
}

def FuseAttentionPass : Ingot_Pass<"ingot-fuse-attention"> {
  let summary = "Make one op of a written-out attention";
  let description = [{
    softmax(scores) times values, where scores are products of queries and keys, scaled before or after (on queries, keys or scores),
    capped, with masks and biases added or chosen, in any order; heads may be a dimension of their own or part of the batch, and
    repeated kv heads are seen as what they are. Windows and units beside the batch are part of it; products may be turned around and
    transposed. A number that all scores of a query are multiplied with goes into the query, one that is added to all scores goes. The result is ingot.scaled_dot_product_attention on [batch, position, head,
    element], whose transposes meet those that split and joined the heads.

    ```mlir
    %s = ingot.matmul %q, %kt
    %m = ingot.add %s, %mask
    %p = ingot.softmax %m {axis = 3 : i64}
    %o = ingot.matmul %p, %v
    // becomes
    %o = ingot.scaled_dot_product_attention %q, %k, %v bias %mask {scale = 1.0 : f64}
    ```

    What looks like attention and is left is told in the module's attribute `ingot.not_fused`, with the node that stopped it: scores or
    probabilities that are read elsewhere, a step of another kind, heads whose width is dynamic. Applies to f32.
  }];
}

def TellUnfusedPass : Ingot_Pass<"ingot-tell-unfused"> {
  let summary = "Tell what looks like a norm, GELU or softmax and was left";
  let description = [{
    A root of a mean of squares that rows are divided by, `1 + erf` and `1 + tanh` (of a cubic) that something is multiplied with, and powers
    of e that are divided by their sum, where recognize-ops took none of them: each is added to the module's attribute `ingot.not_fused`,
    with the node that stopped it. Changes nothing else.

    ```mlir
    %r = ingot.sqrt %variance
    %d = ingot.add %r, %eps          // outside of the root: no layer norm
    %y = ingot.div %centred, %d
    ```
  }];
}

def HoistGatherRowsPass : Ingot_Pass<"ingot-hoist-gather-rows"> {
  let summary = "Pick rows before what is computed row by row";
  let description = [{
    What only the picked rows of are read is computed for these rows alone. So the head's norm, and the last layer's
    MLP, are computed for the rows of which logits are asked.

    ```mlir
    %n = ingot.rms_norm %x, %gamma : tensor<?x8xf32, #ingot.dims<"tokens", "">>
    %r = ingot.gather_rows %n, %rows
    // becomes
    %g = ingot.gather_rows %x, %rows
    %r = ingot.rms_norm %g, %gamma : tensor<?x8xf32, #ingot.dims<"logit_rows", "">>
    ```

    Applies to norms, softmax, reductions and element-wise ops, and to linears. Does nothing when the op's result has
    another reader, or when its rows depend on each other (softmax along the first axis).
  }];
}

def FuseProjectionsPass : Ingot_Pass<"ingot-fuse-projections"> {
  let summary = "Make one linear of q, k and v, and one of gate and up";
  let description = [{
    Three linears of one value that become the query, key and value of one attention (through reshapes, head norms and
    rotations) become one, whose weight is a concatenation in the order of kv heads, and likewise the bias.

    ```mlir
    %q = ingot.linear %x, %wq   // [T, heads * d]
    %k = ingot.linear %x, %wk   // [T, kv * d]
    %v = ingot.linear %x, %wv
    // becomes
    %w = ingot.concat %wq, %wk, %wv {segments = [q of head 0, k 0, v 0, q of head 1, ...]}
    %y = ingot.linear %x, %w    // [T, kv, heads/kv + 2, d]
    %a, %b, %c = ingot.split of the reshaped %y along axis 2, reshaped to heads
    ```

    Two linears of one value whose results are multiplied after an activation of one become one gated linear:

    ```mlir
    %g = ingot.silu (ingot.linear %x, %w1)
    %h = ingot.mul %g, (ingot.linear %x, %w2)
    // becomes
    %w = ingot.interleave %w1, %w2 {block = 16}
    %h = ingot.linear %x, %w {gated, activation = #ingot.activation<silu>, n}
    ```

    A linear of the group without bias gets zeros where another has one; weights of different element types are cast
    to f32, which holds all of them exactly. Does nothing when the linears read different values, when one has another
    reader or an epilogue already, or when the activation has no epilogue form.
  }];
}

def FuseRopeAppendPass : Ingot_Pass<"ingot-fuse-rope-append"> {
  let summary = "Make head norms, rotation and the cache append one op over qkv rows";
  let description = [{
    ```mlir
    %q2 = ingot.rope (ingot.rms_norm %q, %gq), %angles
    %k2 = ingot.rope (ingot.rms_norm %k, %gk), %angles
    %c1 = ingot.cache_append %c0, %k2, %v, %slots
    %o  = ingot.attention %q2, %c1, ...              // [T, heads, d]
    // becomes
    %r, %c1 = ingot.rope_append %qkv, %c0, %slots angles %angles q_norm %gq k_norm %gk
    %o = ingot.attention %r, %c1, ...                // [T, heads * d], reshaped
    ```

    %qkv are the rows that fuse-projections left when %q, %k and %v are its parts; otherwise they are assembled by an
    ingot.concat. Norms fuse only together, with equal eps; rotations only together, with the same angles, and with the
    norms before them; what does not fuse stays in front. Does nothing to attention whose cache operand is not its own
    layer's append, or where keys, values or the appended cache have other readers.
  }];
}

def FuseEpiloguesPass : Ingot_Pass<"ingot-fuse-epilogues"> {
  let summary = "Move activations, residuals and norms into the linears around them";
  let description = [{
    ```mlir
    %p = ingot.linear %h, %w
    %y = ingot.add %x, %p
    %n = ingot.rms_norm %y, %gamma
    %q = ingot.linear %n, %wq
    // becomes
    %y, %stats = ingot.linear %h, %w residual %x {emit_stats}
    %q = ingot.linear %y, %wq norm %stats gamma %gamma {eps}
    ```

    An activation or a residual moves into a linear whose result has no other reader; the linear then stands where the
    activation or sum stood. A norm moves into the linears that read it when all its readers are linears without a norm
    and its input is a plain f32 row that a linear or an embedding makes: that one then also gives partial sums of
    squares. Does nothing to a gated linear's residual, to an activation that has no epilogue form (tanh, sigmoid), or
    to a norm that something else reads too.
  }];
}

def FuseConvolutionsPass : Ingot_Pass<"ingot-fuse-convolutions"> {
  let summary = "Move what is done to a convolution's elements into its epilogue";
  let description = [{
    ```mlir
    %c = ingot.convolution %x, %w
    %n = ingot.mul %c, %factor     // a constant for each channel, broadcast
    %o = ingot.add %n, %offset
    %s = ingot.add %o, %y
    %r = ingot.relu %s
    // becomes
    %r = ingot.convolution %x, %w scale %factor bias %offset residual %y {low = 0.0}
    ```

    Factors and offsets of channels that are constants are combined with those that are there. Does nothing to a result that
    something else reads too, nor where a step comes after one that an epilogue does later: factors and offsets, residual,
    activation, lower bound, upper bound.
  }];
}

def NarrowResultsPass : Ingot_Pass<"ingot-narrow-results"> {
  let summary = "Round a value once, where it is made, when all readers would round it";
  let description = [{
    A linear rounds its input to its compute type. Where every reader of a linear's or attention's result does so, and
    to the same type, the result is stored in that type.

    ```mlir
    %h = ingot.linear %x, %w1 {gated, compute = bf16} : ... -> tensor<?x64xf32, ...>
    %y = ingot.linear %h, %w2 {compute = bf16}
    // becomes
    %h = ingot.linear %x, %w1 {gated, compute = bf16, result_element = bf16} : ... -> tensor<?x64xbf16, ...>
    ```

    A choice of rows passes on what it reads and is narrowed with it, where the rows are a multiple of 32 long. Does
    nothing to results that are read by anything else, as a residual, or through a norm, and to those that give
    statistics.
  }];
}

// --- decoder/

def FormDecoderPass : Ingot_Pass<"ingot-form-decoder"> {
  let summary = "Make a graph that takes and gives keys and values entries over the KV cache";
  let description = [{
    An entry whose attentions read keys and values that are inputs followed by those of its tokens, and that gives both back,
    becomes the entries `step` and `sample` of a decoder: tokens of all sequences are rows, keys and values are appended to the
    paged cache, masks and positions are those of the step.

    ```mlir
    ingot.entry @main(%ids: tensor<?x?xi64, #ingot.dims<"batch", "sequence">>, %past: tensor<?x2x?x16xf32, ...>, ...)
    // becomes
    ingot.cache_group @kv {layers, kv_heads = 2, head_dim = 16}
    ingot.entry @step(%tokens: tensor<?xi32, #ingot.dims<"tokens">>, %positions: ..., ...)
    ingot.entry @sample(...)
    ```

    What inputs, masks, positions and rotations are is found by working out single elements for steps of several sizes: a bias
    of 0 where a token sees a position and of at most -9999 elsewhere is a mask; elements of a head that are rotations of pairs of
    columns by multiples of the position are a rotary embedding, whose frequencies are read from them. Names are not looked at. 16-bit
    roundings between ops go. The module's `ingot.context`, where it is there, bounds positions; tables in the graph may bound them further.
    An entry that is not quite a decoder stays as it is, and `ingot.not_decoder` of the module says why. Does nothing to entries without
    such inputs.
  }];
}

// --- kvcache/

def ChooseCacheLayoutPass : Ingot_Pass<"ingot-choose-cache-layout"> {
  let summary = "Decide how cache groups lie in memory";
  let description = [{
    Sets page_tokens, element_type, key_layout and value_layout of every ingot.cache_group: keys of 16 tokens side by
    side, so that a query is multiplied with 16 keys at once; values token by token.

    ```mlir
    ingot.cache_group @kv {layers = 6, kv_heads = 4, head_dim = 32, retention = "full"}
    // becomes, in a module that computes in f32
    ingot.cache_group @kv {..., page_tokens = 32, element_type = f32, key_layout = "h_t16_d_16", value_layout = "h_t_d"}
    ```

    The element type is that of the products (the module's ingot.compute, f32 without one) unless one is asked for.
    Keys and values of int8 have a scale per token and head, in planes of their own.
    Does nothing to a group that already has a layout.
  }];
  let options = [
    Option<"pageTokens", "page-tokens", "int64_t", "32", "Tokens of a page: a positive multiple of 16">,
    Option<"element", "element", "std::string", "\"\"", "f32, bf16, f16 or int8; by default that of the products">,
  ];
}

// --- quantization/

def ChoosePrecisionPass : Ingot_Pass<"ingot-choose-precision"> {
  let summary = "Decide how weights are stored and to which type the operands of products are rounded";
  let description = [{
    Sets `compute` on every ingot.linear that has none, and `weight_element` where its weight is to be stored in another
    type than the checkpoint's: that of the first rule whose pattern matches the name of one of the weight's tensors,
    else `weights`. Products with quantized weights are of int8 activations unless float ones are asked for. All others
    are bf16 by default (auto) when all of their weights are stored in bf16, and f32 otherwise, so that no weight is
    rounded unasked.

    ```mlir
    %y = ingot.linear %x, %w : (tensor<...xf32>, tensor<32x64xbf16>) -> ...
    // becomes
    %y = ingot.linear %x, %w {compute = bf16} : ...
    // or, with weights=int4:g32
    %y = ingot.linear %x, %w {compute = i8, weight_element = !ingot.quantized<ui4, group = 32, scale = f16>} : ...
    ```

    A weight that the model quantized itself stays what it is. Its products are of integers where the input is one of codes, and otherwise
    as the linear says already, or as is asked for; rules choose nothing else there.

    The module's `ingot.compute` becomes the float type to which other values are rounded, f32 or bf16, and
    `ingot.products` a sentence for people ("int8, weights int4:g32"). Does nothing to a linear that states its own
    compute. Fails on options that it does not know or that contradict each other or have no effect: a rule that decides
    about no weight, int8 activations without a quantized weight, `compute` without a weight of floats; and on rows
    that are too long for one scale; and on a scheme where all weights are quantized already.
  }];
  let options = [
    Option<"compute", "compute", "std::string", "\"auto\"", "products of float weights: f32, bf16 or auto">,
    Option<"weights", "weights", "std::string", "\"\"", "scheme of weights, such as int4:g32; by default as they are">,
    Option<"activations", "activations", "std::string", "\"\"", "float, or int8; by default int8 where weights are quantized">,
    Option<"rulesFile", "rules", "std::string", "\"\"", "file of exceptions: PATTERN SCHEME [activations=float|int8]">,
  ];
}

// --- layout/

def ChannelsLastPass : Ingot_Pass<"ingot-channels-last"> {
  let summary = "Order images as kernels of convolutions read them fastest";
  let description = [{
    Convolutions of stored weights read and write [B, spatial..., C], and their weights are packed for it. Element-wise ops, ingot.compute
    whose channels follow the result's, joins, splits and reshapes of what lies behind the channels follow; elsewhere
    there are transposes.

    ```mlir
    %y = ingot.convolution %x, %w : (tensor<2x8x9x9xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x7x7xf32>
    // becomes
    %l = ingot.transpose %x {permutation = 0, 2, 3, 1}
    %p = ingot.pack %w {layout = "n16tc"}
    %c = ingot.convolution %l, %p {window = 3, 3} : (tensor<2x9x9x8xf32>, tensor<1x72x16xf32>) -> tensor<2x7x7x16xf32>
    %y = ingot.transpose %c {permutation = 0, 3, 1, 2}
    ```

    Does nothing to a convolution whose weight is computed, nor to one whose groups have few outputs, which would leave lanes empty
    (channels that are groups by themselves are lanes too); nor to an entry that has only such.
  }];
}

// --- packing/

def PackWeightsPass : Ingot_Pass<"ingot-pack-weights"> {
  let summary = "Choose how each weight is stored, and write the recipe";
  let description = [{
    A linear's weight is packed: f32 as n16k; f16 and bf16 as n16k2; quantized as n16k4 (8 bits) or n16k8 (4 bits), with
    its scales and zero points beside it, and the sums of its integers where rows have a zero point. Before that it is cast to, or quantized as, the linear's weight_element; where
    products are bf16 and the weight is not, it is cast to bf16 (that was asked for). Biases, norm weights and other
    vectors become f32. An embedding whose table is also the weight of a packed linear reads the packed tensor, so that
    it is stored once; other tables stay as they are.

    ```mlir
    %y = ingot.linear %x, %w {compute = bf16} : (..., tensor<40x48xbf16>) -> ...
    // becomes
    %p = ingot.pack %w {layout = "n16k2"} : tensor<40x48xbf16> -> tensor<3x32x16x2xbf16>
    %y = ingot.linear %x, %p {compute = bf16, layout = "n16k2", n = 40, k = 48} : ...
    ```

    Does nothing to a linear whose weight is already packed. Fails, naming the op, on a weight that is computed by the
    graph rather than stored, and on an element type that no layout takes.
  }];
}

// --- lowering/

def LowerGeneralOpsPass : Ingot_Pass<"ingot-lower-general-ops"> {
  let summary = "Outline chains of general ops as functions of linalg ops";
  let description = [{
    Norms left standing, softmax, element-wise ops, gathers, transposes, reductions, splits, casts and concatenations
    become private functions over tensors, one per maximal chain, and calls to them. A chain grows from its last op
    to the producers that it alone reads, as long as all of it has the same rows and computes each row from the
    same row of what it fuses; equal chains share a function. Reductions of a value's rows, such as the range that it is quantized by,
    are further results of the function that gives the value, or of one function where none does. docs/design/0001-foundation.md says the
    calling form.

    ```mlir
    %g = ingot.gather_rows %x, %rows
    %n = ingot.rms_norm %g, %gamma
    // becomes
    %e = ingot.call @"gather_rows-rms_norm-..."(%x, %rows, %gamma)
    ```

    Does nothing to what has a kernel template of its own, to recipes of weights and to reshapes, which move nothing.
  }];
  let dependentDialects = ["::ingot::ir::IngotDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def LowerToPlanPass : Ingot_Pass<"ingot-lower-to-plan"> {
  let summary = "Choose a kernel for every op and write the plan";
  let description = [{
    Entries become plan.entry ops in one plan.program: every op one or more launches of kernels, weights plan.weight
    ops with their recipes, values buffers. Kernels with equal template and params, and weights with equal recipes, are
    stored once. A norm in a linear's prologue becomes pack_rows, once per distinct result.

    ```mlir
    %y = ingot.linear %x, %w {compute = f32, layout = "n16k", n = 32, k = 64}
    // becomes
    plan.kernel @"linear-f32-n32-k64-..." template "linear" {params = {n = 32 : i32, k = 64 : i32, ...}}
    plan.launch @"linear-f32-n32-k64-..."(%in, %weight, %out) tiles #plan.size<2>
    ```

    Does nothing in a module without entries. Fails, naming the node, on an op that no kernel computes.
  }];
  let dependentDialects = ["::ingot::ir::IngotDialect", "::ingot::plan::PlanDialect"];
}

// --- planning/

def JoinLaunchesPass : Ingot_Pass<"ingot-join-launches"> {
  let summary = "Find launches between which workers need not wait";
  let description = [{
    Workers wait for each other after a launch unless it is joined to the next: where the launches of the group so far and
    the next one do not touch what the other writes. Rows that are only prepared for products (pack_rows, quantize_rows)
    are local: a step of few rows lets each worker prepare them for itself, and waits no more than the products do.

    ```mlir
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens>
    plan.launch @linear(%a, %w, %y) tiles #plan.size<12>
    // becomes
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens> {local = 1}
    plan.launch @linear(%a, %w, %y) tiles #plan.size<12>
    ```

    Does nothing to a launch whose result is an output or has another writer.
  }];
  let dependentDialects = ["::ingot::ir::IngotDialect", "::ingot::plan::PlanDialect"];
}

def PlanMemoryPass : Ingot_Pass<"ingot-plan-memory"> {
  let summary = "Give every temporary its place in an arena";
  let description = [{
    A buffer lives from the first launch that has it to the last. In each symbol's arena the largest are placed first,
    each in the tightest gap left by those that live at the same time. A linear that is the last to read its residual
    writes over it.

    ```mlir
    %x = plan.alloc 1024 per @tokens
    // becomes
    %x = plan.view 0 bytes 1024 per @tokens     // and the program gets arena_bytes
    ```

    Does nothing to entries whose buffers are placed already. Entries share the arenas: only one runs at a time.
  }];
  let dependentDialects = ["::ingot::ir::IngotDialect", "::ingot::plan::PlanDialect"];
}

def VerifyPlanPass : Ingot_Pass<"ingot-verify-plan"> {
  let summary = "Check that a plan can be run";
  let description = [{
    The boundary before the engine is written. Fails, naming the entry, the launches and their nodes, when a buffer is
    not placed; when two buffers that are alive at the same time share a byte of an arena; when a launch writes an input
    or a weight; when a temporary is read before any launch wrote it; when an output is never written; when an arena is
    smaller than what is placed in it. Changes nothing.
  }];
  let dependentDialects = ["::ingot::ir::IngotDialect", "::ingot::plan::PlanDialect"];
}

#endif
