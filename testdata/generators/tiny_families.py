"""Makes the archive golden-families: tiny models of further families and what transformers computes of them.

python tiny_families.py TARGET-FOLDER [NAME ...]

Weights are not stored. Each is drawn by a formula that Python and Java compute alike and that is exact in BF16: element i of
the tensor with number t is mean + scale * (b - 128) / 128, where b is the upper byte of the i-th output of SplitMix64 seeded
with t << 32, with its lowest 8 - bits bits cleared. weights.json lists name, shape, mean, scale and bits in the order of the
numbers. Expected values are computed in float32 with eager attention on the CPU.
"""
import json
import os
import shutil
import sys
import tempfile

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

GREEDY = 32
INPUTS = {"n17": 17, "n150": 150}
LEAST_MARGIN = 0.02
LEAST_TOKENS = 5  # different ones in a continuation

COMMON = {
    "hidden_size": 64, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 32, "vocab_size": 192, "rms_norm_eps": 1e-6, "hidden_act": "silu", "max_position_embeddings": 512,
    "rope_theta": 10000.0, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}


def family(model_type, architecture, without=(), **keys):
    config = {k: v for k, v in COMMON.items() if k not in without}
    return {"architectures": [architecture], "model_type": model_type, **config, **keys}


def longrope(pairs):
    share = [i / (pairs - 1) for i in range(pairs)]
    return {"type": "longrope", "short_factor": [round(1 + 0.5 * s, 4) for s in share],
            "long_factor": [round(1 + 7 * s, 4) for s in share]}


MINISTRAL_ROPE = {"beta_fast": 32.0, "beta_slow": 1.0, "factor": 16.0, "llama_4_scaling_beta": 0.1, "mscale": 1.0,
                  "mscale_all_dim": 1.0, "original_max_position_embeddings": 32, "rope_theta": 10000.0, "rope_type": "yarn",
                  "type": "yarn"}
MINISTRAL = family("ministral3", "Ministral3ForCausalLM", without=["rope_theta"], rope_parameters=MINISTRAL_ROPE,
                   sliding_window=None, tie_word_embeddings=True)
GRANITE = {"embedding_multiplier": 3.0, "attention_multiplier": 0.375, "residual_multiplier": 0.6, "logits_scaling": 0.5}

MODELS = {
    "tiny-qwen3": family("qwen3", "Qwen3ForCausalLM", use_sliding_window=False, sliding_window=None, max_window_layers=2,
                         attention_bias=False, tie_word_embeddings=True),
    "tiny-qwen3-yarn": family("qwen3", "Qwen3ForCausalLM", use_sliding_window=False, sliding_window=None, max_window_layers=2,
                              rope_scaling={"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}),
    "tiny-qwen25-1m": family("qwen2", "Qwen2ForCausalLM", without=["head_dim"], use_sliding_window=False,
                             sliding_window=256, max_window_layers=2,
                             dual_chunk_attention_config={"chunk_size": 400, "local_size": 64,
                                                          "original_max_position_embeddings": 400}),
    "tiny-mistral": family("mistral", "MistralForCausalLM", sliding_window=None),
    "tiny-ministral3": MINISTRAL,
    "tiny-mistral3": {"architectures": ["Mistral3ForConditionalGeneration"], "model_type": "mistral3",
                      "text_config": {k: v for k, v in MINISTRAL.items() if k != "architectures"},
                      "vision_config": {"model_type": "pixtral", "hidden_size": 16, "intermediate_size": 16,
                                        "num_hidden_layers": 1, "num_attention_heads": 1, "head_dim": 16, "image_size": 28,
                                        "patch_size": 14, "num_channels": 3, "hidden_act": "silu", "rope_theta": 10000.0},
                      "image_token_index": 10, "spatial_merge_size": 1, "vision_feature_layer": -1,
                      "tie_word_embeddings": True},
    "tiny-granite": family("granite", "GraniteForCausalLM", without=["head_dim"], **GRANITE, attention_bias=False, mlp_bias=False,
                           tie_word_embeddings=True),
    "tiny-granite4": family("granitemoehybrid", "GraniteMoeHybridForCausalLM", without=["head_dim"], **GRANITE,
                            attention_bias=False, layer_types=["attention", "attention"], num_local_experts=0,
                            num_experts_per_tok=0, shared_intermediate_size=48, position_embedding_type="rope",
                            mamba_n_heads=8, mamba_d_head=16, mamba_expand=2, tie_word_embeddings=True),
    "tiny-seed-oss": family("seed_oss", "SeedOssForCausalLM", attention_bias=True, attention_out_bias=False, mlp_bias=False,
                            rope_scaling={"rope_type": "default"}),
    "tiny-phi4mini": family("phi3", "Phi3ForCausalLM", without=["head_dim"], partial_rotary_factor=0.75,
                            num_attention_heads=2, num_key_value_heads=1, original_max_position_embeddings=64,
                            rope_scaling=longrope(12), sliding_window=2048, tie_word_embeddings=True),
    "tiny-glm4": family("glm4", "Glm4ForCausalLM", attention_bias=True, partial_rotary_factor=0.5),
    "tiny-smollm3": family("smollm3", "SmolLM3ForCausalLM", without=["head_dim", "tie_word_embeddings"], num_hidden_layers=4,
                           no_rope_layers=[1, 1, 0, 1], no_rope_layer_interval=4, attention_bias=False, mlp_bias=False,
                           use_sliding_window=False, sliding_window=None),
    "tiny-llama32": family("llama", "LlamaForCausalLM", tie_word_embeddings=True,
                           rope_scaling={"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0,
                                         "high_freq_factor": 4.0, "original_max_position_embeddings": 64}),
    "tiny-qwen3-moe": family("qwen3_moe", "Qwen3MoeForCausalLM", num_hidden_layers=3, num_experts=8, num_experts_per_tok=2,
                             moe_intermediate_size=16, decoder_sparse_step=1, mlp_only_layers=[1], norm_topk_prob=True,
                             use_sliding_window=False, sliding_window=None, max_window_layers=3),
    "tiny-qwen3-moe-step2": family("qwen3_moe", "Qwen3MoeForCausalLM", num_hidden_layers=4, num_experts=8,
                                   num_experts_per_tok=3, moe_intermediate_size=16, decoder_sparse_step=2, mlp_only_layers=[],
                                   norm_topk_prob=False, use_sliding_window=False, sliding_window=None, max_window_layers=4),
}


def rule(name, shape):
    """mean, scale and bits of a tensor."""
    if len(shape) == 1:
        return (0.0, 0.25, 8) if name.endswith("bias") else (1.0, 0.25, 5)
    if "embed_tokens" in name:
        return 0.0, 0.25, 8  # little, so that the layers decide the next token and not the last one's embedding
    gain = 3.5 if any(part in name for part in ("q_proj", "k_proj", "qkv_proj", "lm_head", "mlp.gate.")) else 1.75
    return 0.0, 2.0 ** round(np.log2(gain / np.sqrt(shape[-1]))), 8


def drawn(number, shape, mean, scale, bits):
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        state = np.uint64(number << 32) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    top = (state >> np.uint64(56)).astype(np.int64) >> (8 - bits) << (8 - bits)
    return torch.tensor((mean + scale * (top - 128) / 128.0).astype(np.float32)).reshape(shape)


def stored_names(model):
    """Names and shapes as save_pretrained writes them."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(os.path.join(folder, "model.safetensors"), "pt") as file:
            names = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
        with open(os.path.join(folder, "config.json")) as file:
            return names, json.load(file)


def load(folder, dtype):
    kind = AutoModelForImageTextToText if folder.endswith("tiny-mistral3") else AutoModelForCausalLM
    return kind.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()


def logits_of(model, ids, **more):
    return model(input_ids=ids[None], **more)


def run(model, ids):
    with torch.inference_mode():
        logits = logits_of(model, ids, use_cache=False).logits[0]
        tokens, margins, last = [], [], logits[-1]
        for _ in range(GREEDY):
            best = last.topk(2)
            tokens.append(int(best.indices[0]))
            margins.append(float(best.values[0] - best.values[1]))
            if margins[-1] < LEAST_MARGIN:
                break
            # The whole sequence again: a cache that crosses longrope's limit would keep the short factors.
            sequence = torch.cat([ids, torch.tensor(tokens)])
            last = logits_of(model, sequence, use_cache=False).logits[0, -1]
    return logits, tokens, margins


def make(name, target):
    config = MODELS[name]
    folder = os.path.join(target, "models", name)
    golden = os.path.join(folder, "golden")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(golden)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({**config, "torch_dtype": "bfloat16"}, file, indent=1)
    kind = AutoModelForImageTextToText if config["model_type"] == "mistral3" else AutoModelForCausalLM
    names, newer = stored_names(kind.from_config(AutoConfig.from_pretrained(folder)).to(torch.bfloat16))
    with open(os.path.join(folder, "config.transformers5.json"), "w") as file:
        json.dump(newer, file, indent=1)
    weights, tensors = [], {}
    for number, (tensor, shape) in enumerate(sorted(names.items())):
        mean, scale, bits = rule(tensor, shape)
        tensors[tensor] = drawn(number, shape, mean, scale, bits)
        weights.append({"name": tensor, "shape": list(shape), "mean": mean, "scale": scale, "bits": bits})
    weights_file = os.path.join(folder, "model.safetensors")
    save_file(tensors, weights_file, metadata={"format": "pt"})
    model, rounding = load(folder, torch.float32), load(folder, torch.bfloat16)
    os.remove(weights_file)
    facts, arrays = {"model": name}, {}
    for label, length in INPUTS.items():
        for seed in range(400):
            ids = torch.randint(11, config.get("text_config", config)["vocab_size"], (length,),
                                generator=torch.Generator().manual_seed(seed))
            logits, tokens, margins = run(model, ids)
            if min(margins) >= LEAST_MARGIN and len(set(tokens)) >= LEAST_TOKENS:
                break
        else:
            raise SystemExit(f"{name}: no prompt of {length} tokens with margins of {LEAST_MARGIN} and {LEAST_TOKENS} tokens")
        with torch.inference_mode():
            rounded = logits_of(rounding, ids).logits[0].float()
        positions = torch.tensor([0, length // 3, length - 2])
        facts[label + ".length"] = length
        facts[label + ".prompt_seed"] = seed
        facts[label + ".greedy_min_margin"] = min(margins)
        facts[label + ".logits_std"] = float(logits.std())
        facts[label + ".bf16_forward_maxdiff_last"] = float((rounded[-1] - logits[-1]).abs().max())
        facts[label + ".bf16_forward_maxdiff_all"] = float((rounded - logits).abs().max())
        missed = (rounded.argmax(-1) != logits.argmax(-1)).sum()
        facts[label + ".bf16_forward_argmax_missed"] = int(missed)
        arrays.update({
            label + ".ids": ids.int(), label + ".logits_positions": positions.int(),
            label + ".logits": logits[positions].clone(), label + ".logits_last": logits[-1].clone(),
            label + ".argmax_all": logits.argmax(-1).int(), label + ".greedy32": torch.tensor(tokens, dtype=torch.int32),
            label + ".greedy32_margin": torch.tensor(margins)})
    with open(os.path.join(folder, "weights.json"), "w") as file:
        file.write('{"tensors": [\n' + ",\n".join(json.dumps(entry) for entry in weights) + "\n]}\n")
    with open(os.path.join(golden, "golden.json"), "w") as file:
        json.dump(facts, file, indent=1)
    save_file(arrays, os.path.join(golden, "expected.safetensors"))
    print(name, {k: round(v, 4) for k, v in facts.items() if isinstance(v, float)}, flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[2:] or MODELS:
        make(name, sys.argv[1])
