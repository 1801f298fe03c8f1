# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What becomes of graphs: the ops that Ingot finds in each, and beside it those that ONNX Runtime's session optimizer and
onnxruntime.transformers put there. Printed as a page of docs/spec."""
import collections
import contextlib
import io
import os
import re
import subprocess
import tempfile

import onnx

import running

# Ops of ONNX Runtime that stand for several, by what Ingot calls them.
NAMES = {
    "Attention": "attention", "MultiHeadAttention": "attention", "QAttention": "attention", "GroupQueryAttention": "attention",
    "LayerNormalization": "layer norm", "SkipLayerNormalization": "layer norm", "EmbedLayerNormalization": "layer norm",
    "SimplifiedLayerNormalization": "RMS norm", "SkipSimplifiedLayerNormalization": "RMS norm", "RMSNormalization": "RMS norm",
    "Gelu": "GELU", "BiasGelu": "GELU", "FastGelu": "GELU (tanh)", "QuickGelu": "GELU (sigmoid)", "Softmax": "softmax", "BiasSoftmax": "softmax",
    "RotaryEmbedding": "rotary embedding",
}


def counted(model):
    counts = collections.Counter(NAMES[node.op_type] for node in model.graph.node if node.op_type in NAMES)
    return ", ".join(f"{counts[name]} {name}" for name in dict.fromkeys(NAMES.values()) if counts[name]) or "-"


def by_session(path):
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = f"{folder}/optimized.onnx"
        try:
            onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            return counted(onnx.load(f"{folder}/optimized.onnx"))
        except Exception as failure:
            return "refused" if not os.path.exists(f"{folder}/optimized.onnx") else f"({str(failure)[:40]})"


def by_transformers(path):
    from onnxruntime.transformers import optimizer

    best = "-"
    for kind in ("bert", "gpt2"):
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                found = counted(optimizer.optimize_model(path, model_type=kind, num_heads=0, hidden_size=0, opt_level=0).model)
        except Exception:
            continue
        if best == "-" or ("attention" in found and "attention" not in best):
            best = found
    return best


def by_ingot(path):
    done = subprocess.run([os.path.join(running.BIN, "ingot"), "check", path], capture_output=True, text=True)
    if done.returncode:
        problems = [line.strip(" -") for line in done.stderr.splitlines() if line.startswith("  - ")]
        return "refused", problems[0] if problems else done.stderr.strip().splitlines()[0]
    lines = done.stdout.splitlines()
    made = next(line.split(None, 1)[1] for line in lines if line.startswith("graph"))
    made = ", ".join(part for part in made.split(", ") if part.split(" ", 1)[1] in set(NAMES.values()) | {"linear", "convolution", "embedding"})
    return made or "-", "; ".join(line.split(None, 2)[2] for line in lines if line.startswith("not fused"))


def page(files):
    print("# What becomes of small graphs\n\nMade by `tools/onnx-models fusion` from the graphs by which ONNX Runtime tests its optimizers: what `ingot check` finds in each, beside")
    print("what ONNX Runtime's session optimizer (all levels) and `onnxruntime.transformers` (as BERT and as GPT-2) make. Linears of ONNX Runtime are MatMul, and not counted.\n")
    print("| graph | Ingot | ONNX Runtime's session | onnxruntime.transformers | what Ingot left, and why |\n|---|---|---|---|---|")
    for path in files:
        made, left = by_ingot(path)
        name = re.sub(r"\.onnx$", "", os.path.basename(path))
        print(f"| {name} | {made} | {by_session(path)} | {by_transformers(path)} | {left.replace('|', '/')[:160]} |", flush=True)
    return 0
