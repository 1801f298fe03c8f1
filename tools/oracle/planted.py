# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The self-check of tools/make-test-models: plants mistakes in transformers (rope of the queries one
# position off, a causal or sliding mask one key off, kv heads mixed up) and in config.json (every key
# that changes the maths), and requires that each moves the golden logits by far more than the
# tolerance of 1e-4 that Ingot is held to. A key that moves nothing is a test that tests nothing.
import copy
import json
import sys

import numpy as np

REQUIRED = 1e-2  # a hundred times the tolerance
REQUIRED_OF_GELU = 2e-4  # gelu and its tanh form differ by 5e-4 at most

# Keys of config.json and a wrong value for each.
SPOIL = {
    "rms_norm_eps": lambda v: v * 2,
    "hidden_act": lambda v: "gelu" if v != "gelu" else "gelu_pytorch_tanh",
    "rope_theta": lambda v: v * 1.3,
    "sliding_window": lambda v: v + 1,
    "max_window_layers": lambda v: v + 1,
    "use_sliding_window": lambda v: not v,
    "layer_types": lambda v: v[::-1] if v != v[::-1] else v[1:] + v[:1],
    "original_max_position_embeddings": lambda v: v * 2,
    "max_position_embeddings": lambda v: v * 2,
    "factor": lambda v: v * 1.5 if v is not None else 2.0,
    "low_freq_factor": lambda v: v * 1.5,
    "high_freq_factor": lambda v: v * 2,
    "attention_factor": lambda v: v * 1.1,
    "beta_fast": lambda v: v * 2,
    "beta_slow": lambda v: v / 2,
    "mscale": lambda v: v * 1.3,
    "mscale_all_dim": lambda v: v * 1.3,
    "truncate": lambda v: not v,
    "short_factor": lambda v: v[:1] + [x * 1.1 for x in v[1:]],
    "long_factor": lambda v: v[:1] + [x * 1.1 for x in v[1:]],
}
# Not expected to show: (model, key) or key -> reason.
EXPECTED_BLIND = {
    "rms_norm_eps": "1e-5 and 1e-6 lie below the tolerance; the models with 1e-2 see it",
    "max_position_embeddings": "only dynamic rope and factor ratios read it",
}


def spoilt_configs(config):
    """Yields (what, config) with one key spoilt each, at the top level and in the rope dictionary."""
    places = [("", config)] + [(k + ".", config[k]) for k in ("rope_scaling", "rope_parameters") if config.get(k)]
    for prefix, place in places:
        for key in place:
            if key not in SPOIL or (place[key] is None and key != "factor"):
                continue
            changed = copy.deepcopy(config)
            target = changed[prefix[:-1]] if prefix else changed
            target[key] = SPOIL[key](place[key])
            yield prefix + key, changed
    rope = next((config[k] for k in ("rope_scaling", "rope_parameters") if config.get(k)), None)
    if rope and rope.get("type", rope.get("rope_type")) != "default":
        changed = copy.deepcopy(config)
        for key in ("rope_scaling", "rope_parameters"):
            theta = (changed.pop(key, None) or {}).get("rope_theta", changed.get("rope_theta"))
            if theta is not None:
                changed["rope_theta"] = theta
        yield "rope scaling ignored", changed


def planted_code(module):
    """Yields (what, attribute of the modeling module, wrong replacement)."""
    import torch

    rope = module.apply_rotary_pos_emb

    def query_one_on(q, k, cos, sin, **kw):  # both would cancel: rope is relative
        shifted, _ = rope(q[:, :, :-1], k[:, :, :-1], cos[:, 1:], sin[:, 1:], **kw)
        q_right, k_right = rope(q, k, cos, sin, **kw)
        return torch.cat([shifted, q_right[:, :, -1:]], dim=2), k_right

    def interleaved(q, k, cos, sin, **kw):
        half = q.shape[-1] // 2
        order = torch.arange(q.shape[-1]).view(2, half).t().reshape(-1)
        back = torch.argsort(order)
        a, b = rope(q[..., back], k[..., back], cos, sin, **kw)
        return a[..., order], b[..., order]

    yield "queries one position on", "apply_rotary_pos_emb", query_one_on
    yield "rope pairs interleaved", "apply_rotary_pos_emb", interleaved
    for name in ("create_causal_mask", "create_sliding_window_causal_mask"):
        if not hasattr(module, name):
            continue
        right = getattr(module, name)

        def one_key_more(*a, right=right, **kw):
            mask = right(*a, **kw)
            return torch.cat([mask[..., :1], mask[..., :-1]], dim=-1)

        def first_page_lost(*a, right=right, **kw):
            mask = right(*a, **kw).clone()
            mask[..., 16:, 15] = torch.finfo(mask.dtype).min
            return mask

        yield f"{name}: next token visible", name, one_key_more
        yield f"{name}: key 15 lost beyond the first page", name, first_page_lost
    repeat = module.repeat_kv
    yield "kv heads cycled, not grouped", "repeat_kv", lambda x, n: x.repeat(1, n, 1, 1) if n > 1 else repeat(x, n)


def run(chosen, out, load, logits, relative):
    blind, checked = [], 0
    for name, spec in chosen.items():
        directory = out / name
        golden = json.loads((directory / "golden.json").read_text())
        config = json.loads((directory / "config.json").read_text())
        cases = [(c["ids"], np.fromfile(directory / c["logits_file"], "<f4").reshape(c["shape"])) for c in golden["cases"]]
        print(f"{name}:")
        again = max(relative(logits(load(directory), ids).logits[0].numpy(), right) for ids, right in cases)
        print(f"  {again:9.1e}  (nothing planted)")
        if again > 1e-5:
            blind.append(f"{name}: the golden logits are not reproduced")

        def judge(what, moved, reason=None, required=REQUIRED):
            nonlocal checked
            checked += 1
            seen = moved > required
            print(f"  {moved:9.1e}  {what}" + ("" if seen else f"  ({reason})" if reason else "  NOT SEEN"))
            if not seen and not reason:
                blind.append(f"{name}: {what}")

        for what, changed in spoilt_configs(config):
            key = what.split(".")[-1]
            try:
                moved = max(relative(logits(load(directory, change=changed), ids).logits[0].numpy(), right)
                            for ids, right in cases)
            except Exception as error:  # refused is as good as seen
                checked += 1
                print(f"    refused  {what}: {str(error).splitlines()[0][:80]}")
                continue
            reason = EXPECTED_BLIND.get(key)
            if key in ("sliding_window", "max_window_layers") and config.get("use_sliding_window") is False:
                reason = "switched off by use_sliding_window"
            if key == "max_window_layers" and config.get("layer_types"):
                reason = "layer_types decide"
            if key == "use_sliding_window" and not config.get("sliding_window"):
                reason = "no window is given"
            if what.startswith("rope_") and key == "original_max_position_embeddings" and key in config:
                reason = "the top-level key wins"
            if key == "factor" and (config.get("rope_parameters") or {}).get("attention_factor") and "longrope" in name:
                reason = "attention_factor is given"
            close = what == "hidden_act" and config["hidden_act"].startswith("gelu")
            judge(what, moved, reason, REQUIRED_OF_GELU if close else REQUIRED)
        module = sys.modules[type(load(directory)).__module__]
        for what, attribute, wrong in planted_code(module):
            right_code = getattr(module, attribute)
            setattr(module, attribute, wrong)
            try:
                moved = max(relative(logits(load(directory), ids).logits[0].numpy(), right) for ids, right in cases)
            finally:
                setattr(module, attribute, right_code)
            model = load(directory)
            kinds = set(getattr(model.config, "layer_types", None) or [])
            reason = None
            if attribute == "create_sliding_window_causal_mask" and not (
                    "sliding_attention" in kinds or (model.config.model_type == "mistral" and model.config.sliding_window)):
                reason = "no sliding layer"
            if attribute == "create_causal_mask" and (kinds == {"sliding_attention"} or (
                    model.config.model_type == "mistral" and model.config.sliding_window)):
                reason = "no full layer"
            c = model.config
            if attribute == "repeat_kv" and (c.num_key_value_heads in (1, c.num_attention_heads)):
                reason = "nothing to mix up"
            judge(what, moved, reason)
    print(f"{checked} mistakes planted, {len(blind)} not seen")
    for what in blind:
        print(f"not seen: {what}")
    return 1 if blind else 0
