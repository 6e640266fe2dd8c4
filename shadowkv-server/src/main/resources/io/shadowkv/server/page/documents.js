// The documents: opening, reading, choosing, saving, loading, deleting.

import { events, isAbort, json, send, sentence } from './api.js';
import { bytes, count, counted, duration } from './format.js';
import { example } from './example.js';

const $ = (id) => document.getElementById(id);
const CONFIRM_MILLIS = 5000;
const POLL_MILLIS = 2000;

export class Documents {
    #actions;
    #server = null;
    #list = [];
    #shown = '';
    #selected = null;
    #counts = '';
    #poll = 0;

    constructor(actions) {
        this.#actions = actions;
        $('choose').addEventListener('click', () => $('file').click());
        $('file').addEventListener('change', () => {
            this.#open($('file').files);
            $('file').value = '';
        });
        $('paste-open').addEventListener('click', () => $('paste-dialog').showModal());
        $('paste-cancel').addEventListener('click', () => $('paste-dialog').close());
        $('paste-form').addEventListener('submit', () => {
            this.#read($('paste-text').value, $('paste-name').value.trim() || 'Pasted text');
            $('paste-text').value = '';
        });
        $('example').addEventListener('click', () => this.#example());
        this.#listenToDrops();
    }

    #listenToDrops() {
        let depth = 0;
        const show = (change) => {
            depth = Math.max(0, depth + change);
            document.body.classList.toggle('dropping', depth > 0);
        };
        addEventListener('dragenter', (event) => { event.preventDefault(); show(1); });
        addEventListener('dragleave', () => show(-1));
        addEventListener('dragover', (event) => event.preventDefault());
        addEventListener('drop', (event) => {
            event.preventDefault();
            show(-depth);
            this.#open(event.dataTransfer.files);
        });
    }

    /** What the server can do. */
    serve(server) {
        if (JSON.stringify(server) !== JSON.stringify(this.#server)) {
            this.#server = server;
            this.#shown = '';
            this.refresh();
        }
    }

    /** The server's numbers of documents; a change means that the list is old. */
    counted(counts) {
        const found = `${counts.ready} ${counts.reading}`;
        if (found !== this.#counts) {
            this.#counts = found;
            this.refresh();
        }
    }

    async #open(files) {
        for (const file of files) {
            let text;
            try {
                text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
            } catch {
                this.#fail(`"${file.name}" is not a text in UTF-8. Save it as plain text, and open that file.`);
                continue;
            }
            this.#read(text, file.name);
        }
    }

    async #example() {
        const { name, text, question } = example();
        if (await this.#read(text, name)) {
            this.#actions.onExample(question);
        }
    }

    /** Has a text read, and chooses it. */
    async #read(text, name) {
        this.#fail('');
        if (!text.trim()) {
            this.#fail(`"${name}" is empty. Choose a text with at least one word.`);
            return false;
        }
        const controller = new AbortController();
        const card = readingCard(name, () => controller.abort());
        $('readings').append(card.element);
        this.#showEmpty();
        this.#actions.announce(`Reading ${name}`);
        try {
            const response = await send('/v1/documents', {
                method: 'POST', body: { name: name.slice(0, 200), text, stream: true }, signal: controller.signal,
            });
            let read = null;
            for await (const event of events(response)) {
                if (event.prompt_progress) {
                    card.progress(event.prompt_progress);
                } else {
                    read = event;
                }
            }
            if (!read) {
                throw new Error('The server closed the connection before it had read the text.');
            }
            this.#actions.announce(`${name} is read: ${counted(read.tokens, 'token')}`);
            await this.refresh();
            this.#select(read.id);
            return true;
        } catch (error) {
            if (isAbort(error)) {
                this.#actions.announce(`${name} is not read any further`);
            } else {
                this.#fail(`"${name}" was not read. ${sentence(error)}`);
            }
            return false;
        } finally {
            card.element.remove();
            this.#showEmpty();
        }
    }

    /** Fetches the list and shows it if it has changed. */
    async refresh() {
        clearTimeout(this.#poll);
        try {
            this.#list = (await json('/v1/documents')).data;
        } catch {
            return; // The live connection says what is wrong.
        }
        if (this.#list.some((one) => one.status === 'reading')) {
            this.#poll = setTimeout(() => this.refresh(), POLL_MILLIS);
        }
        this.#show();
    }

    #show() {
        const chosen = this.#list.find((one) => one.id === this.#selected && one.status === 'ready');
        if (!chosen) {
            this.#selected = null;
        }
        const state = JSON.stringify([this.#list, this.#selected]);
        if (state === this.#shown) {
            return;
        }
        this.#shown = state;
        const focus = document.activeElement?.dataset.focus;
        $('list').replaceChildren(...this.#list
            .filter((one) => one.status !== 'reading' || !$('readings').childElementCount)
            .map((one) => this.#item(one)));
        if (focus) {
            document.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus();
        }
        this.#showEmpty();
        this.#actions.onSelect(chosen ?? null);
    }

    #showEmpty() {
        $('list-empty').hidden = $('list').childElementCount + $('readings').childElementCount > 0;
    }

    #item(one) {
        const name = one.name || one.id;
        const item = element('li', 'item');
        const isReady = one.status === 'ready';
        item.classList.toggle('chosen', one.id === this.#selected);
        const choose = element('button', 'name', name);
        choose.type = 'button';
        choose.dataset.focus = `choose ${one.id}`;
        choose.setAttribute('aria-pressed', one.id === this.#selected);
        choose.disabled = !isReady;
        choose.addEventListener('click', () => this.#select(one.id === this.#selected ? null : one.id));
        item.append(choose, element('p', 'facts', facts(one)));
        const actions = element('p', 'actions');
        if (isReady && this.#server?.saves && !one.saved) {
            actions.append(this.#action(one, 'Save', name, () => this.#save(one, name)));
        }
        if (one.status === 'saved') {
            actions.append(this.#action(one, 'Load', name, () => this.#load(one, name)));
        }
        if (isReady && one.saved) {
            actions.append(this.#action(one, 'Unload', name, () => this.#delete(one, name)));
        } else {
            actions.append(this.#deleting(one, name));
        }
        item.append(actions);
        return item;
    }

    #action(one, title, name, act) {
        const button = element('button', 'link', title);
        button.type = 'button';
        button.dataset.focus = `${title} ${one.id}`;
        button.setAttribute('aria-label', `${title} ${name}`);
        button.addEventListener('click', async () => {
            button.disabled = true;
            this.#fail('');
            try {
                await act();
            } catch (error) {
                this.#fail(sentence(error));
            }
            button.disabled = false;
            await this.refresh();
        });
        return button;
    }

    /** A button that deletes at its second press. */
    #deleting(one, name) {
        let isSure = false;
        const button = this.#action(one, one.status === 'reading' ? 'Cancel' : 'Delete', name, async () => {
            if (!isSure) {
                isSure = true;
                button.textContent = 'Delete for good?';
                button.classList.add('sure');
                button.setAttribute('aria-label', `Delete ${name} for good?`);
                setTimeout(() => { this.#shown = ''; this.#show(); }, CONFIRM_MILLIS);
                return;
            }
            await this.#delete(one, name);
        });
        return button;
    }

    async #save(one, name) {
        await json(`/v1/documents/${encodeURIComponent(one.id)}/save`, { method: 'POST' });
        this.#actions.announce(`${name} is saved`);
    }

    async #load(one, name) {
        await json('/v1/documents/load', { method: 'POST', body: { id: one.id } });
        this.#actions.announce(`${name} is loaded`);
        await this.refresh();
        this.#select(one.id);
    }

    async #delete(one, name) {
        await json(`/v1/documents/${encodeURIComponent(one.id)}`, { method: 'DELETE' });
        this.#actions.announce(one.saved ? `${name} is unloaded. It can be loaded again` : `${name} is deleted`);
    }

    #select(id) {
        this.#selected = id;
        this.#show();
    }

    #fail(text) {
        $('documents-error').textContent = text;
        $('documents-error').hidden = !text;
    }
}

function facts(one) {
    const size = one.bytes ? ` · ${bytes(one.bytes)}` : '';
    switch (one.status) {
        case 'reading': return `Being read · ${Math.round(100 * one.progress)} % of ${counted(one.tokens, 'token')}`;
        case 'saved': return `Saved, not in memory · ${counted(one.tokens, 'token')}`;
        case 'damaged': return 'Damaged file. Delete it and read the text again.';
        default: return `${counted(one.tokens, 'token')}${size}${one.saved ? ' · saved' : ''}`;
    }
}

/** Shows how far the reading of a text is. */
function readingCard(name, cancel) {
    const item = element('li', 'item reading');
    const line = element('p', 'facts', 'Waiting for its turn');
    const bar = element('div', 'progress');
    const done = element('span', 'done');
    bar.setAttribute('role', 'progressbar');
    bar.setAttribute('aria-label', `Reading ${name}`);
    bar.setAttribute('aria-valuemin', '0');
    bar.setAttribute('aria-valuemax', '100');
    bar.append(done);
    const button = element('button', 'link', 'Cancel');
    button.type = 'button';
    button.setAttribute('aria-label', `Cancel reading ${name}`);
    button.addEventListener('click', cancel);
    item.append(element('p', 'name', name), bar, line, button);
    return {
        element: item,
        progress({ total, processed, time_ms: millis }) {
            const share = total ? processed / total : 0;
            done.style.width = `${100 * share}%`;
            bar.setAttribute('aria-valuenow', Math.round(100 * share));
            item.classList.toggle('begun', processed > 0);
            const left = share > 0.05 && share < 1 ? ` · about ${duration(millis / share - millis)} left` : '';
            line.textContent = `${count(processed)} of ${counted(total, 'token')}${left}`;
        },
    };
}

function element(tag, className, text = '') {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
}
