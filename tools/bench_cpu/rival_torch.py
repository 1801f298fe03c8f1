# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# PyTorch: transformers' model over a static cache, its forward pass compiled by torch.compile, in bf16, or in f32 where the
# processor has no instruction for bf16 (there PyTorch's bf16 is many times slower). Of quantized products on a CPU
# PyTorch itself has none; other packages do.
import os
import pathlib
import time

import worker


class Rival:
    @staticmethod
    def prepare(checkpoint, out, precision):
        if precision != "bf16":
            raise SystemExit("torch has no quantized products on a CPU without further packages")
        out.mkdir(parents=True, exist_ok=True)
        for file in checkpoint.iterdir():
            (out / file.name).unlink(missing_ok=True)
            os.link(file, out / file.name)
        engine = Rival(out, precision, 2, 640)  # compiles into the cache that later processes read
        engine.run(list(range(3, 35)), 3)
        engine.run(list(range(3, 515)), 1)
        model = engine.model
        tied = model.config.tie_word_embeddings
        table = 0 if tied else model.get_input_embeddings().weight.nbytes
        return sum(weight.nbytes for weight in model.parameters()) - table

    def __init__(self, path, precision, threads, context):
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(path.parent / "inductor")
        import torch
        from transformers import AutoModelForCausalLM
        self.torch = torch
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        flags = pathlib.Path("/proc/cpuinfo").read_text().split("flags", 1)[1].split("\n", 1)[0].split()
        dtype = torch.bfloat16 if {"avx512_bf16", "amx_bf16"} & set(flags) else torch.float32
        self.model = AutoModelForCausalLM.from_pretrained(path, dtype=dtype).eval()
        self.length = context
        self.forward = torch.compile(self.model.forward, dynamic=False)

    def feed(self, ids, at, cache):
        torch = self.torch
        positions = torch.arange(at, at + len(ids))
        logits = self.forward(input_ids=torch.tensor([ids]), cache_position=positions, position_ids=positions[None],
                              past_key_values=cache, use_cache=True, logits_to_keep=1).logits
        return int(logits[0, -1].argmax())

    def run(self, ids, new):
        from transformers import StaticCache
        cache = StaticCache(config=self.model.config, max_cache_len=self.length)
        start = time.perf_counter()
        next_id = self.feed(ids, 0, cache)
        first = time.perf_counter()
        for i in range(new - 1):
            next_id = self.feed([next_id], len(ids) + i, cache)
        return first - start, time.perf_counter() - first


if __name__ == "__main__":
    worker.main(Rival)
