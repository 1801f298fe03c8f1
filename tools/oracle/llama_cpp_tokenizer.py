# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# llama.cpp's tokenizer, through llama-cpp-python, for tools/oracle/time-tokenizers: makes a GGUF with nothing but the
# vocabulary of a tokenizer.json, and encodes texts. Run by the Python that has `llama-cpp-python` and `gguf`:
#
#   PYTHON llama_cpp_tokenizer.py TOKENIZER.json TEXT...
#
# prints, for each text, MB/s of CPU time and the number of ids; or "none: REASON" for a tokenizer that llama.cpp does not
# have.
import base64
import json
import os
import sys
import tempfile
import time

# llama.cpp's names of the patterns that split text, which a GGUF names and does not hold.
PRE = {"gpt2": "gpt-2", "roberta-base": "roberta-bpe", "llama3": "llama-bpe", "qwen2": "qwen2"}
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def write(name, tokenizer, path):
    """Returns why there is none, or None."""
    import gguf
    model, added = tokenizer["model"], {t["id"]: t for t in tokenizer["added_tokens"]}
    kind = model.get("type") or ("Unigram" if isinstance(model["vocab"], list) else "BPE")  # old files state none
    if kind == "BPE" and model.get("byte_fallback"):
        kind = "SPM"
    if kind not in ("SPM", "Unigram", "WordPiece") and name not in PRE:
        return "llama.cpp has no kind of vocabulary with these rules"
    pieces = {p: i for i, (p, _) in enumerate(model["vocab"])} if kind == "Unigram" else dict(model["vocab"])
    pieces.update({t["content"]: i for i, t in added.items()})
    size = max(pieces.values()) + 1
    tokens, kinds = [f"[unused{i}]" for i in range(size)], [NORMAL] * size
    for piece, i in pieces.items():
        tokens[i] = piece
        if i in added and added[i]["special"]:
            kinds[i] = UNKNOWN if piece == model.get("unk_token") or i == model.get("unk_id") else CONTROL
        elif kind == "SPM" and len(piece) == 6 and piece.startswith("<0x"):
            kinds[i] = BYTE
        elif kind == "WordPiece":  # pieces that begin a word are marked instead of those that do not
            tokens[i] = piece[2:] if piece.startswith("##") else "\u2581" + piece
    out = gguf.GGUFWriter(path, "llama")
    out.add_tokenizer_model({"SPM": "llama", "Unigram": "t5", "WordPiece": "bert"}.get(kind, "gpt2"))
    out.add_tokenizer_pre(PRE.get(name, "default"))
    out.add_token_list(tokens)
    if kind == "SPM":
        out.add_token_scores([-float(i) for i in range(size)])  # pieces lie in the order of their scores
    elif kind == "Unigram":
        out.add_token_scores([s for _, s in model["vocab"]] + [0.0] * (size - len(model["vocab"])))
        out.add_add_space_prefix(True)
        out.add_remove_extra_whitespaces(True)
        normalizer = tokenizer["normalizer"] or {}
        for step in normalizer.get("normalizers", [normalizer]):
            if step.get("type") == "Precompiled":
                out.add_precompiled_charsmap(base64.b64decode(step["precompiled_charsmap"]))
    elif kind == "BPE":
        out.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in model["merges"]])
    else:
        for name, add in (("[UNK]", out.add_unk_token_id), ("[SEP]", out.add_sep_token_id), ("[PAD]", out.add_pad_token_id),
                          ("[CLS]", out.add_bos_token_id)):
            add(pieces[name])
    out.add_token_types(kinds)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.close()
    return None


def main():
    path, texts = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "vocabulary.gguf")
        why = write(os.path.basename(os.path.dirname(path)), json.load(open(path)), file)
        if why:
            print("none: " + why)
            return
        import llama_cpp
        quiet = llama_cpp.llama_log_callback(lambda level, message, user: None)
        llama_cpp.llama_log_set(quiet, None)
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = True
        model = llama_cpp.llama_model_load_from_file(file.encode(), params)
    if not model:
        sys.exit("llama.cpp does not load the vocabulary of " + path)
    vocab = llama_cpp.llama_model_get_vocab(model)
    for name in texts:
        text = open(name, "rb").read()
        ids = (llama_cpp.llama_token * (len(text) + 16))()
        begin = time.process_time()
        count = llama_cpp.llama_tokenize(vocab, text, len(text), ids, len(ids), False, True)
        print(f"{len(text) / (time.process_time() - begin) * 1e-6:.2f} MB/s, {count} ids", flush=True)
    llama_cpp.llama_model_free(model)


main()
