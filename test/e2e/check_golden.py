#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Greedy text against a checkpoint's golden.json: ids and text must be exactly what transformers gave, from a prompt's
# text, from its ids, and streamed. With several --isa each is compared by itself.
#   check_golden.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --model DIR [--compute f32] [--isa LEVEL]...
import argparse
import json
import pathlib

from support import check, json_lines, main, run, shared_engine


def read_golden(model):
    """(prompt or None, prompt ids or None, greedy ids, text) for each recorded prompt."""
    golden = json.loads((model / "golden.json").read_text())
    if "greedy" in golden:
        return [(g["prompt"], g["prompt_ids"], g["greedy_ids"], g["text"]) for g in golden["greedy"]]
    # stories260k: all from the token that begins a text, which stands first among the ids.
    ids = golden["greedy_ids"]
    return [(None, ids[:1], ids[1:], golden["greedy_text"])]


def check_engine(args, engine, isa):
    generate = [args.ingot_run, engine, "--greedy", "--ignore-eos"]
    for prompt, prompt_ids, greedy, text in read_golden(args.model):
        ids = ",".join(str(id) for id in prompt_ids)
        inputs = [["--ids", ids]] + ([["--prompt", prompt]] if prompt is not None else [])
        for source in inputs:
            where = f"{args.model.name} {source[0]} {prompt or ids!r}" + (f" on {isa}" if isa else "")
            found = json_lines(run(generate + source + ["-n", len(greedy), "--json"], isa)[0])
            check(len(found), 1, f"{where}: number of JSON objects")
            check(found[0]["ids"], greedy, f"{where}: ids")
            # Without a prompt's text, a first space may belong to the text or not.
            same = str if prompt is not None else str.lstrip
            check(same(found[0]["text"]), same(text), f"{where}: text")
            check(found[0]["finish_reason"], "length", f"{where}: finish_reason")
            streamed = run(generate + source + ["-n", len(greedy)], isa)[0]
            check(same(streamed), same(text) + "\n", f"{where}: streamed text")
    print(f"OK {args.model.name} {isa or ''}")


def check_golden():
    parser = argparse.ArgumentParser(description="compares greedy text with a checkpoint's golden text")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--model"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--compute", default="f32")
    parser.add_argument("--isa", action="append")
    args = parser.parse_args()
    engine = shared_engine(args.ingot, args.model, args.cache, [f"--compute={args.compute}"])
    for isa in args.isa or [None]:
        check_engine(args, engine, isa)


if __name__ == "__main__":
    main(check_golden)
