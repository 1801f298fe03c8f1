#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `evaluate --against`: KL divergence and agreement of two engines against the same sums over the logits that
# `ingot-run logits` gives of each, in Python's doubles; an engine against itself.
#   check_divergence.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --model DIR --text FILE [--options=O]...
# Both sides sum in doubles but in another order. A sum of V terms of at most p * |log p| is off by no more than a few
# 1e-15 a place and as much relatively: 1e-12 is a hundred times that.
import argparse
import json
import math
import pathlib

from support import Failure, check, main, read_npy_f32, run, shared_engine, write_npy_i32

WINDOW, IDS = 24, 80


def log_softmax(row):
    largest = max(row)
    total = math.fsum(math.exp(x - largest) for x in row)
    return [x - largest - math.log(total) for x in row]


def percentile(values, percent):
    values = sorted(values)
    at = percent / 100 * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


def check_divergence():
    parser = argparse.ArgumentParser(description="checks evaluate --against")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--model", "--text"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--options", default="--compute=bf16", help="how the tested engine is compiled")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    reference = shared_engine(args.ingot, args.model, args.cache, ["--compute=f32"])
    tested = shared_engine(args.ingot, args.model, args.cache, args.options.split())
    text = args.text.read_text()
    base = ["--text", args.text, "--max-ids", IDS, "--context", WINDOW, "--chunk", 7, "--json"]

    alone = json.loads(run([args.ingot_run, "evaluate", tested, *base])[0])
    same = json.loads(run([args.ingot_run, "evaluate", tested, "--against", tested, *base])[0])
    check([same["against"][key] for key in ("kl_mean", "kl_median", "kl_99", "kl_max", "top1_agreement")], [0, 0, 0, 0, 1],
          "an engine against itself")
    check(same["mean_nll"], alone["mean_nll"], "mean nll with and without --against")

    found = json.loads(run([args.ingot_run, "evaluate", tested, "--against", reference, *base])[0])
    ids = json.loads(run([args.ingot_run, "tokenize", reference, "--no-special", "--json"], input=text.encode())[0])["ids"][:IDS]
    kl, agreements, nll = [], 0, 0.0
    for start in range(0, len(ids) - 1, WINDOW):
        inputs = ids[start:min(start + WINDOW, len(ids) - 1)]
        write_npy_i32(args.work / "ids.npy", inputs)
        both = []
        for engine in (tested, reference):
            run([args.ingot_run, "logits", engine, "--tokens", args.work / "ids.npy", "-o", args.work / "logits.npy"])
            both.append(read_npy_f32(args.work / "logits.npy"))
        (a, shape), (b, _) = both
        columns = shape[1]
        for i in range(len(inputs)):
            ours, theirs = (log_softmax(values[i * columns:(i + 1) * columns]) for values in (a, b))
            kl.append(math.fsum(math.exp(q) * (q - p) for p, q in zip(ours, theirs)))
            agreements += ours.index(max(ours)) == theirs.index(max(theirs))
            nll -= theirs[ids[start + i + 1]]
    expected = dict(kl_mean=sum(kl) / len(kl), kl_median=percentile(kl, 50), kl_99=percentile(kl, 99), kl_max=max(kl),
                    top1_agreement=agreements / len(kl), mean_nll=nll / len(kl))
    check(found["predicted"], len(kl), "predicted ids")
    for key, value in expected.items():
        if not abs(found["against"][key] - value) <= 1e-12:
            raise Failure(f"{key}: expected {value!r}, found {found['against'][key]!r}")
    if not expected["kl_mean"] > 0:
        raise Failure("the two engines agree in every bit; the test would prove nothing")
    print(f"OK {args.model.name} {args.options}: KL {expected['kl_mean']:.3g}, agreement {expected['top1_agreement']:.1%}")


if __name__ == "__main__":
    main(check_divergence)
