#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Compiles a checkpoint, runs `ingot-run logits` on the ids of its golden.json and compares with the golden logits of
# transformers: at every position, the largest difference over the largest golden logit of that position must stay
# within the tolerance. However the prompt is cut (--chunk), whoever shares its steps (--mix) and however many threads
# there are (--threads), the outputs must be equal to the bit. With several --isa each is compared by itself.
# Standard library only.
#   compare_logits.py --ingot BIN --ingot-run BIN --model DIR --work DIR [--compute f32] [--kv TYPE]
#                     [--tolerance 1e-4]
#                     [--isa LEVEL]... [--chunk N]... [--mix N]... [--threads N]... [--engine F]
import argparse
import pathlib

from support import Failure, compare_logits, floats, logit_cases, main, read_npy_f32, run, same_bits, write_npy_i32


def ways_of(case, args):
    """How the prompt is fed, each as options of `ingot-run logits`; all of them must give the same bits."""
    # Where frequencies follow the length of the whole forward, cutting the prompt changes what is computed.
    chunks = [0] if case.get("whole_only") else args.chunk or [0]
    mixes = [0] if case.get("whole_only") and args.mix else args.mix
    cut = {chunk: ["--chunk", chunk] if chunk else [] for chunk in chunks + mixes}
    ways = [cut[chunk] for chunk in chunks]
    ways += [cut[chunk] + ["--mix", "other"] for chunk in mixes]
    ways += [cut[chunks[-1]] + ["--threads", threads] for threads in args.threads]
    return ways


def check_case(args, engine, case, isa):
    name = f"{args.model.name}/{case['name']}" + (f" on {isa}" if isa else "")
    rows, columns = case["shape"]
    expected = floats((args.model / case["logits_file"]).read_bytes())
    if len(expected) != rows * columns:
        raise Failure(f"{name}: {case['logits_file']} holds {len(expected)} values, expected {rows * columns}")
    stem = args.work / f"{args.model.name}-{case['name']}-{args.compute}{args.kv}-{isa or 'best'}"
    tokens, other, out = (stem.with_name(stem.name + end) for end in ("-tokens.npy", "-other.npy", "-out.npy"))
    write_npy_i32(tokens, case["ids"])
    # Another order and another length, so that the two sequences never stand at the same place.
    write_npy_i32(other, case["ids"][::-1][:len(case["ids"]) * 2 // 3])
    first, worst = None, 0.0
    for way in ways_of(case, args):
        where = f"{name} {' '.join(str(part) for part in way)}"
        command = [args.ingot_run, "logits", engine, "--tokens", tokens, "-o", out]
        command += [other if part == "other" else part for part in way]
        command += ["--context", case["context"]] if "context" in case else []
        run(command, isa)
        found, shape = read_npy_f32(out)
        if shape != [rows, columns] or len(found) != rows * columns:
            raise Failure(f"{where}: expected shape {[rows, columns]}, found {shape} with {len(found)} values")
        if first is None:
            first, reference = found, where
            worst = compare_logits(found, expected, rows, columns, args.tolerance, where)
        else:
            same_bits(found, first, columns, where, reference)
    print(f"OK {name} {worst:.2e}", flush=True)


def check():
    parser = argparse.ArgumentParser(description="compares ingot's logits with a checkpoint's golden logits")
    parser.add_argument("--ingot", type=pathlib.Path)
    parser.add_argument("--ingot-run", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="a checkpoint directory with golden.json")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="where engines and outputs go")
    parser.add_argument("--engine", type=pathlib.Path, help="an engine already compiled from the model")
    parser.add_argument("--compute", default="f32")
    parser.add_argument("--kv", default="", help="type of cached keys and values; by default that of products")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--isa", action="append", help="restricts the instruction set: avx2, avx512, avx512bf16")
    parser.add_argument("--chunk", type=int, action="append", help="tokens per step; 0 is all at once")
    parser.add_argument("--mix", type=int, action="append", default=[],
                        help="like --chunk, with another sequence in the same steps")
    parser.add_argument("--threads", type=int, action="append", default=[])
    args = parser.parse_args()
    if args.engine is None and args.ingot is None:
        parser.error("give --ingot to compile the model, or --engine")
    args.work.mkdir(parents=True, exist_ok=True)
    engine = args.engine
    if engine is None:
        engine = args.work / f"{args.model.name}-{args.compute}{args.kv}.ingot"
        kv = [f"--kv={args.kv}"] if args.kv else []
        run([args.ingot, "compile", args.model, "-o", engine, f"--compute={args.compute}", "--quiet"] + kv)
    for isa in args.isa or [None]:
        for case in logit_cases(args.model):
            check_case(args, engine, case, isa)


if __name__ == "__main__":
    main(check)
