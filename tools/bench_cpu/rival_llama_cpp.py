# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# llama.cpp, through llama-cpp-python's binding of its C API (built by pip, with clang; see tools/bench-cpu). The checkpoint
# becomes GGUF in bf16 with the gguf package, and llama.cpp's own quantizer makes f16, q8_0 and q4_k_m of it.
import ctypes
import json
import time

import worker

QUANTIZED = {"f16": 1, "int8": 7, "int4": 15}  # LLAMA_FTYPE_MOSTLY_F16, LLAMA_FTYPE_MOSTLY_Q8_0, LLAMA_FTYPE_MOSTLY_Q4_K_M
NAMES = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
         "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def gguf_name(name):
    name = name.removesuffix(".weight")
    if name.startswith("model.layers."):
        _, _, layer, rest = name.split(".", 3)
        return f"blk.{layer}.{NAMES[rest]}.weight"
    return {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}[name] + ".weight"


def write_gguf(checkpoint, path):
    import gguf
    import numpy
    config = json.loads((checkpoint / "config.json").read_text())
    out = gguf.GGUFWriter(path, "llama")
    heads, dim = config["num_attention_heads"], config["head_dim"]
    out.add_vocab_size(config["vocab_size"])
    out.add_context_length(config["max_position_embeddings"])
    out.add_embedding_length(config["hidden_size"])
    out.add_block_count(config["num_hidden_layers"])
    out.add_feed_forward_length(config["intermediate_size"])
    out.add_head_count(heads)
    out.add_head_count_kv(config["num_key_value_heads"])
    out.add_key_length(dim)
    out.add_value_length(dim)
    out.add_rope_dimension_count(dim)
    out.add_rope_freq_base(config["rope_theta"])
    out.add_layer_norm_rms_eps(config["rms_norm_eps"])
    out.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    out.add_tokenizer_model("none")
    tensors = []
    for file in sorted(checkpoint.glob("*.safetensors")):
        with open(file, "rb") as opened:
            size = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(size))
        data = numpy.memmap(file, numpy.uint8, "r", 8 + size)
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            if entry["dtype"] != "BF16":
                raise SystemExit(f"{file}: {name} is {entry['dtype']}, expected BF16")
            begin, end = entry["data_offsets"]
            tensors.append((name, entry["shape"], data[begin:end].view(numpy.uint16).reshape(entry["shape"])))
    for name, shape, values in tensors:
        if ".q_proj" in name or ".k_proj" in name:  # GGUF pairs neighbouring columns for rope, Hugging Face halves of a head
            values = values.reshape(-1, 2, dim // 2, shape[1]).swapaxes(1, 2).reshape(shape)
        if len(shape) == 1:
            out.add_tensor(gguf_name(name), (values.astype(numpy.uint32) << 16).view(numpy.float32))
        else:
            out.add_tensor(gguf_name(name), numpy.ascontiguousarray(values).view(numpy.uint8),
                           raw_dtype=gguf.GGMLQuantizationType.BF16)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


class Rival:
    @staticmethod
    def prepare(checkpoint, out, precision):
        import gguf
        out.mkdir(parents=True, exist_ok=True)
        path, whole = out / "model.gguf", out / "bf16.gguf"
        if precision not in QUANTIZED:
            write_gguf(checkpoint, path)
        else:
            import llama_cpp
            write_gguf(checkpoint, whole)
            params = llama_cpp.llama_model_quantize_default_params()
            params.ftype, params.nthread = QUANTIZED[precision], 2
            status = llama_cpp.llama_model_quantize(str(whole).encode(), str(path).encode(), ctypes.byref(params))
            whole.unlink()
            if status:
                raise SystemExit(f"llama_model_quantize returned {status}")
        tensors = {tensor.name: int(tensor.n_bytes) for tensor in gguf.GGUFReader(path).tensors}
        if "output.weight" in tensors:  # else the table of embeddings is the head as well, and read whole
            del tensors["token_embd.weight"]
        return sum(tensors.values())

    def __init__(self, path, precision, threads, context):
        import llama_cpp
        self.api = llama_cpp
        self.quiet = llama_cpp.llama_log_callback(lambda level, text, user: None)
        llama_cpp.llama_log_set(self.quiet, None)
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(str(path / "model.gguf").encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"llama.cpp does not load {path}/model.gguf")
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = context, 512, 512
        params.n_threads = params.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, params)
        if not self.context:
            raise SystemExit("llama.cpp makes no context")
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))

    def feed(self, ids):
        """Computes ids and returns the likeliest next one."""
        array = (self.api.llama_token * len(ids))(*ids)
        if self.api.llama_decode(self.context, self.api.llama_batch_get_one(array, len(ids))):
            raise SystemExit("llama_decode failed")
        import numpy
        logits = self.api.llama_get_logits_ith(self.context, -1)
        return int(numpy.ctypeslib.as_array(logits, (self.vocabulary,)).argmax())

    def run(self, ids, new):
        self.api.llama_memory_clear(self.api.llama_get_memory(self.context), True)
        start = time.perf_counter()
        next_id = self.feed(ids)
        first = time.perf_counter()
        for _ in range(new - 1):
            next_id = self.feed([next_id])
        return first - start, time.perf_counter() - first


if __name__ == "__main__":
    worker.main(Rival)
