# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Ingot's speed beside PyTorch's and beside what the GPU does at most. Weights are random: engines carry a seed for them, and
# `materialize` writes them out once, so that every later start reads a file as a real model's would.
import json
import shutil
import sys
import time

from processes import Failure, Skipped, run, told

SMALL, LARGE = "llama-3.2-1b", "llama-3.1-8b"
PROMPT, NEW, PREFILL, BATCH = 128, 128, 4096, 64


def parameters(config):
    """Of all products of a layer, times the layers."""
    hidden, ffn = config["hidden_size"], config["intermediate_size"]
    dim = config.get("head_dim") or hidden // config["num_attention_heads"]
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]
    return config["num_hidden_layers"] * ((2 * heads + 2 * kv) * dim * hidden + 3 * hidden * ffn)


def prefill_operations(config, tokens):
    """Of a prompt: products, scores and sums of what a causal row sees, and the logits of one row."""
    dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    attention = config["num_hidden_layers"] * config["num_attention_heads"] * dim * 4 * tokens * (tokens + 1) // 2
    return 2 * parameters(config) * tokens + attention + 2 * config["hidden_size"] * config["vocab_size"]


class Measuring:
    def __init__(self, check):
        self.check, self.found, self.files = check, {}, {}
        self.ingot_run = check.program("ingot-run")

    def attempt(self, name, function):
        """Keeps what `function` gives, or why it gave nothing."""
        started = time.monotonic()
        try:
            self.found[name] = function()
        except (Failure, Skipped, ValueError, KeyError) as error:
            self.found[name] = {"error": str(error)}
        told(f"{name}: {json.dumps(self.found[name])[:200]} ({time.monotonic() - started:.1f} s)")

    def value(self, name, key):
        return (self.found.get(name) or {}).get(key)

    def run(self, *command, most=None):
        return run(command, self.check.log("measure"), self.check.clock, most)

    def torch(self, *arguments, most):
        """Each line that was told, also where the time ended before the rest."""
        log = self.check.log("torch")
        script = self.check.kit / "gpu_check/llama_torch.py"
        lines = self.check.out / "torch.jsonl"
        try:
            out = run([sys.executable, script, *arguments], log, self.check.clock, most)
        except Failure as failure:
            told(str(failure))
            out = log.read_text(errors="replace")
        lines.write_text(out)
        found = []
        for line in out.splitlines():
            if line.startswith("{"):
                found.append(json.loads(line))
        return {one["name"]: one for one in found}

    def materialize(self, shape):
        engine = self.check.kit / "engines" / f"{shape}.ingot"
        file = self.check.out / f"{shape}.ingot"
        need = 20 << 30 if shape == LARGE else 4 << 30
        if shutil.disk_usage(self.check.out).free < need:
            raise Skipped(f"{self.check.out} has no room for the weights of {shape}")
        file.unlink(missing_ok=True)
        self.run(self.ingot_run, "materialize", engine, "-o", file, most=120)
        self.files[shape] = file
        return {"bytes": file.stat().st_size}

    def bench(self, shape, *arguments):
        file = self.files.get(shape) or self.check.kit / "engines" / f"{shape}.ingot"
        return json.loads(self.run(self.ingot_run, "bench", file, "--device=cuda", "--json", "--repeat", "3", *arguments, most=90))

    def first_token(self, shape):
        if shape not in self.files:
            raise Skipped("its weights were not written")
        seconds = []
        for _ in range(2):
            started = time.monotonic()
            self.run(self.ingot_run, self.files[shape], "--device=cuda", "--ids", "1,2,3", "-n", "1", most=60)
            seconds.append(time.monotonic() - started)
        return {"seconds": min(seconds)}


def measure(check):
    m = Measuring(check)
    shapes = check.expected["shapes"]
    m.found["ceilings"] = m.torch("--ceilings", most=60).get("ceilings", {"error": "PyTorch could not measure them"})
    decode = ["--prompt-tokens", PROMPT, "--new-tokens", NEW, "--context", 512]
    many = [*decode, "--batch", BATCH]
    prefill = ["--prompt-tokens", PREFILL, "--new-tokens", 2, "--context", PREFILL + 16, "--chunk", PREFILL]
    for shape in shapes:
        m.attempt(f"{shape} weights", lambda: m.materialize(shape))
        m.attempt(f"{shape} decode 1", lambda: m.bench(shape, *decode))
        m.attempt(f"{shape} decode {BATCH}", lambda: m.bench(shape, *many))
        m.attempt(f"{shape} prefill", lambda: m.bench(shape, *prefill))
        m.attempt(f"{shape} first token", lambda: m.first_token(shape))
    for file in m.files.values():
        file.unlink()
    # Dearest last: each compile takes a minute or so.
    decode_of, many_of = f"1:{PROMPT}:{NEW}:0", f"{BATCH}:{PROMPT}:{NEW}:0"
    for shape in reversed(shapes):
        runs = [f"compile:{many_of}", f"eager:{decode_of}", f"eager:{many_of}", f"compile:{decode_of}", f"eager:1:8:8:{PREFILL}",
                f"compile:1:8:8:{PREFILL}"]
        left = check.clock.left() / (1 if shape == shapes[0] else 2)
        told_by_torch = m.torch("--config", check.kit / "engines" / f"{shape}.json", "--runs", ",".join(runs), "--seconds", left - 30, most=left)
        for mode in ("eager", "compile"):
            for what, run_name in (("decode 1", decode_of), (f"decode {BATCH}", many_of), ("prefill", f"1:8:8:{PREFILL}")):
                m.found[f"{shape} {what} torch {mode}"] = told_by_torch.get(f"{mode}:{run_name}", {"error": "no time was left"})
    return {"found": m.found, "table": table(m, shapes), "goals": goals(check, m)}


def shown(value, form="{:.1f}"):
    return "not measured" if value is None else form.format(value)


def table(m, shapes):
    lines = [f"{m.value('ceilings', 'gpu')}, PyTorch {m.value('ceilings', 'torch')}: memory "
             f"{shown(m.value('ceilings', 'bytes_per_second') and m.value('ceilings', 'bytes_per_second') / 1e9, '{:.0f}')} GB/s, bf16 products "
             f"{shown(m.value('ceilings', 'bf16_operations_per_second') and m.value('ceilings', 'bf16_operations_per_second') / 1e12, '{:.0f}')} "
             "TFLOP/s", "", "| tokens/s | Ingot | torch.compile | torch eager |", "|---|---|---|---|"]
    for shape in shapes:
        for what, key in (("decode 1", "decode_tokens_per_second"), (f"decode {BATCH}", "decode_tokens_per_second"),
                          ("prefill", "prefill_tokens_per_second")):
            name = f"{shape} {what}"
            cells = [m.value(n, key) for n in (name, f"{name} torch compile", f"{name} torch eager")]
            lines.append(f"| {name} | " + " | ".join(shown(cell) for cell in cells) + " |")
    return lines


def goal(what, value, least, form):
    if value is None:
        return f"{what}: not measured"
    reached = value >= least if least >= 0 else value <= -least
    return f"{what}: {form.format(value)} ({'reached' if reached else 'missed'}: {'at least' if least >= 0 else 'at most'} {form.format(abs(least))})"


def goals(check, m):
    bandwidth, matrix = m.value("ceilings", "bytes_per_second"), m.value("ceilings", "bf16_operations_per_second")

    def share(shape):
        step, size = m.value(f"{shape} decode 1", "decode_seconds_per_step"), m.value(f"{shape} decode 1", "weight_bytes_per_step")
        return size / step / bandwidth * 100 if step and size and bandwidth else None

    speed, prefill = m.value(f"{LARGE} prefill", "prefill_tokens_per_second"), None
    if speed and matrix:
        config = json.loads((check.kit / "engines" / f"{LARGE}.json").read_text())
        prefill = prefill_operations(config, PREFILL) / PREFILL * speed / matrix * 100
    ours, theirs = (m.value(f"{LARGE} decode {BATCH}" + suffix, "decode_tokens_per_second") for suffix in ("", " torch compile"))
    return [goal(f"decode of {SMALL} in bf16, share of the memory's bandwidth", share(SMALL), 75, "{:.1f} %"),
            goal(f"decode of {LARGE} in bf16, share of the memory's bandwidth", share(LARGE), 85, "{:.1f} %"),
            goal(f"prefill of {LARGE}, {PREFILL} tokens, share of bf16 products", prefill, 45, "{:.1f} %"),
            goal(f"decode of {LARGE}, batch {BATCH}, beside torch.compile", ours / theirs if ours and theirs else None, 1.5, "{:.2f} times"),
            goal(f"from start to first token of {LARGE}, from the page cache", m.value(f"{LARGE} first token", "seconds"), -6, "{:.2f} s")]
