#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Compiles a checkpoint with quantized weights and compares its logits with those of the same checkpoint whose weights
# this script has quantized and dequantized itself, from the formulas of docs/spec/numerics.md, compiled in f32 (which
# logits/ holds to transformers). Float activations read exactly these weights, so that with --bits the logits must be
# equal to the bit; int8 ones stay within --tolerance of the largest logit of a position. However the prompt is cut,
# whoever shares its steps and however many threads there are, each engine gives the same bits; and each is the same
# file for any number of compiling threads. Its report must tell the error that this script finds.
# Standard library only.
#   check_quantized.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --model DIR --weights SCHEME [--rules FILE]
#                      [--bits] [--float-tolerance X] --tolerance X [--isa LEVEL]...
import argparse
import array
import fnmatch
import json
import math
import pathlib
import shutil
import struct

from support import Failure, compare_logits, logit_cases, main, read_npy_f32, run, same_bits, write_npy_i32

PRODUCTS = ("*_proj.weight", "lm_head.weight")


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def f16(x):
    return struct.unpack("<e", struct.pack("<e", x))[0]


def read_safetensors(path):
    """name -> (shape, values as f32) of every tensor of a file."""
    data = path.read_bytes()
    size = struct.unpack_from("<Q", data)[0]
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        raw = data[8 + size + entry["data_offsets"][0]:8 + size + entry["data_offsets"][1]]
        if entry["dtype"] == "F32":
            values = array.array("f", raw)
        elif entry["dtype"] == "F16":
            values = array.array("f", (v for (v,) in struct.iter_unpack("<e", raw)))
        elif entry["dtype"] == "BF16":
            values = array.array("f", b"".join(b"\0\0" + raw[i:i + 2] for i in range(0, len(raw), 2)))
        else:
            raise Failure(f"{path}: {name} is {entry['dtype']}, which this script does not read")
        tensors[name] = (entry["shape"], values)
    return tensors


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, (shape, values) in tensors.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + 4 * len(values)]}
        offset += 4 * len(values)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, values in tensors.values():
            file.write(values.tobytes())


def dequantize_group(w, bits, scale_type, asym):
    """What the values of one group become."""
    lo, hi = min(0.0, min(w)), max(0.0, max(w))
    if asym:
        s = scale_type(f32((hi - lo) / 15))
        z = min(max(round(f32(-lo / s)), 0), 15) if s else 0
        u = [min(max(round(f32(x / s)) + z, 0), 15) if s else z for x in w]
    else:
        most = 7 if bits == 4 else 127
        s = scale_type(f32(max(hi, -lo) / most))
        z = most + 1
        u = [min(max(round(f32(x / s)), -most), most) + z if s else z for x in w]
    return [f32((v - z) * s) for v in u]


def dequantize(shape, values, scheme):
    """The tensor as the scheme stores it, and the root mean square of its error over that of its values."""
    base, asym = scheme.removesuffix(",asym"), scheme.endswith(",asym")
    if base in ("f32", "f16", "bf16"):
        raise Failure(f"{scheme} is no quantization")
    kind, _, group = base.partition(":")
    group = {"": "channel" if kind == "int8" else "g128"}.get(group, group)
    columns = shape[1]
    size = columns if group == "channel" else int(group[1:])
    out = array.array("f")
    for row in range(shape[0]):
        for first in range(0, columns, size):
            begin, end = row * columns + first, row * columns + min(first + size, columns)
            out.extend(dequantize_group(values[begin:end], int(kind[3:]), f32 if group == "channel" else f16, asym))
    lost = math.fsum((a - b) ** 2 for a, b in zip(out, values))
    return out, math.sqrt(lost / math.fsum(v * v for v in values))


def dequantized_checkpoint(model, to, scheme_of):
    """Writes the checkpoint in f32 with the weights of its products quantized and dequantized; name -> relative error."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    shutil.copy(model / "config.json", to)
    tied = json.loads((model / "config.json").read_text()).get("tie_word_embeddings", False)
    tensors, errors = {}, {}
    for file in sorted(model.glob("*.safetensors")):
        tensors.update(read_safetensors(file))
    for name, (shape, values) in tensors.items():
        product = any(fnmatch.fnmatchcase(name, "*" + pattern) for pattern in PRODUCTS)
        scheme = scheme_of(name) if product or (tied and name == "model.embed_tokens.weight") else None
        if scheme:
            quantized, errors[name] = dequantize(shape, values, scheme)
            tensors[name] = (shape, quantized)
    write_safetensors(to / "model.safetensors", tensors)
    return errors


def rules_of(path):
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines()) if path else []
    return [(words[0], words[1]) for words in lines if words]


def check_report(args, engine, errors):
    """Weights of one tensor tell the error that this script has found, to the four digits of the report and the
    rounding of sums; those of several tensors lie between the smallest and the largest of theirs."""
    report = json.loads(run([args.ingot, "inspect", engine, "--json"])[0])["report"]
    text = run([args.ingot, "inspect", engine, "--weights"])[0]
    for weight in report["weights"]:
        if "quantized" in weight and f"loss {weight['name']} {weight['quantized']['scheme']} relative" not in text:
            raise Failure(f"{engine.name}: inspect does not tell what {weight['name']} lost")
    told = [weight for weight in report["weights"] if "quantized" in weight]
    if {source["tensor"] for weight in told for source in weight["from"]} != set(errors):
        raise Failure(f"{engine.name}: the report tells other quantized tensors than {sorted(errors)}")
    for weight in told:
        theirs = [errors[source["tensor"]] for source in weight["from"]]
        found = weight["quantized"]["relative_rms_error"]
        if not min(theirs) * 0.999 <= found <= max(theirs) * 1.001:
            raise Failure(f"{weight['name']}: the report tells a relative error of {found}, expected {theirs}")


def logits(args, engine, case, options, isa=None):
    tokens, out = args.work / "tokens.npy", args.work / "out.npy"
    write_npy_i32(tokens, case["ids"])
    run([args.ingot_run, "logits", engine, "--tokens", tokens, "-o", out] + options, isa)
    return read_npy_f32(out)[0]


def check():
    parser = argparse.ArgumentParser(description="compares engines of quantized weights with dequantized checkpoints")
    for name in ("ingot", "ingot-run", "cache", "work", "model"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--rules", type=pathlib.Path)
    parser.add_argument("--bits", action="store_true")
    parser.add_argument("--float-tolerance", type=float, default=1e-4)
    parser.add_argument("--tolerance", type=float, required=True)
    parser.add_argument("--isa", action="append")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    rules = rules_of(args.rules)

    def scheme_of(name):
        return next((scheme for pattern, scheme in rules if fnmatch.fnmatchcase(name, pattern)), args.weights)

    errors = dequantized_checkpoint(args.model, args.work / "dequantized", scheme_of)
    plain = args.work / "dequantized.ingot"
    run([args.ingot, "compile", args.work / "dequantized", "-o", plain, "--compute=f32", "--quiet"])
    case = logit_cases(args.model)[0]
    rows, columns = case["shape"]
    expected = logits(args, plain, case, [])
    other = args.work / "other.npy"
    write_npy_i32(other, case["ids"][::-1][:len(case["ids"]) * 2 // 3])
    for activations, tolerance in (("float", args.float_tolerance), ("int8", args.tolerance)):
        engine = args.work / f"{activations}.ingot"
        options = [f"--weights={args.weights}", f"--activations={activations}", "--quiet"]
        options += [f"--rules={args.rules}"] if args.rules else []
        run([args.ingot, "compile", args.model, "-o", engine] + options)
        check_report(args, engine, errors)
        first = None
        for isa in args.isa or [None]:
            where = f"{args.model.name} {args.weights} {activations} {isa or ''}"
            for way in ([], ["--chunk", 1], ["--chunk", 7], ["--chunk", 7, "--mix", other], ["--threads", 3]):
                found = logits(args, engine, case, way, isa)
                if first is None:
                    first = found
                same_bits(found, first, columns, f"{where} {way}", "the whole prompt on the first set")
        if args.bits and activations == "float":
            same_bits(first, expected, columns, where, "the dequantized checkpoint in f32")
        worst = compare_logits(first, expected, rows, columns, tolerance, where)
        print(f"OK {where} {worst:.2e}", flush=True)
    again = args.work / "again.ingot"
    run([args.ingot, "compile", args.model, "-o", again, "--threads=1"] + options)
    if again.read_bytes() != engine.read_bytes():
        raise Failure(f"{engine.name}: one thread compiles another file than all")


if __name__ == "__main__":
    main(check)
