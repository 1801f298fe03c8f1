# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The rival: a Llama of the same shape in plain PyTorch with random weights in bf16 and a static cache, as it comes (eager) and
# compiled with CUDA graphs (torch.compile, mode reduce-overhead). And what the GPU does at most: reading, multiplying.
# Prints a JSON object a line, so that what was measured is known when the time ends.
import argparse
import json
import time

import torch
import torch.nn.functional as F


def seconds_of(function, count):
    """Of one call, the least of three rounds."""
    best = float("inf")
    for _ in range(3):
        torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(count):
            function()
        torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - started) / count)
    return best


def ceilings():
    words = torch.zeros(1 << 30, dtype=torch.int32, device="cuda")
    copy = torch.empty_like(words)
    copying = 2 * words.nbytes / seconds_of(lambda: copy.copy_(words), 5)
    reading = words.nbytes / seconds_of(lambda: torch.max(words), 5)
    del words, copy
    a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    b = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    for _ in range(5):
        a @ b
    multiplying = 2 * 8192**3 / seconds_of(lambda: a @ b, 20)
    return {"bytes_per_second": max(copying, reading), "copied_bytes_per_second": copying, "read_bytes_per_second": reading,
            "bf16_operations_per_second": multiplying}


class Llama(torch.nn.Module):
    def __init__(self, config, batch, length):
        super().__init__()
        hidden, ffn = config["hidden_size"], config["intermediate_size"]
        self.heads, self.kv = config["num_attention_heads"], config["num_key_value_heads"]
        self.dim = config.get("head_dim") or hidden // self.heads
        self.eps, self.layers, self.length = config["rms_norm_eps"], config["num_hidden_layers"], length

        def weight(*shape):
            return torch.nn.Parameter(torch.randn(*shape, device="cuda", dtype=torch.bfloat16) * 0.02, requires_grad=False)

        self.embed = weight(config["vocab_size"], hidden)
        self.head = self.embed if config["tie_word_embeddings"] else weight(config["vocab_size"], hidden)
        groups = (self.heads + 2 * self.kv) * self.dim
        self.qkv = torch.nn.ParameterList([weight(groups, hidden) for _ in range(self.layers)])
        self.out = torch.nn.ParameterList([weight(hidden, self.heads * self.dim) for _ in range(self.layers)])
        self.up = torch.nn.ParameterList([weight(2 * ffn, hidden) for _ in range(self.layers)])
        self.down = torch.nn.ParameterList([weight(hidden, ffn) for _ in range(self.layers)])
        self.norms = torch.nn.ParameterList([weight(hidden) for _ in range(2 * self.layers + 1)])
        frequencies = config["rope_theta"] ** (-torch.arange(0, self.dim, 2, device="cuda").float() / self.dim)
        angles = torch.outer(torch.arange(length, device="cuda").float(), frequencies)
        self.register_buffer("cos", angles.cos().bfloat16())
        self.register_buffer("sin", angles.sin().bfloat16())
        self.register_buffer("steps", torch.arange(length, device="cuda"))
        self.allocate(batch)

    def allocate(self, batch):
        shape = (batch, self.kv, self.length, self.dim)
        for i in range(self.layers):  # a buffer for each layer: a compiled step writes into it in place
            for name in (f"keys{i}", f"values{i}"):
                self.register_buffer(name, torch.zeros(shape, device="cuda", dtype=torch.bfloat16))

    def norm(self, x, weight):
        return F.rms_norm(x, (x.shape[-1],), weight, self.eps)

    def rotate(self, x, cos, sin):
        a, b = x.chunk(2, dim=-1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)

    def forward(self, ids, positions):
        """ids [B, T], positions [T]; the logits of the last token [B, V]."""
        batch, tokens = ids.shape
        x = F.embedding(ids, self.embed)
        cos, sin = self.cos[positions], self.sin[positions]
        mask = None if tokens > 1 else (self.steps <= positions[:, None])[None, None]
        for i in range(self.layers):
            qkv = F.linear(self.norm(x, self.norms[2 * i]), self.qkv[i])
            q, k, v = qkv.view(batch, tokens, -1, self.dim).transpose(1, 2).split((self.heads, self.kv, self.kv), dim=1)
            q, k = self.rotate(q, cos, sin), self.rotate(k, cos, sin)
            keys, values = getattr(self, f"keys{i}"), getattr(self, f"values{i}")
            keys.index_copy_(2, positions, k)
            values.index_copy_(2, positions, v)
            if tokens > 1:  # a prompt from its first token on
                mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
            else:
                mixed = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask, enable_gqa=True)
            x = x + F.linear(mixed.transpose(1, 2).reshape(batch, tokens, -1), self.out[i])
            gate, up = F.linear(self.norm(x, self.norms[2 * i + 1]), self.up[i]).chunk(2, dim=-1)
            x = x + F.linear(F.silu(gate) * up, self.down[i])
        return F.linear(self.norm(x[:, -1], self.norms[-1]), self.head)


def measure(config, mode, batch, prompt, new, prefill):
    model = Llama(config, batch, max(prompt + new + 8, prefill))
    forward = model
    if mode == "compile":
        torch._dynamo.reset()
        forward = torch.compile(model, mode="reduce-overhead" if not prefill else "default", fullgraph=True, dynamic=False)
    if prefill:
        ids = torch.randint(0, config["vocab_size"], (1, prefill), device="cuda")
        positions = torch.arange(prefill, device="cuda")
        for _ in range(2):
            forward(ids, positions)
        return {"prefill_tokens_per_second": prefill / seconds_of(lambda: forward(ids, positions), 2)}
    ids = torch.randint(0, config["vocab_size"], (batch, prompt), device="cuda")
    model(ids, torch.arange(prompt, device="cuda"))
    best = float("inf")
    for round in range(3):  # the first compiles and records
        next_ids = ids[:, -1:].clone()
        position = torch.tensor([prompt], device="cuda")
        torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(new):
            next_ids = forward(next_ids, position).argmax(-1, keepdim=True).clone()
            position = position + 1
        torch.cuda.synchronize()
        if round or mode == "eager":
            best = min(best, (time.perf_counter() - started) / new)
    return {"decode_seconds_per_step": best, "decode_tokens_per_second": batch / best}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ceilings", action="store_true")
    parser.add_argument("--config")
    parser.add_argument("--runs", help="MODE:BATCH:PROMPT:NEW:PREFILL,...")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin nothing after")
    o = parser.parse_args()
    end = time.monotonic() + o.seconds
    torch.set_grad_enabled(False)
    if o.ceilings:
        print(json.dumps({"name": "ceilings", "gpu": torch.cuda.get_device_name(), "torch": torch.__version__, **ceilings()}), flush=True)
        return
    config = json.load(open(o.config))
    for run in o.runs.split(","):
        if time.monotonic() > end:
            print(json.dumps({"name": run, "error": "no time was left"}), flush=True)
            continue
        mode, *numbers = run.split(":")
        try:
            print(json.dumps({"name": run, **measure(config, mode, *map(int, numbers))}), flush=True)
        except Exception as error:  # the rival's own trouble; the next run is tried
            print(json.dumps({"name": run, "error": f"{type(error).__name__}: {str(error)[:300]}"}), flush=True)
        torch.cuda.empty_cache()


main()
