// RUN: %ingot_opt --canonicalize --cse %s | FileCheck %s

// Names of the same memory are merged and unused ones go; launches and temporaries that are read stay as they are.

// CHECK-LABEL: plan.program @merged
plan.program @merged {
  plan.symbol @tokens
  plan.kernel @k template "pack_rows"
      {params = {k = 8 : i32, k_padded = 16 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // CHECK:      %[[X:.*]] = plan.input "x"
    // CHECK-NEXT: %[[Y:.*]] = plan.output "y"
    %x = plan.input "x"
    %again = plan.input "x"
    %unused = plan.output "y"
    %y = plan.output "y"
    // Two temporaries of one size are two.
    // CHECK-NEXT: %[[A:.*]] = plan.alloc 64 per @tokens
    // CHECK-NEXT: %[[B:.*]] = plan.alloc 64 per @tokens
    %a = plan.alloc 64 per @tokens
    %b = plan.alloc 64 per @tokens
    %c = plan.alloc 64 per @tokens
    // CHECK-NEXT: plan.launch @k(%[[X]], %[[A]])
    // CHECK-NEXT: plan.launch @k(%[[X]], %[[B]])
    // CHECK-NEXT: plan.launch @k(%[[B]], %[[Y]])
    // CHECK-NEXT: plan.launch @k(%[[B]], %[[Y]])
    plan.launch @k(%x, %a) tiles <tokens>
    plan.launch @k(%again, %b) tiles <tokens>
    plan.launch @k(%b, %y) tiles <tokens>
    plan.launch @k(%b, %y) tiles <tokens>
  }
}
