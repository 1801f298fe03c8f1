#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Perplexity of a text against what transformers gives on the same ids. The number may not depend on threads or chunks.
#   check_evaluate.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --model DIR --text FILE
#                     (--golden FILE | --max-ids N) [--compute f32] [--nll-tolerance X] [--isa LEVEL]...
# The mean negative log-likelihood must be within the tolerance; its default 5e-5 keeps 4 digits of the perplexity.
import argparse
import json
import pathlib

from support import Failure, check, main, run, shared_engine


def check_evaluate():
    parser = argparse.ArgumentParser(description="compares perplexity with a recorded one")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--model", "--text"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--golden", type=pathlib.Path, help="recorded perplexities; default: the model's golden.json")
    parser.add_argument("--max-ids", type=int)
    parser.add_argument("--compute", default="f32")
    parser.add_argument("--nll-tolerance", type=float, default=5e-5)
    parser.add_argument("--isa", action="append")
    args = parser.parse_args()
    if args.golden:
        golden = json.loads(args.golden.read_text())["models"][args.model.name]
    else:
        golden = json.loads((args.model / "golden.json").read_text())["evaluation"]
    engine = shared_engine(args.ingot, args.model, args.cache, [f"--compute={args.compute}"])
    base = [args.ingot_run, "evaluate", engine, "--text", args.text, "--json"]
    base += ["--max-ids", args.max_ids] if args.max_ids else []
    base += ["--context", golden["context"]] if "context" in golden else []
    for isa in args.isa or [None]:
        found = json.loads(run(base, isa)[0])
        where = f"{args.model.name} {args.compute} {isa or ''}"
        if "predicted" in golden:
            check(found["predicted"], golden["predicted"], f"{where}: predicted ids")
        off = found["mean_nll"] - golden["mean_nll"]
        if not abs(off) <= args.nll_tolerance:
            raise Failure(f"{where}: mean nll {found['mean_nll']:.9f}, expected {golden['mean_nll']:.9f}; off by {off:.3g}, "
                          f"tolerance {args.nll_tolerance:g}")
        if not args.max_ids:
            for options in (["--threads", 1], ["--threads", 3, "--chunk", 64]):
                again = json.loads(run(base + options, isa)[0])
                check(again["mean_nll"], found["mean_nll"], f"{where} with {options}: mean nll")
        print(f"OK {where} perplexity {found['perplexity']:.6f}, expected {golden['perplexity']:.6f}, nll off by {off:.2e}")


if __name__ == "__main__":
    main(check_evaluate)
