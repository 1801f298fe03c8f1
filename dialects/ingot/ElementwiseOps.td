// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element-wise ops. Each gives its scalar body once, through ScalarBodyInterface (ElementwiseOps.cpp): constant folding
// evaluates it, lowering to linalg and fusion copy it. Shapes are equal; broadcasting is an op of its own.
#ifndef INGOT_DIALECTS_INGOT_ELEMENTWISE_OPS
#define INGOT_DIALECTS_INGOT_ELEMENTWISE_OPS

include "dialects/ingot/IngotBase.td"
include "dialects/ingot/IngotInterfaces.td"

class Ingot_UnaryOp<string mnemonic, string summary_, string formula> : Ingot_Op<mnemonic,
    [Pure, SameOperandsAndResultType, DeclareOpInterfaceMethods<Ingot_ScalarBodyInterface>]> {
  let summary = summary_;
  let description = "\n    result = " # formula # [{, element by element; input and result have the same type.

    ```mlir
    %r = ingot.}] # mnemonic # [{ %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ```
  }];
  let arguments = (ins Ingot_FloatTensor:$input);
  let results = (outs Ingot_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let hasFolder = 1;
}

def Ingot_NegOp : Ingot_UnaryOp<"neg", "Negates", "-x">;
def Ingot_ExpOp : Ingot_UnaryOp<"exp", "Raises e to a power", "e^x">;
def Ingot_LogOp : Ingot_UnaryOp<"log", "Takes the natural logarithm", "ln(x)">;
def Ingot_AbsOp : Ingot_UnaryOp<"abs", "Takes the absolute value", "|x|">;
def Ingot_SinOp : Ingot_UnaryOp<"sin", "Takes the sine", "sin(x)">;
def Ingot_CosOp : Ingot_UnaryOp<"cos", "Takes the cosine", "cos(x)">;
def Ingot_SqrtOp : Ingot_UnaryOp<"sqrt", "Takes the square root", "sqrt(x)">;
def Ingot_RsqrtOp : Ingot_UnaryOp<"rsqrt", "Takes the reciprocal of the square root", "1 / sqrt(x)">;
def Ingot_TanhOp : Ingot_UnaryOp<"tanh", "Takes the hyperbolic tangent", "tanh(x)">;
def Ingot_ErfOp : Ingot_UnaryOp<"erf", "Takes the error function", "erf(x)">;
def Ingot_SigmoidOp : Ingot_UnaryOp<"sigmoid", "Takes the logistic function", "1 / (1 + e^-x)">;
def Ingot_SiluOp : Ingot_UnaryOp<"silu", "Applies the sigmoid linear unit", "x / (1 + e^-x)">;
def Ingot_GeluOp : Ingot_UnaryOp<"gelu", "Applies the Gaussian error linear unit", "x / 2 * (1 + erf(x / sqrt(2)))">;
def Ingot_GeluTanhOp : Ingot_UnaryOp<"gelu_tanh", "Applies the tanh form of the Gaussian error linear unit",
    "x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))">;
def Ingot_QuickGeluOp : Ingot_UnaryOp<"quick_gelu", "Applies the sigmoid form of the Gaussian error linear unit",
    "x / (1 + e^(-1.702 x))">;
def Ingot_ReluOp : Ingot_UnaryOp<"relu", "Replaces negative values by zero", "max(x, 0)">;

class Ingot_BinaryOp<string mnemonic, string summary_, string formula, list<Trait> traits = []> : Ingot_Op<mnemonic,
    !listconcat([Pure, SameOperandsAndResultType, DeclareOpInterfaceMethods<Ingot_ScalarBodyInterface>], traits)> {
  let summary = summary_;
  let description = "\n    result = " # formula # [{, element by element; operands and result have the same type.

    ```mlir
    %r = ingot.}] # mnemonic # [{ %a, %b : tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ```
  }];
  let arguments = (ins Ingot_FloatTensor:$lhs, Ingot_FloatTensor:$rhs);
  let results = (outs Ingot_FloatTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs)";
  let hasFolder = 1;
}

def Ingot_AddOp : Ingot_BinaryOp<"add", "Adds", "lhs + rhs", [Commutative]>;
def Ingot_SubOp : Ingot_BinaryOp<"sub", "Subtracts", "lhs - rhs">;
def Ingot_MulOp : Ingot_BinaryOp<"mul", "Multiplies", "lhs * rhs", [Commutative]>;
def Ingot_DivOp : Ingot_BinaryOp<"div", "Divides", "lhs / rhs">;
def Ingot_PowOp : Ingot_BinaryOp<"pow", "Raises to a power", "lhs ^ rhs">;
def Ingot_MaxOp : Ingot_BinaryOp<"max", "Takes the larger", "max(lhs, rhs), NaN where either is", [Commutative]>;
def Ingot_MinOp : Ingot_BinaryOp<"min", "Takes the smaller", "min(lhs, rhs), NaN where either is", [Commutative]>;

def Ingot_ScaleOp : Ingot_Op<"scale",
    [Pure, SameOperandsAndResultType, DeclareOpInterfaceMethods<Ingot_ScalarBodyInterface>]> {
  let summary = "Multiplies by a number";
  let description = [{
    result = input * factor, the factor rounded to the element type.

    ```mlir
    %r = ingot.scale %x {factor = 0.125 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ```
  }];
  let arguments = (ins Ingot_FloatTensor:$input, F64Attr:$factor);
  let results = (outs Ingot_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let hasFolder = 1;
}


def Ingot_CompareOp : Ingot_Op<"compare", [Pure, AllTypesMatch<["lhs", "rhs"]>, SameOperandsAndResultShape,
    DeclareOpInterfaceMethods<Ingot_ScalarBodyInterface>]> {
  let summary = "Compares element by element";
  let description = [{
    result = whether lhs `kind` rhs; comparisons with NaN are false, but for ne.

    - compare-c1: operands and result have the same dimensions' names.

    ```mlir
    %c = ingot.compare %a, %b {kind = #ingot.compare<lt>} : tensor<4xi64> -> tensor<4xi1>
    ```
  }];
  let arguments = (ins Ingot_NumberTensor:$lhs, Ingot_NumberTensor:$rhs, Ingot_CompareKindAttr:$kind);
  let results = (outs Ingot_BoolTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)";
  let hasVerifier = 1;
}

def Ingot_SelectOp : Ingot_Op<"select", [Pure, AllTypesMatch<["on_true", "on_false", "result"]>,
    SameOperandsAndResultShape, DeclareOpInterfaceMethods<Ingot_ScalarBodyInterface>]> {
  let summary = "Takes elements of one tensor or another";
  let description = [{
    result = condition ? on_true : on_false

    - select-c1: condition and result have the same dimensions' names.

    ```mlir
    %r = ingot.select %c, %a, %b : tensor<4xi1>, tensor<4xf32>
    ```
  }];
  let arguments = (ins Ingot_BoolTensor:$condition, Ingot_NumberTensor:$on_true, Ingot_NumberTensor:$on_false);
  let results = (outs Ingot_NumberTensor:$result);
  let assemblyFormat = "$condition `,` $on_true `,` $on_false attr-dict `:` type($condition) `,` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif
