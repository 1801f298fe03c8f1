#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `ingot inspect --json` against the checkpoint itself: parameters, every tensor accounted for in the report, 16-bit
# weights stored in 16 bits, a tied embedding stored once, and sections where the file has them.
#   check_inspect.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --model DIR [--compute TYPE] [--sixteen-bit]
import argparse
import json
import math
import pathlib
import struct

from support import Failure, check, main, run, shared_engine


def checkpoint_tensors(model):
    tensors = {}
    for file in sorted(model.glob("*.safetensors")):
        data = file.read_bytes()
        header = json.loads(data[8:8 + struct.unpack_from("<Q", data)[0]])
        for name, entry in header.items():
            if name != "__metadata__" and not name.endswith(".inv_freq"):
                tensors[name] = (entry["dtype"], entry["shape"], file.name)
    return tensors


def check_inspect():
    parser = argparse.ArgumentParser(description="compares what inspect says with the checkpoint")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--model"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--compute")
    parser.add_argument("--sixteen-bit", action="store_true", help="the weights of products must stay in 16 bits")
    args = parser.parse_args()
    engine = shared_engine(args.ingot, args.model, args.cache, [f"--compute={args.compute}"] if args.compute else [])
    found = json.loads(run([args.ingot, "inspect", engine, "--json"])[0])
    config = json.loads((args.model / "config.json").read_text())
    tensors = checkpoint_tensors(args.model)
    if config.get("tie_word_embeddings"):
        tensors.pop("lm_head.weight", None)
    where = args.model.name

    check(found["model"]["name"], args.model.name, f"{where}: name")
    check(found["model"]["family"], config["model_type"], f"{where}: family")
    check(found["model"]["context"], config["max_position_embeddings"], f"{where}: context")
    check(found["model"]["vocabulary"], config["vocab_size"], f"{where}: vocabulary")
    elements = sum(math.prod(shape) for _, shape, _ in tensors.values())
    check(found["model"]["parameters"], elements, f"{where}: parameters")
    check(found["compute"], args.compute or found["compute"], f"{where}: compute")
    check(found["file"]["bytes"], engine.stat().st_size, f"{where}: bytes of the file")
    check([entry["name"] for entry in found["entries"]], ["step", "sample"], f"{where}: entries")
    whole = {variant["name"] for variant in found["variants"] if not variant["partial"]}
    check(whole, {"avx2", "avx512"}, f"{where}: variants that hold every kernel")
    if found["compute"] == "bf16":
        check("avx512bf16" in {variant["name"] for variant in found["variants"]}, True, f"{where}: variants of bf16")

    used = {}
    for weight in found["report"]["weights"]:
        for source in weight["from"]:
            used.setdefault(source["tensor"], []).append(source)
    check(sorted(used), sorted(tensors), f"{where}: tensors in the report")
    for name, (dtype, shape, file) in tensors.items():
        for source in used[name]:
            check((source["type"].upper(), source["shape"], source["file"]), (dtype, shape, file), f"{where}: source of {name}")
    stored = sum(weight["bytes"] for weight in found["weights"])
    check(found["memory"]["weights"] >= stored, True, f"{where}: memory of weights covers the tensors")
    if args.sixteen_bit:
        # Norms and biases become float32, rows are padded to 16 and columns to 32: small change.
        if stored > 2 * elements * 1.05 + 65536:
            raise Failure(f"{where}: {stored} bytes are stored for {elements} parameters in 16 bits")
    text = run([args.ingot, "inspect", engine, "--weights", "--launches"])[0]
    for word in (args.model.name, config["model_type"], "avx512", "step", "sample", "linear", "attention", "gather_rows"):
        check(word in text, True, f"{where}: inspect says {word}")
    print(f"OK {where}: {len(tensors)} tensors, {stored} bytes stored")


if __name__ == "__main__":
    main(check_inspect)
