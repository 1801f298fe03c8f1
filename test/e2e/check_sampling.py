#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Drawn tokens: a seed gives the same text again, another seed another; limits that leave one token give the greedy text;
# penalties keep tokens from coming again; and over many seeds the first token comes as often as the softmax of the
# logits says, in float64.
#   check_sampling.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --model DIR [--seeds N]
import argparse
import collections
import math
import pathlib

from support import Failure, check, json_lines, main, read_npy_f32, run, shared_engine, write_npy_i32

PROMPT = "Once upon a time there was a king who"


def generate(args, engine, options, count=30):
    command = [args.ingot_run, engine, "--prompt", PROMPT, "--json", "-n", count, "--ignore-eos"]
    return json_lines(run(command + options)[0])[0]


def probabilities(logits, temperature, top_k, top_p, min_p):
    """By the usual definitions: temperature, then the k likeliest, then the fewest that hold p, then min-p; renormed."""
    largest = max(logits)
    weights = [(math.exp((x - largest) / temperature), i) for i, x in enumerate(logits)]
    total = sum(w for w, _ in weights)
    order = sorted(((w / total, i) for w, i in weights), key=lambda pair: (-pair[0], pair[1]))
    order = order[:top_k] if top_k else order
    norm, kept, held = sum(p for p, _ in order), [], 0.0
    for p, i in order:
        kept.append((p, i))
        held += p / norm
        if held >= top_p:
            break
    kept = [(p, i) for p, i in kept if p >= min_p * kept[0][0]]
    norm = sum(p for p, _ in kept)
    return {i: p / norm for p, i in kept}


def check_frequencies(args, engine, logits, temperature, top_k, top_p, min_p):
    options = ["--temperature", temperature, "--top-k", top_k, "--top-p", top_p, "--min-p", min_p]
    expected = probabilities(logits, temperature, top_k, top_p, min_p)
    drawn = collections.Counter(generate(args, engine, options + ["--seed", seed], 1)["ids"][0] for seed in range(args.seeds))
    outside = sorted(set(drawn) - set(expected))
    if outside:
        raise Failure(f"{options}: drew {outside[:5]}, which have no part in the distribution")
    # Pearson's statistic over the likely tokens and all others together. Its mean is the number of cells less one, its
    # variance twice that: six deviations above are less likely than 1e-6.
    cells = [(drawn[i], p) for i, p in expected.items() if p * args.seeds >= 5]
    rest = 1 - sum(p for _, p in cells)
    if rest * args.seeds >= 1:
        cells.append((args.seeds - sum(n for n, _ in cells), rest))
    statistic = sum((n - p * args.seeds) ** 2 / (p * args.seeds) for n, p in cells)
    freedom = len(cells) - 1
    if freedom and statistic > freedom + 6 * math.sqrt(2 * freedom):
        raise Failure(f"{options}: chi-square {statistic:.1f} over {freedom} degrees of freedom: {cells}")
    print(f"OK {' '.join(str(o) for o in options)}: {len(expected)} tokens, chi-square {statistic:.1f} over {freedom}")


def check_sampling():
    parser = argparse.ArgumentParser(description="checks drawn tokens")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--model"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=150)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    engine = shared_engine(args.ingot, args.model, args.cache, ["--compute=f32"])

    greedy = generate(args, engine, ["--greedy"])
    drawn = generate(args, engine, ["--seed", 5, "--temperature", 0.8])
    check(generate(args, engine, ["--seed", 5, "--temperature", 0.8])["ids"], drawn["ids"], "the same seed again")
    if generate(args, engine, ["--seed", 6, "--temperature", 0.8])["ids"] == drawn["ids"]:
        raise Failure("two seeds gave the same ids")
    for options in (["--temperature", 0], ["--top-k", 1], ["--top-p", 1e-6], ["--min-p", 1]):
        more = [] if "--temperature" in options else ["--temperature", 1, "--seed", 3]
        check(generate(args, engine, options + more)["ids"], greedy["ids"], f"{options}: ids")

    for option in ("--presence-penalty", "--frequency-penalty"):
        ids = generate(args, engine, ["--greedy", option, 1000])["ids"]
        check(len(set(ids)), len(ids), f"{option} 1000: distinct ids")
        check(ids[0], greedy["ids"][0], f"{option} 1000: the first id")
    found = generate(args, engine, ["--greedy", "--repetition-penalty", 1e6])
    seen = list(found["prompt_ids"])
    for id in found["ids"]:
        if id in seen:
            raise Failure(f"--repetition-penalty 1e6: id {id} came again: {found['ids']}")
        seen.append(id)

    tokens, out = args.work / "tokens.npy", args.work / "out.npy"
    write_npy_i32(tokens, greedy["prompt_ids"])
    run([args.ingot_run, "logits", engine, "--tokens", tokens, "-o", out])
    values, shape = read_npy_f32(out)
    last = list(values[-shape[1]:])
    check(max(range(len(last)), key=lambda i: last[i]), greedy["ids"][0], "the greedy id is the largest logit's")
    for limits in ((1.0, 0, 1.0, 0.0), (0.7, 0, 0.9, 0.0), (1.5, 8, 1.0, 0.0), (1.2, 0, 1.0, 0.1)):
        check_frequencies(args, engine, last, *limits)


if __name__ == "__main__":
    main(check_sampling)
