// Measures llama.cpp on the CPU: prompt and answer speed of a GGUF file, in rounds of random prompts.
// Prints one line of JSON.
//
//   node llama.mjs FILE CONTEXT BATCH STEPS WARMUP_ROUNDS ROUNDS THREADS
import {getLlama} from "node-llama-cpp";

const [file, ...numbers] = process.argv.slice(2);
const [context, batch, steps, warmup, rounds, threads] = numbers.map(Number);
const llama = await getLlama({gpu: false, build: "never", maxThreads: threads, logLevel: "error"});
const model = await llama.loadModel({modelPath: file});
const opened = await model.createContext({
    contextSize: context + steps + 8, sequences: batch, batchSize: 512, threads: {ideal: threads, min: threads}
});
const sequences = [...Array(batch)].map(() => opened.getSequence());
const vocabulary = 128000;

const seconds = async work => {
    const start = process.hrtime.bigint();
    await work();
    return Number(process.hrtime.bigint() - start) / 1e9;
};

async function decode(sequence, token) {
    let made = 0;
    // Answers must not end early.
    for await (const next of sequence.evaluate([token], {temperature: 0, yieldEogToken: true})) {
        if (++made === steps) break;
    }
}

const prompts = [], answers = [];
for (let round = -warmup; round < rounds; round++) {
    let state = 17 + round;
    const prompt = [...Array(context)].map(() => (state = (state * 1103515245 + 12345) % 2147483648) % vocabulary);
    let reading = 0;
    for (const sequence of sequences) {
        await sequence.clearHistory();
        const taken = await seconds(() => sequence.evaluateWithoutGeneratingNewTokens(prompt));
        reading = reading || taken;
    }
    const decoding = await seconds(() =>
        Promise.all(sequences.map((sequence, i) => decode(sequence, 1000 + i))));
    if (round >= 0) {
        prompts.push(context / reading);
        answers.push(batch * steps / decoding);
    }
}
console.log(JSON.stringify({
    engine: "llama.cpp " + (llama.llamaCppRelease?.release ?? ""), context_tokens: context, batch, rounds,
    prompt_tokens_per_second: prompts, answer_tokens_per_second: answers
}));
process.exit(0);
