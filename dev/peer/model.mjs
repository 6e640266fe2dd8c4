// Writes a GGUF file of a Llama with 375 million random weights: hidden size 1,024, 16 layers,
// 8 query and 2 key-value heads of 128, 128,256 tokens, tied embeddings. Speed needs no more.
//
//   node model.mjs bf16|q8_0|q4_0 FILE [CONTEXT]
import fs from "node:fs";

const [format, file, context = "40960"] = process.argv.slice(2);
// Number of the type in GGUF, weights in a block, bytes of a block.
const FORMATS = {f32: [0, 1, 4], bf16: [30, 1, 2], q8_0: [8, 32, 34], q4_0: [2, 32, 18]};
if (!(format in FORMATS) || format === "f32" || !file) {
    console.error(`usage: node model.mjs bf16|q8_0|q4_0 FILE [CONTEXT]; the format is ${format}`);
    process.exit(2);
}
const HIDDEN = 1024, LAYERS = 16, HEADS = 8, KV_HEADS = 2, HEAD_DIM = 128, INNER = 4096, TOKENS = 128256;
const ALIGNMENT = 32;

class Writer {
    parts = [];
    size = 0;
    bytes(buffer) { this.parts.push(buffer); this.size += buffer.length; }
    u32(value) { const b = Buffer.alloc(4); b.writeUInt32LE(value); this.bytes(b); }
    u64(value) { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(value)); this.bytes(b); }
    f32(value) { const b = Buffer.alloc(4); b.writeFloatLE(value); this.bytes(b); }
    string(text) { const b = Buffer.from(text); this.u64(b.length); this.bytes(b); }
}

// GPT-2's letters for bytes, so that the file has a complete byte-level vocabulary.
function byteLetters() {
    const plain = [...Array(256).keys()].filter(b => (b > 32 && b < 127) || (b > 160 && b !== 173));
    let next = 256;
    return [...Array(256).keys()].map(b => String.fromCodePoint(plain.includes(b) ? b : next++));
}

const tokens = byteLetters();
for (let i = tokens.length; i < TOKENS - 1; i++) {
    tokens.push(`<|unused_${i}|>`);
}
tokens.push("<|end_of_text|>");

const TYPES = {u32: 4, i32: 5, f32: 6, string: 8, array: 9};
const metadata = [
    ["general.architecture", "string", "llama"],
    ["general.name", "string", "random-375m"],
    ["general.alignment", "u32", ALIGNMENT],
    ["llama.block_count", "u32", LAYERS],
    ["llama.context_length", "u32", Number(context)],
    ["llama.embedding_length", "u32", HIDDEN],
    ["llama.feed_forward_length", "u32", INNER],
    ["llama.attention.head_count", "u32", HEADS],
    ["llama.attention.head_count_kv", "u32", KV_HEADS],
    ["llama.attention.key_length", "u32", HEAD_DIM],
    ["llama.attention.value_length", "u32", HEAD_DIM],
    ["llama.attention.layer_norm_rms_epsilon", "f32", 1e-5],
    ["llama.rope.dimension_count", "u32", HEAD_DIM],
    ["llama.rope.freq_base", "f32", 500000],
    ["llama.vocab_size", "u32", TOKENS],
    ["tokenizer.ggml.model", "string", "gpt2"],
    ["tokenizer.ggml.pre", "string", "llama-bpe"],
    ["tokenizer.ggml.tokens", "string", tokens],
    ["tokenizer.ggml.token_type", "i32", tokens.map((token, i) => i < 256 ? 1 : 3)],
    ["tokenizer.ggml.merges", "string", ["a b"]],
    ["tokenizer.ggml.eos_token_id", "u32", TOKENS - 1],
    ["tokenizer.ggml.bos_token_id", "u32", TOKENS - 1]
];

const tensors = [["token_embd.weight", [HIDDEN, TOKENS], format], ["output_norm.weight", [HIDDEN], "f32"]];
for (let i = 0; i < LAYERS; i++) {
    const at = `blk.${i}.`;
    tensors.push(
        [at + "attn_norm.weight", [HIDDEN], "f32"],
        [at + "attn_q.weight", [HIDDEN, HEADS * HEAD_DIM], format],
        [at + "attn_k.weight", [HIDDEN, KV_HEADS * HEAD_DIM], format],
        [at + "attn_v.weight", [HIDDEN, KV_HEADS * HEAD_DIM], format],
        [at + "attn_output.weight", [HEADS * HEAD_DIM, HIDDEN], format],
        [at + "ffn_norm.weight", [HIDDEN], "f32"],
        [at + "ffn_gate.weight", [HIDDEN, INNER], format],
        [at + "ffn_up.weight", [HIDDEN, INNER], format],
        [at + "ffn_down.weight", [INNER, HIDDEN], format]);
}

const byteSize = ([, extents, type]) =>
    extents.reduce((product, extent) => product * extent, 1) / FORMATS[type][1] * FORMATS[type][2];
const padded = size => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

const head = new Writer();
head.bytes(Buffer.from("GGUF"));
head.u32(3);
head.u64(tensors.length);
head.u64(metadata.length);
for (const [key, type, value] of metadata) {
    head.string(key);
    if (Array.isArray(value)) {
        head.u32(TYPES.array);
        head.u32(TYPES[type]);
        head.u64(value.length);
        value.forEach(each => type === "string" ? head.string(each) : head.u32(each));
    } else {
        head.u32(TYPES[type]);
        head[type](value);
    }
}
let offset = 0;
for (const tensor of tensors) {
    head.string(tensor[0]);
    head.u32(tensor[1].length);
    tensor[1].forEach(extent => head.u64(extent));
    head.u32(FORMATS[tensor[2]][0]);
    head.u64(offset);
    offset += padded(byteSize(tensor));
}

// xorshift32
let state = 42;
function random() {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
}

// About normal with deviation 0.02: the sum of four uniform numbers.
function weight() {
    return ((random() + random() + random() + random()) / 2 ** 32 - 2) * 0.0346;
}

const float = new Float32Array(1), bits = new Uint32Array(float.buffer);
function fill(type, size) {
    const data = Buffer.alloc(size);
    if (type === "f32") {
        for (let i = 0; i < size; i += 4) data.writeFloatLE(1, i);
    } else if (type === "bf16") {
        for (let i = 0; i < size; i += 2) {
            float[0] = weight();
            data.writeUInt16LE(bits[0] >>> 16, i);
        }
    } else {
        const block = FORMATS[type][2];
        for (let i = 0; i < size; i += 4) data.writeUInt32LE(random(), i);
        // The scale comes first, as f16: 2^-12 for codes up to 127, 2^-8 for codes up to 8.
        for (let i = 0; i < size; i += block) data.writeUInt16LE((type === "q8_0" ? 3 : 7) << 10, i);
    }
    return data;
}

const out = fs.openSync(file, "w");
head.parts.forEach(part => fs.writeSync(out, part));
fs.writeSync(out, Buffer.alloc(padded(head.size) - head.size));
for (const tensor of tensors) {
    const size = byteSize(tensor);
    fs.writeSync(out, fill(tensor[2], size));
    fs.writeSync(out, Buffer.alloc(padded(size) - size));
}
fs.closeSync(out);
