// What the server does now, from one connection that is opened again whenever it ends.

import { events, isAbort, send, sentence } from './api.js';
import { Chart } from './charts.js';
import { bytes, count, percent, rate } from './format.js';
import { Strip } from './strip.js';

const $ = (id) => document.getElementById(id);
const SILENCE_MILLIS = 8000;
const RETRY_MILLIS = [500, 1000, 2000, 4000];

export class Live {
    #actions;
    #controller = null;
    #retries = 0;
    #timer = 0;
    #silence = 0;
    #speed = new Chart($('speed-chart'), {
        format: (value) => Number.isInteger(value) ? count(value) : rate(value),
        describe: (values) => `Tokens per second: now ${rate(values.at(-1) ?? 0)},`
            + ` at most ${rate(Math.max(0, ...values))} in the last two minutes`,
    });
    #strip = new Strip();

    /** Receives states, facts about the server, and counts of documents. */
    constructor(actions) {
        this.#actions = actions;
        document.addEventListener('visibilitychange', () => {
            if (document.hidden) {
                this.#disconnect();
            } else {
                this.connect();
            }
        });
    }

    #disconnect() {
        clearTimeout(this.#timer);
        clearTimeout(this.#silence);
        this.#controller?.abort();
        this.#controller = null;
    }

    /** Connects anew. */
    async connect() {
        this.#disconnect();
        const controller = new AbortController();
        this.#controller = controller;
        try {
            this.#listen(controller);
            const response = await send('/v1/live', { signal: controller.signal });
            for await (const event of events(response)) {
                this.#retries = 0;
                this.#listen(controller);
                this.#show(event);
            }
            this.#again(controller, 'offline', '');
        } catch (error) {
            this.#explain(controller, error);
        }
    }

    /** A connection without events for some seconds counts as lost. */
    #listen(controller) {
        clearTimeout(this.#silence);
        this.#silence = setTimeout(() => {
            this.#again(controller, 'offline', '');
            controller.abort();
        }, SILENCE_MILLIS);
    }

    #explain(controller, error) {
        if (isAbort(error)) {
            return;
        }
        if (error.status === 401) {
            clearTimeout(this.#silence);
            this.#actions.onState('locked', '');
        } else if (error.code === 'loading') {
            this.#again(controller, 'loading', '');
        } else {
            this.#again(controller, 'offline', error.status > 0 ? sentence(error) : '');
        }
    }

    #again(controller, state, reason) {
        if (controller !== this.#controller) {
            return;
        }
        this.#controller = null;
        clearTimeout(this.#silence);
        this.#actions.onState(state, reason);
        const wait = RETRY_MILLIS[Math.min(this.#retries++, RETRY_MILLIS.length - 1)];
        this.#timer = setTimeout(() => this.connect(), wait);
    }

    #show(event) {
        this.#actions.onState(event.state, '');
        this.#actions.onServer(event.server);
        this.#actions.onDocuments(event.documents);
        const now = performance.now() / 1000;
        $('running').textContent = count(event.running);
        $('waiting').textContent = count(event.waiting);
        $('speed').textContent = rate(event.tokens_per_second);
        this.#speed.add(now, event.tokens_per_second);
        if (event.memory) this.#showMemory(event.memory, event.server.method);
        this.#showFetching(event);
    }

    #showMemory(memory, method) {
        const device = memory.device_bytes;
        const host = memory.host_bytes;
        const full = memory.full_attention_bytes;
        const isFull = method === 'full';
        const most = Math.max(1, device + host, full);
        $('bar-device').style.width = `${100 * device / most}%`;
        $('bar-host').style.width = `${100 * host / most}%`;
        $('bar-full').style.width = `${100 * full / most}%`;
        $('bar-own-name').textContent = isFull ? 'In use' : 'ShadowKV';
        const place = memory.is_shared ? 'resident' : 'in device memory';
        $('legend-device').textContent =
            `${memory.is_shared ? 'Resident' : 'Device memory'} ${bytes(device)}`;
        $('legend-host').textContent =
            `${memory.is_shared ? 'Fetched when needed' : 'Host memory'} ${bytes(host)}`;
        let text = 'Nothing is held.';
        if (device + host > 0) {
            text = `${bytes(device)} ${place} for ${count(memory.tokens)} tokens`;
            text += isFull ? '.' : `. Full attention would take ${bytes(full)}.`;
        }
        if ($('memory-text').textContent !== text) {
            $('memory-text').textContent = text;
            $('memory-bars').setAttribute(
                'aria-label', `${text} ${memory.is_shared ? 'Fetched when needed' : 'Host memory'}: ${bytes(host)}`);
        }
    }

    #showFetching({ selection, fetches, server }) {
        $('hits').textContent = selection ? percent(selection.hit_rate) : '–';
        $('fetched').textContent = selection
            ? bytes(selection.host_bytes_per_token + selection.device_bytes_per_token) : '–';
        if (fetches && server.method !== 'full') {
            this.#strip.add(fetches);
        } else if (server.method === 'full') {
            this.#strip.explain('This server runs full attention: each step reads every token, and nothing is fetched.');
        }
    }
}
