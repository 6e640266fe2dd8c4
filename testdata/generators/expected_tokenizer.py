"""Expected values of the archive golden-tokenizers: what Hugging Face tokenizers makes of a tokenizer.json.

python expected_tokenizer.py [--write] TOKENIZER-FOLDER ...

Texts and ids are those of the folder's golden_encode.jsonl and golden_decode.jsonl; for a new one, give objects with
`text` or `ids` alone. Without --write, prints how many differ.
"""
import json
import os
import sys

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream


def stream(tokenizer, ids, skip_special=False):
    """What a streaming decoder hands out after each id; None where the library's own gives up."""
    decoder = DecodeStream(skip_special_tokens=skip_special)
    try:
        return [decoder.step(tokenizer, id) for id in ids]
    except Exception:
        return None


def encoded(tokenizer, old):
    text = old["text"]
    plain = tokenizer.encode(text, add_special_tokens=False)
    ids = tokenizer.encode(text).ids
    new = {
        "text": text,
        "ids": ids,
        "ids_no_special": plain.ids,
        "tokens_no_special": plain.tokens,
        "offsets_no_special": [list(pair) for pair in plain.offsets],
        "decode": tokenizer.decode(ids, skip_special_tokens=False),
        "decode_skip_special": tokenizer.decode(ids),
        "decode_no_special_ids": tokenizer.decode(plain.ids, skip_special_tokens=False),
    }
    if "stream" in old:
        new["stream"] = stream(tokenizer, plain.ids)
    return new


def decoded(tokenizer, old):
    ids = old["ids"]
    return {
        "ids": ids,
        "decode": tokenizer.decode(ids, skip_special_tokens=False),
        "decode_skip_special": tokenizer.decode(ids),
        "stream": stream(tokenizer, ids),
    }


arguments = sys.argv[1:]
for folder in (a for a in arguments if a != "--write"):
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    for name, values in (("golden_encode.jsonl", encoded), ("golden_decode.jsonl", decoded)):
        path = os.path.join(folder, name)
        with open(path) as file:
            old = [json.loads(line) for line in file]
        new = [values(tokenizer, row) for row in old]
        differing = [n for o, n in zip(old, new) if any(o.get(key) != n[key] for key in n)]
        print(f"{path}: {len(differing)} of {len(old)} differ")
        for row in differing[:3]:
            print("  now", json.dumps(row)[:300])
        if "--write" in arguments:
            with open(path, "w") as file:
                file.writelines(json.dumps(row) + "\n" for row in new)
