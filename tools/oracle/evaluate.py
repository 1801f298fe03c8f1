#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Reference perplexities by transformers, for `ingot-run evaluate F --text FILE --context N`. The text is
# encoded whole without added special tokens; windows of N inputs follow each other without overlap and
# are scored independently; every id after the first is predicted once. float32, eager attention.
#   evaluate.py --text FILE -o OUT.json MODEL_DIR...
import argparse
import json
import os
import pathlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import transformers
from tokenizers import Tokenizer


def evaluate(directory, text):
    ids = Tokenizer.from_file(str(directory / "tokenizer.json")).encode(text, add_special_tokens=False).ids
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
    context = model.config.max_position_embeddings
    losses = []
    with torch.no_grad():
        for start in range(0, len(ids) - 1, context):
            inputs, targets = ids[start:start + context], ids[start + 1:start + context + 1]
            logits = model(torch.tensor([inputs[:len(targets)]])).logits[0].double()
            losses += torch.nn.functional.cross_entropy(logits, torch.tensor(targets), reduction="none").tolist()
    mean = sum(losses) / len(losses)
    return dict(context=context, ids_count=len(ids), predicted=len(losses), mean_nll=mean,
                perplexity=float(torch.tensor(mean, dtype=torch.float64).exp()), ids=ids)


def main():
    parser = argparse.ArgumentParser(description="reference perplexities by transformers")
    parser.add_argument("--text", required=True, type=pathlib.Path)
    parser.add_argument("-o", dest="out", required=True, type=pathlib.Path)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    text = args.text.read_bytes().decode()
    models = {directory.name: evaluate(directory, text) for directory in args.models}
    head = json.dumps(dict(
        made_with=f"transformers {transformers.__version__}, float32 arithmetic on the stored weights, eager attention",
        text=str(args.text),
        how="encoded whole without added special tokens, windows of `context` inputs scored independently, "
            "every id after the first predicted once",
        models="@"), indent=1)
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in models.items())
    args.out.write_text(head.replace('"@"', "{\n" + lines + "\n }") + "\n")
    for name, value in models.items():
        print(f"{name}: {value['ids_count']} ids, nll {value['mean_nll']:.6f}, perplexity {value['perplexity']:.6f}")


if __name__ == "__main__":
    main()
