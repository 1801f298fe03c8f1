#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Many prompts at once give each the ids and the text that it gets alone, to the bit: whatever the batch, the pieces in
# which prompts are fed, the number of threads, and though pages run out and sequences are computed again. Greedy, and
# with drawn tokens from a seed.
#   check_batch.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --model DIR --text FILE [--compute f32 | --compile OPTION...]
import argparse
import json
import pathlib
import re

from support import Failure, check, json_lines, main, run, shared_engine

NEW = 40
# At most this many positions in a sequence: prompts of up to 100 ids, and what is written.
LONGEST_PROMPT = 400


def prompts_of(text):
    """Twelve prompts of lengths from a word to a paragraph, none like another."""
    words = " ".join(text.split()).split(" ")
    lengths = [1, 60, 7, 33, 2, 80, 14, 5, 48, 22, 3, 70]
    prompts, at = [], 0
    for length in lengths:
        prompts.append(" ".join(words[at:at + length])[:LONGEST_PROMPT].strip())
        at += 17
    return prompts


def check_batch():
    parser = argparse.ArgumentParser(description="checks that batching never changes a text")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--model", "--text"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--compute", default="f32")
    parser.add_argument("--compile", action="append", default=[], help="an option of ingot compile, as --compile=--weights=int4")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    engine = shared_engine(args.ingot, args.model, args.cache, args.compile or [f"--compute={args.compute}"])
    prompts = prompts_of(args.text.read_text())
    file = args.work / "prompts.txt"
    file.write_text("\n".join(prompts) + "\n")
    base = [args.ingot_run, engine, "--json", "-n", NEW, "--context", 200]

    def together(options):
        out, err = run(base + ["--prompts", file] + options)
        found = json_lines(out)
        check([one["prompt"] for one in found], prompts, f"{options}: prompts in order")
        return [(one["ids"], one["text"], one["finish_reason"]) for one in found], err

    for drawing in (["--greedy"], ["--seed", 7, "--temperature", 0.9, "--top-p", 0.95, "--repetition-penalty", 1.1,
                                   "--frequency-penalty", 0.1]):
        alone = []
        for prompt in prompts:
            found = json_lines(run(base + drawing + ["--prompt", prompt])[0])
            alone.append((found[0]["ids"], found[0]["text"], found[0]["finish_reason"]))
        if len(set(text for _, text, _ in alone)) < len(prompts) // 2:
            raise Failure(f"{drawing}: most prompts are continued alike; the test would prove nothing")
        for options in (["--max-batch", 1], ["--max-batch", 3, "--threads", 1], ["--max-batch", 12, "--threads", 2],
                        ["--max-batch", 12, "--chunk", 1, "--threads", 3], ["--max-batch", 5, "--chunk", 7], []):
            for i, (found, expected) in enumerate(zip(together(drawing + options)[0], alone)):
                check(found, expected, f"{drawing + options}, prompt {i} {prompts[i][:40]!r}")
        # Room for two of the longest sequences: the others are preempted and computed again.
        limit = 2 * 200 * cache_bytes_per_token(args, engine)
        found, told = together(drawing + ["--max-batch", 12, "--kv-memory", limit, "--verbose"])
        for i, (one, expected) in enumerate(zip(found, alone)):
            check(one, expected, f"{drawing} with --kv-memory {limit}, prompt {i}")
        preempted = re.search(r"(\d+) preemptions", told)
        if not preempted or int(preempted.group(1)) == 0:
            raise Failure(f"no sequence was preempted with --kv-memory {limit}; told was:\n{told}")
    print(f"OK {args.model.name} {' '.join(args.compile) or args.compute}")


def cache_bytes_per_token(args, engine):
    return json.loads(run([args.ingot, "inspect", engine, "--json"])[0])["memory"]["cache_per_token"]


if __name__ == "__main__":
    main(check_batch)
