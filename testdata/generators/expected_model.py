"""Expected values of the archive golden-models: logits and hidden states of a model folder, by Hugging Face transformers.

python expected_model.py [--write] MODEL-FOLDER ...

Computes in float32 with eager attention on the CPU, from the weights exactly as stored. Prompts are the `<name>.ids` of
golden/expected.safetensors; a folder without that file gets `n17` and `n300` of made-up ids. Without --write, prints how far
the stored arrays are from those computed now. Arrays that this script does not compute (those of single projections) are
kept as they are.
"""
import os
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

GREEDY = 32


def prompts(stored, vocabulary):
    names = {key[: -len(".ids")] for key in stored if key.endswith(".ids")}
    if names:
        return {name: stored[name + ".ids"].long() for name in sorted(names)}
    generator = torch.Generator().manual_seed(7)
    return {f"n{n}": torch.randint(0, vocabulary, (n,), generator=generator) for n in (17, 300)}


def computed(model, stored, name, ids):
    with torch.inference_mode():
        out = model(ids[None], output_hidden_states=True, use_cache=True)
        logits = out.logits[0]
        positions = stored.get(name + ".logits_positions", torch.arange(len(ids))).long()
        arrays = {
            name + ".ids": ids.int(),
            name + ".logits_positions": positions.int(),
            name + ".logits": logits[positions].clone(),
            name + ".logits_last": logits[-1].clone(),
            name + ".argmax_all": logits.argmax(-1).int(),
        }
        if name == "n17":
            for i, hidden in enumerate(out.hidden_states[:-1]):
                arrays[name + (".hidden.embed" if i == 0 else f".hidden.layer{i - 1}")] = hidden[0].clone()
            arrays[name + ".hidden.final_norm"] = out.hidden_states[-1][0].clone()
        tokens, margins, last, cache = [], [], logits[-1], out.past_key_values
        for _ in range(GREEDY):
            best = last.topk(2)
            tokens.append(int(best.indices[0]))
            margins.append(float(best.values[0] - best.values[1]))
            out = model(torch.tensor([[tokens[-1]]]), past_key_values=cache, use_cache=True)
            last, cache = out.logits[0, -1], out.past_key_values
        arrays[name + ".greedy32"] = torch.tensor(tokens, dtype=torch.int32)
        arrays[name + ".greedy32_margin"] = torch.tensor(margins)
    return arrays


arguments = sys.argv[1:]
for folder in (a for a in arguments if a != "--write"):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    path = os.path.join(folder, "golden", "expected.safetensors")
    stored = load_file(path) if os.path.exists(path) else {}
    for name, ids in prompts(stored, model.config.vocab_size).items():
        for key, value in computed(model, stored, name, ids).items():
            if key in stored:
                if stored[key].shape != value.shape:
                    print(f"{folder} {key}: {tuple(stored[key].shape)} stored, {tuple(value.shape)} now")
                else:
                    print(f"{folder} {key}: {(stored[key].double() - value.double()).abs().max():.3g} apart")
            stored[key] = value.contiguous()
    if "--write" in arguments:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        save_file(stored, path, metadata={"model": os.path.basename(os.path.normpath(folder))})
