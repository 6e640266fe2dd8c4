// Compares `shadowkv bench cpu` with llama.cpp on the same file, one process after the other, and
// prints the ratio of each pair, so that what else the machine does affects both.
//
//   npm install --ignore-scripts && node compare.mjs [--format bf16] [--context 512] [--batch 1]
//       [--pairs 3] [--method full] [--steps 32] [--threads N] [--file FILE] [--out FILE.jsonl]
import {execFileSync} from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {parseArgs} from "node:util";

const here = import.meta.dirname;
const {values} = parseArgs({options: {
    format: {type: "string", default: "bf16"},
    context: {type: "string", default: "512"},
    batch: {type: "string", default: "1"},
    pairs: {type: "string", default: "3"},
    method: {type: "string", default: "full"},
    steps: {type: "string", default: "32"},
    threads: {type: "string", default: String(os.availableParallelism())},
    file: {type: "string"},
    out: {type: "string"}
}});
const WARMUP = "2", ROUNDS = "3";

const file = values.file ?? path.join(os.tmpdir(), `random-375m-${values.format}.gguf`);
if (!fs.existsSync(file)) {
    run(process.execPath, [path.join(here, "model.mjs"), values.format, file]);
}

function run(command, args) {
    return execFileSync(command, args, {encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 26});
}

function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
}

function ours() {
    const lines = run(path.join(here, "..", "..", "shadowkv"), [
        "bench", "cpu", "--model", file, "--context", values.context, "--batch", values.batch, "--method", values.method,
        "--steps", values.steps, "--threads", values.threads, "--warmup-rounds", WARMUP, "--rounds", ROUNDS, "--json"]);
    return JSON.parse(lines.trim().split("\n").at(-1));
}

function theirs() {
    const lines = run(process.execPath, [path.join(here, "llama.mjs"), file, values.context, values.batch, values.steps,
        WARMUP, ROUNDS, values.threads]);
    return JSON.parse(lines.trim().split("\n").at(-1));
}

const ratios = {prompt: [], answer: []}, speeds = {prompt: [[], []], answer: [[], []]};
for (let pair = 0; pair < Number(values.pairs); pair++) {
    // The one that goes first changes.
    const first = pair % 2 === 0 ? ours() : null;
    const peer = theirs();
    const own = first ?? ours();
    for (const part of ["prompt", "answer"]) {
        const mine = median(own[part + "_tokens_per_second"]), other = median(peer[part + "_tokens_per_second"]);
        speeds[part][0].push(mine);
        speeds[part][1].push(other);
        ratios[part].push(mine / other);
        console.log(`pair ${pair + 1}, ${part}: ${mine.toFixed(1)} against ${other.toFixed(1)} tokens/s, `
            + `${(mine / other).toFixed(2)} times`);
    }
}
const result = {
    benchmark: "llama.cpp", time: new Date().toISOString(), format: values.format, context_tokens: Number(values.context),
    batch: Number(values.batch), method: values.method, threads: Number(values.threads), pairs: Number(values.pairs),
    processor: os.cpus()[0].model
};
for (const part of ["prompt", "answer"]) {
    result[part] = {
        ours: median(speeds[part][0]), peer: median(speeds[part][1]), ratio: median(ratios[part]),
        lowest: Math.min(...ratios[part]), highest: Math.max(...ratios[part])
    };
    const {ratio, lowest, highest} = result[part];
    console.log(`${part}: ${ratio.toFixed(2)} times llama.cpp (${lowest.toFixed(2)} to ${highest.toFixed(2)})`);
}
if (values.out) {
    fs.appendFileSync(values.out, JSON.stringify(result) + "\n");
}
