"""Makes gptq-order.safetensors, the test resource of GPTQ with activation order.

Usage: gptq_order.py OUTPUT_FILE

The matrix [24, 64] is quantised in groups of 16 columns of similar activations (desc_act), as AutoGPTQ does:
columns are sorted by the diagonal of the Hessian, groups are neighbours in that order, and g_idx has the group of
each column in the stored order. It is packed as in AutoGPTQ's QuantLinear.pack, and `weight` is what its forward
computes: scales[g_idx] * (codes - zeros[g_idx]), transposed, with the zero points stored less 1. There is no error
feedback, which would change the codes and not the format. Needs numpy.
"""

import json
import struct
import sys

import numpy

OUTPUTS, INPUTS, GROUP, LAYER = 24, 64, 16, "model.layers.0.self_attn.q_proj"


def pack_rows(codes):
    """Eight rows of [n, m] into one of [n / 8, m]; the first in the lowest bits."""
    words = numpy.zeros((codes.shape[0] // 8, codes.shape[1]), numpy.uint32)
    for i in range(8):
        words |= codes[i::8].astype(numpy.uint32) << numpy.uint32(4 * i)
    return words.view(numpy.int32)


def save(tensors, output):
    """Writes a safetensors file."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        kind = {"i": "I", "f": "F"}[tensor.dtype.kind] + str(8 * tensor.dtype.itemsize)
        places = [len(data), len(data) + tensor.nbytes]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": places}
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(output, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main(output):
    random = numpy.random.default_rng(20261201)
    matrix = random.normal(0, 0.1, (OUTPUTS, INPUTS)).astype(numpy.float32)
    hessian = random.gamma(0.5, 1, INPUTS)
    columns = numpy.argsort(-hessian)
    g_idx = numpy.empty(INPUTS, numpy.int32)
    g_idx[columns] = numpy.arange(INPUTS) // GROUP

    groups = INPUTS // GROUP
    scales = numpy.empty((groups, OUTPUTS), numpy.float16)
    zeros = numpy.empty((groups, OUTPUTS), numpy.int32)
    for group in range(groups):
        part = matrix[:, g_idx == group]
        low, high = numpy.minimum(part.min(1), 0), numpy.maximum(part.max(1), 0)
        scales[group] = (high - low) / 15
        zeros[group] = numpy.clip(numpy.rint(-low / scales[group].astype(numpy.float32)), 1, 15)
    each = scales.astype(numpy.float32)[g_idx]
    codes = numpy.clip(numpy.rint(matrix.T / each) + zeros[g_idx], 0, 15).astype(numpy.int32)
    save(
        {
            LAYER + ".qweight": pack_rows(codes),
            LAYER + ".qzeros": numpy.ascontiguousarray(pack_rows(numpy.ascontiguousarray((zeros - 1).T)).T),
            LAYER + ".scales": scales,
            LAYER + ".g_idx": g_idx,
            "weight": numpy.ascontiguousarray(((codes - zeros[g_idx]) * each).T),
        },
        output,
    )


if __name__ == "__main__":
    main(sys.argv[1])
