// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a program declares: symbols, cache groups, stored weights with their recipes, kernels, entries.
#ifndef INGOT_DIALECTS_PLAN_PROGRAM_OPS
#define INGOT_DIALECTS_PLAN_PROGRAM_OPS

include "dialects/plan/PlanBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/IR/RegionKindInterface.td"

def Plan_ProgramOp : Plan_Op<"program", [Symbol, SymbolTable, NoTerminator, SingleBlock, NoRegionArguments,
                                         IsolatedFromAbove]> {
  let summary = "Holds a whole plan";
  let description = [{
    `vocabulary` is the number of columns of the logits, 0 where the model is no decoder; `context_length` the number of
    positions the model was made for. Memory planning adds `arena_bytes`, for each symbol in order the bytes per unit of
    its arena, and `arena_bytes_constant`. Functions that kernels name and tensors that recipes read stand in
    the program or in the module around it.

    - program-c1: arena_bytes, where given, has one entry per symbol, none negative; arena_bytes_constant comes with it.
    - program-c2: vocabulary and context_length are not negative.

    ```mlir
    plan.program @tales attributes {vocabulary = 4096 : i64, context_length = 256 : i64} {
      plan.symbol @tokens
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, DefaultValuedAttr<I64Attr, "0">:$vocabulary,
                   DefaultValuedAttr<I64Attr, "0">:$context_length, OptionalAttr<DenseI64ArrayAttr>:$arena_bytes,
                   OptionalAttr<I64Attr>:$arena_bytes_constant);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, CArg<"int64_t", "0">:$vocabulary,
                                 CArg<"int64_t", "0">:$contextLength)>];
  let extraClassDeclaration = [{
    // Number of the symbol of that name in the order of the symbol table, or -1.
    int64_t symbolIndex(::llvm::StringRef symbol);
  }];
}

def Plan_SymbolOp : Plan_Op<"symbol", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "Declares a dynamic dimension";
  let description = [{
    Symbols are numbered in the order in which they stand. One with a `value` is derived: it follows from others; one with
    `data` is set while an entry runs, and follows no further than its largest value. Both as of ingot.symbol.

    - symbol-c1: max, where given, is positive, and the symbol is neither derived nor dependent on data.
    - symbol-c2: value or data, where given, is an expression over symbols that stand before this one; one of them at most.
    - symbol-c3: requirement is not empty, and given to a derived symbol alone.

    ```mlir
    plan.symbol @tokens
    plan.symbol @pairs value "tokens*tokens"
    plan.symbol @fits value "512 - tokens" requires "at most 512 positions"
    plan.symbol @seen data "tokens"
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<I64Attr>:$max, OptionalAttr<StrAttr>:$value,
                   OptionalAttr<StrAttr>:$data, OptionalAttr<StrAttr>:$requirement);
  let assemblyFormat = "$sym_name (`max` $max^)? (`value` $value^)? (`data` $data^)? (`requires` $requirement^)? attr-dict";
  let hasVerifier = 1;
}

def Plan_CacheGroupOp : Plan_Op<"cache_group", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "Declares how a group of layers caches";
  let description = [{
    - cache-group-c1: layers is positive, and page_tokens a positive multiple of 16.
    - cache-group-c2: retention is "full", "window" or "source"; window is given, and positive, exactly when it is "window".
    - cache-group-c3: there is at least one plane, and their names are distinct.

    ```mlir
    plan.cache_group @kv {layers = 6 : i64, page_tokens = 32 : i64, retention = "full",
        planes = [#plan.plane<"key", f32, "h_t16_d_16", page_bytes = 16384>,
                  #plan.plane<"value", f32, "h_t_d", page_bytes = 16384>]}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$layers, I64Attr:$page_tokens, StrAttr:$retention,
                   OptionalAttr<I64Attr>:$window, Plan_PlaneArrayAttr:$planes);
  let assemblyFormat = "$sym_name attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    // Number of the plane of that name, or -1.
    int64_t planeIndex(::llvm::StringRef plane);
  }];
}

def Plan_WeightOp : Plan_Op<"weight", [Symbol, HasParent<"ProgramOp">, SingleBlock, NoRegionArguments]> {
  let summary = "Declares a stored weight and the recipe that makes it";
  let description = [{
    The region holds ops of the ingot dialect over ingot.weight and ingot.constant; its plan.yield gives the tensor
    that is stored, of type `type`. `layout` says how to read it: "row_major", the layout of its ingot.pack, or
    "n16g".

    - weight-c1: the recipe yields one value, of the weight's type, which is static.
    - weight-c2: the recipe holds only ops of the ingot dialect that depend on weights alone.
    - weight-c3: layout is that of the recipe's last op: its ingot.pack's, n16g of an ingot.pack_groups, else row_major.

    ```mlir
    plan.weight @"lm_head.weight" : tensor<3x8x16xf32> layout "n16k" {
      %0 = ingot.weight @"lm_head.weight" : tensor<40x8xf32>
      %1 = ingot.pack %0 {layout = "n16k"} : tensor<40x8xf32> -> tensor<3x8x16xf32>
      plan.yield %1 : tensor<3x8x16xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type, StrAttr:$layout);
  let regions = (region SizedRegion<1>:$recipe);
  let assemblyFormat = "$sym_name `:` $type `layout` $layout attr-dict-with-keyword $recipe";
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() { return ::llvm::cast<::mlir::RankedTensorType>(getType()); }
    // The value that is stored.
    ::mlir::Value getYielded();
    // Bytes of the stored tensor.
    int64_t getBytes();
  }];
}

def Plan_YieldOp : Plan_Op<"yield", [Pure, HasParent<"WeightOp">, ReturnLike, Terminator]> {
  let summary = "Gives a recipe's result";
  let description = [{
    ```mlir
    plan.yield %1 : tensor<3x8x16xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Plan_KernelOp : Plan_Op<"kernel", [Symbol, HasParent<"ProgramOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Declares a kernel";
  let description = [{
    Either a `template` of compiler/target/templates/params.h with the values of all its `params`, or a `body`: a
    function that came through linalg. `scratch` is filled in by the target: bytes per worker.

    - kernel-c1: a template with params, or else a body.
    - kernel-c2: the template is known.
    - kernel-c3: params has exactly the template's parameters: i32 for integers, f32 for floats.
    - kernel-c4: body names a function.
    - kernel-c5: scratch is not negative.

    ```mlir
    plan.kernel @"pack_rows-f32-k8" template "pack_rows"
        {params = {k = 8 : i32, k_padded = 16 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
    plan.kernel @"softmax-f32-8" body @softmax
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<StrAttr>:$template_name,
                   OptionalAttr<DictionaryAttr>:$params, OptionalAttr<FlatSymbolRefAttr>:$body,
                   DefaultValuedAttr<I64Attr, "0">:$scratch);
  let assemblyFormat = "$sym_name (`template` $template_name^)? (`body` $body^)? attr-dict";
  let hasVerifier = 1;
}

def Plan_EntryOp : Plan_Op<"entry", [Symbol, HasParent<"ProgramOp">, SingleBlock, NoTerminator, NoRegionArguments,
                                     DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Defines the launches of an entry";
  let description = [{
    Launches run in the order in which they stand. `function_type` gives inputs and outputs as tensors whose dynamic
    dimensions are named by #ingot.dims; `arg_names` and `res_names` are the names by which callers know them.

    - entry-c1: arg_names has a name per input, res_names one per output; names of inputs are distinct, and of outputs.
    - entry-c2: every dimension is static or named by one of the program's symbols.
    - entry-c3: the region holds only ops of this dialect that give buffers, launches and settings of symbols.

    ```mlir
    plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
        attributes {arg_names = ["x"], res_names = ["y"]} {
      %x = plan.input "x"
      %y = plan.output "y"
      plan.launch @"softmax-f32-8"(%x, %y) tiles #plan.size<1 * tokens>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, StrArrayAttr:$arg_names,
                   StrArrayAttr:$res_names);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `:` $function_type attr-dict-with-keyword $body";
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::FunctionType":$type, "::mlir::ArrayAttr":$argNames,
                                 "::mlir::ArrayAttr":$resNames)>];
  let extraClassDeclaration = [{
    // Number of the input or output of that name, or -1.
    int64_t inputIndex(::llvm::StringRef name);
    int64_t outputIndex(::llvm::StringRef name);
    ::mlir::RankedTensorType inputType(unsigned i) {
      return ::llvm::cast<::mlir::RankedTensorType>(getFunctionType().getInput(i));
    }
    ::mlir::RankedTensorType outputType(unsigned i) {
      return ::llvm::cast<::mlir::RankedTensorType>(getFunctionType().getResult(i));
    }
  }];
}

#endif
