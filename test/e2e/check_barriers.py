# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counts the barriers of a decoded token: those that each layer adds, from two models of one shape that differ in their
number of layers alone, as `ingot-run bench --json` tells them. Weights are drawn: what waits does not depend on them."""
import argparse
import json
import pathlib
import sys

import support


def shape(model, layers, changes):
    config = json.loads((pathlib.Path(model) / "config.json").read_text())
    config.update(changes, num_hidden_layers=layers)
    if "layer_types" in config:
        kinds = config["layer_types"]
        config["layer_types"] = [kinds[i % len(kinds)] for i in range(layers)]
    return config


def barriers(args, layers, prompt):
    folder = pathlib.Path(args.work) / f"layers-{layers}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(shape(args.model, layers, json.loads(args.config))))
    engine = folder / "model.ingot"
    support.run([args.ingot, "compile", folder, "--dummy-weights=1", "--quiet", "-o", engine, *args.options])
    out, _ = support.run([args.ingot_run, "bench", engine, "--threads", args.threads, "--batch", args.batch, "--prompt-tokens", prompt,
                          "--new-tokens", 6, "--repeat", 1, "--json"])
    found = json.loads(out)
    if found["threads"] != args.threads:
        raise support.Failure(f"{found['threads']} threads ran, not {args.threads}")
    return found["barriers_per_step"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ingot", required=True)
    parser.add_argument("--ingot-run", required=True)
    parser.add_argument("--cache")
    parser.add_argument("--work", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--config", default="{}", help="what else differs from the model's config.json")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--prompt", type=int, default=20)
    parser.add_argument("--most", type=int, default=5, help="barriers that a layer may have")
    args, args.options = parser.parse_known_args()
    few, many = 2, 5
    a, b = barriers(args, few, args.prompt), barriers(args, many, args.prompt)
    each = (b - a) / (many - few)
    print(f"{each:g} barriers a layer, {a - few * each:g} besides")
    if not 1 <= each <= args.most:
        raise support.Failure(f"a layer has {each:g} barriers, expected {args.most} at most: {few} layers {a:g}, {many} layers {b:g}")


if __name__ == "__main__":
    try:
        main()
    except support.Failure as failure:
        sys.exit(f"{failure}")
