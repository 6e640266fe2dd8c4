"""Makes testdata/golden-weights.tar.xz from the public archive golden-public-weights.tar.gz.

Usage: weights_subset.py FOLDER_OF_THE_UNPACKED_ARCHIVE OUTPUT_FOLDER
Then: tar -C OUTPUT_FOLDER --sort=name --owner=0 --group=0 --mtime=@0 -c weights | xz -9e > golden-weights.tar.xz

It takes one whole model (Q4_K_M has Q4_K and Q6_K matrices, permuted rows, rope_freqs, tied embeddings)
and one small tensor of each other block format, with the checksums of its decoded numbers.
"""

import json
import pathlib
import shutil
import struct
import sys

MODEL = "tiny-llama32-Q4_K_M"
TENSORS = {"Q8_0": "tiny-llama32-Q8_0", "Q4_0": "tiny-llama32-Q4_0", "Q5_K": "tiny-llama32-Q5_K_M"}
NAME = "blk.0.attn_k.weight"
BLOCK = {"Q8_0": (32, 34), "Q4_0": (32, 18), "Q5_K": (256, 176)}


class Header:
    """The places of a GGUF file's tensors."""

    WIDTHS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def __init__(self, data):
        self.data, self.at = data, 8
        tensors, entries = self.number("Q"), self.number("Q")
        for _ in range(entries):
            self.text()
            self.value(self.number("I"))
        self.tensors = {}
        for _ in range(tensors):
            name = self.text()
            extents = [self.number("Q") for _ in range(self.number("I"))]
            kind = self.number("I")
            self.tensors[name] = (extents[::-1], kind, self.number("Q"))
        self.start = -(-self.at // 32) * 32

    def number(self, width):
        value = struct.unpack_from("<" + width, self.data, self.at)[0]
        self.at += struct.calcsize(width)
        return value

    def text(self):
        length = self.number("Q")
        self.at += length
        return self.data[self.at - length : self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            inner, count = self.number("I"), self.number("Q")
            return [self.value(inner) for _ in range(count)]
        return self.number(self.WIDTHS[kind])


def main(source, target):
    gguf = pathlib.Path(source) / "gguf"
    out = pathlib.Path(target) / "weights"
    shutil.copytree(gguf / MODEL, out / MODEL, dirs_exist_ok=True)
    facts = {}
    for kind, model in TENSORS.items():
        data = (gguf / model / f"{model}.gguf").read_bytes()
        header = Header(data)
        extents, _, offset = header.tensors[NAME]
        elements, size = BLOCK[kind]
        length = extents[0] * extents[1] // elements * size
        begin = header.start + offset
        (out / f"{kind}.bin").write_bytes(data[begin : begin + length])
        facts[kind] = json.loads((gguf / model / "golden" / "golden.json").read_text())["tensors"][NAME]
        assert facts[kind]["type"] == kind
    (out / "tensors.json").write_text(json.dumps(facts, indent=1))


main(*sys.argv[1:])
