// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What stands in an entry: buffers and launches over them.
#ifndef INGOT_DIALECTS_PLAN_ENTRY_OPS
#define INGOT_DIALECTS_PLAN_ENTRY_OPS

include "dialects/plan/PlanBase.td"

// An op that names memory. Naming has no effect: two ops that name the same memory may be merged.
class Plan_BufferOp<string mnemonic, list<Trait> traits = []>
    : Plan_Op<mnemonic, !listconcat([HasParent<"EntryOp">], traits)> {
  let results = (outs Plan_BufferType:$result);
}

// An op whose buffer is a place of its own: never merged with another's, and gone where nothing has it.
class Plan_PlaceOp<string mnemonic> : Plan_Op<mnemonic,
    [HasParent<"EntryOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let results = (outs Res<Plan_BufferType, "", [MemAlloc]>:$result);
}

def Plan_InputOp : Plan_BufferOp<"input", [Pure]> {
  let summary = "Names the memory of an input";
  let description = [{
    - input-c1: the entry has an input of that name.

    ```mlir
    %x = plan.input "tokens"
    ```
  }];
  let arguments = (ins StrAttr:$name);
  let assemblyFormat = "$name attr-dict";
  let hasVerifier = 1;
}

def Plan_OutputOp : Plan_BufferOp<"output", [Pure]> {
  let summary = "Names the memory of an output";
  let description = [{
    - output-c1: the entry has an output of that name.

    ```mlir
    %y = plan.output "logits"
    ```
  }];
  let arguments = (ins StrAttr:$name);
  let assemblyFormat = "$name attr-dict";
  let hasVerifier = 1;
}

def Plan_WeightRefOp : Plan_BufferOp<"weight_ref", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Names the memory of a stored weight";
  let description = [{
    - weight-ref-c1: the program has a plan.weight of that name.

    ```mlir
    %w = plan.weight_ref @"lm_head.weight"
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight);
  let assemblyFormat = "$weight attr-dict";
}

def Plan_CachePlaneOp : Plan_BufferOp<"cache_plane", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Names the memory of a layer's plane of a cache group";
  let description = [{
    - cache-plane-c1: the program has a plan.cache_group of that name.
    - cache-plane-c2: the group has that plane.
    - cache-plane-c3: layer is one of the group's.

    ```mlir
    %k = plan.cache_plane @kv "key" layer 3
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$group, StrAttr:$plane, I64Attr:$layer);
  let assemblyFormat = "$group $plane `layer` $layer attr-dict";
}

def Plan_AllocOp : Plan_PlaceOp<"alloc"> {
  let summary = "Asks for temporary memory, of bytes per unit of a symbol";
  let description = [{
    Until memory is planned: the buffer lives from the first launch that has it to the last, and its place is open.

    - alloc-c1: bytes is positive.
    - alloc-c2: the symbol, where given, is one of the program's; without one the bytes are those of the whole.

    ```mlir
    %x = plan.alloc 1024 per @tokens
    %c = plan.alloc 64
    ```
  }];
  let arguments = (ins I64Attr:$bytes, OptionalAttr<FlatSymbolRefAttr>:$symbol);
  let assemblyFormat = "$bytes (`per` $symbol^)? attr-dict";
  let hasVerifier = 1;
}

def Plan_ViewOp : Plan_PlaceOp<"view"> {
  let summary = "Names a place in an arena";
  let description = [{
    In the arena of `symbol` the buffer starts at offset * (largest value of the symbol) and has bytes * (value); in the
    arena of constants, which has no symbol, both are plain bytes.

    - view-c1: offset is not negative and a multiple of 64.
    - view-c2: bytes is positive.
    - view-c3: the symbol, where given, is one of the program's.
    - view-c4: offset + bytes lies within the arena.

    ```mlir
    %x = plan.view 64 bytes 1024 per @tokens
    ```
  }];
  let arguments = (ins I64Attr:$offset, I64Attr:$bytes, OptionalAttr<FlatSymbolRefAttr>:$symbol);
  let assemblyFormat = "$offset `bytes` $bytes (`per` $symbol^)? attr-dict";
  let hasVerifier = 1;
}

def Plan_LaunchOp : Plan_Op<"launch", [HasParent<"EntryOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Runs a kernel over its tiles";
  let description = [{
    `tiles` is the extent of the kernel's tile space; `node` the model's own name for what is computed; `bytes_read` and
    `operations` are for the profile: bytes of weights and operands touched, floating-point operations.

    All workers end a launch before any starts the next, unless it is `joined` to it. `local` is the operand that every
    worker may compute whole for itself, in a copy of its own, when that is cheaper than to share the work and wait;
    then no barrier follows either. ingot-join-launches sets both.

    `rows`, where given, is how many rows each tile has that the kernel treats apart: where tiles are few for the
    workers, rows are cut in parts too (ingot_row_parts in runtime/format/kernel_abi.h).

    - launch-c1: the program has a plan.kernel of that name.
    - launch-c2: tiles has a positive part. Where it is negative there are none.
    - launch-c3: as many buffers as the template has operands under its params.
    - launch-c4: the symbols of tiles, rows, bytes_read and operations are the program's.
    - launch-c5: local is an operand, of bytes per unit of the symbol that tiles is.

    ```mlir
    plan.launch @"pack_rows-f32-k8"(%x, %a) tiles #plan.size<1 * tokens> {node = "model.norm"}
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Plan_BufferType>:$buffers, Plan_SizeAttr:$tiles,
                   OptionalAttr<StrAttr>:$node, OptionalAttr<Plan_SizeAttr>:$bytes_read,
                   OptionalAttr<Plan_SizeAttr>:$operations, UnitAttr:$joined, OptionalAttr<I64Attr>:$local,
                   OptionalAttr<Plan_SizeAttr>:$rows);
  let assemblyFormat = "$kernel `(` $buffers `)` `tiles` $tiles attr-dict";
  let hasVerifier = 1;
}

def Plan_SetSymbolOp : Plan_Op<"set_symbol", [HasParent<"EntryOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Gives a symbol that depends on data its value";
  let description = [{
    When the launch before it has ended, on all workers, the symbol is the i64 with which the buffer begins.

    - set-symbol-c1: the symbol is one of the program's, with data.
    - set-symbol-c2: the buffer is temporary memory of no symbol.
    - set-symbol-c3: a launch stands before it.

    ```mlir
    plan.set_symbol @seen(%count)
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$symbol, Plan_BufferType:$value);
  let assemblyFormat = "$symbol `(` $value `)` attr-dict";
  let hasVerifier = 1;
}

#endif
