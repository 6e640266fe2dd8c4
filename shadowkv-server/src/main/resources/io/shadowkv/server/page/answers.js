// Questions and their answers, for each document a log of its own.

import { events, isAbort, send, sentence } from './api.js';
import { count, duration, rate } from './format.js';

const $ = (id) => document.getElementById(id);

export class Answers {
    #announce;
    #server = null;
    #document = null;
    #logs = new Map();
    #running = null;
    #isReady = false;

    constructor({ announce }) {
        this.#announce = announce;
        $('form').addEventListener('submit', (event) => {
            event.preventDefault();
            this.#ask();
        });
        $('question').addEventListener('keydown', (event) => {
            if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
                event.preventDefault();
                this.#ask();
            }
        });
        $('question').addEventListener('input', () => this.#showButtons());
        $('stop').addEventListener('click', () => this.#running?.abort());
        this.about(null);
    }

    /** What the server can do. */
    serve(server) {
        this.#server = server;
        this.#showAbout();
    }

    /** Whether the server takes questions. */
    enable(isReady) {
        this.#isReady = isReady;
        this.#showButtons();
    }

    /** The document that questions are about; null for none. */
    about(chosen) {
        this.#document = chosen;
        this.#showAbout();
    }

    /** Offers a question, unless the user has begun one. */
    suggest(question) {
        if (!$('question').value.trim()) {
            $('question').value = question;
        }
        $('question').focus();
        this.#showButtons();
    }

    get #log() {
        const id = this.#document?.id ?? '';
        if (!this.#logs.has(id)) {
            this.#logs.set(id, []);
        }
        return this.#logs.get(id);
    }

    #isChat() {
        return this.#document ? this.#document.chat : this.#server?.chat ?? true;
    }

    #showAbout() {
        const chosen = this.#document;
        const name = chosen ? chosen.name || chosen.id : '';
        $('about').textContent = chosen ? `About “${name}”` : 'Without a document';
        $('question').placeholder = chosen ? 'Ask about the document' : 'Ask the model';
        $('follow-row').hidden = !this.#isChat();
        const log = this.#log;
        $('log').replaceChildren(...log.map((entry) => entry.element));
        $('log').hidden = log.length === 0;
        $('log-empty').hidden = log.length > 0;
        $('log-empty').textContent = chosen
            ? 'The document is read. Answers begin at once, because nothing is read again.'
            : 'Open a document and ask about it, or ask the model without one.';
        $('log').scrollTop = $('log').scrollHeight;
        this.#showButtons();
    }

    #showButtons() {
        $('send').disabled = !this.#isReady || this.#running !== null || !$('question').value.trim();
        $('send').hidden = this.#running !== null;
        $('stop').hidden = this.#running === null;
    }

    async #ask() {
        const question = $('question').value.trim();
        if (!question || this.#running || !this.#isReady) {
            return;
        }
        const log = this.#log;
        const isFollowing = this.#isChat() && $('follow').checked;
        const earlier = isFollowing ? log.filter((entry) => entry.isWhole) : [];
        const entry = new Entry(question);
        log.push(entry);
        $('question').value = '';
        this.#running = new AbortController();
        this.#showAbout();
        try {
            await this.#answer(entry, earlier, this.#running.signal);
            this.#announce(`Answer: ${entry.text}`);
        } catch (error) {
            entry.fail(isAbort(error) ? 'Stopped.' : sentence(error), isAbort(error));
            if (!isAbort(error) && !$('question').value) {
                $('question').value = question;
            }
        }
        const hadFocus = document.activeElement === $('stop') || document.activeElement === document.body;
        this.#running = null;
        this.#showButtons();
        if (hadFocus) {
            $('question').focus();
        }
    }

    async #answer(entry, earlier, signal) {
        const isChat = this.#isChat();
        const body = { stream: true, stream_options: { include_usage: true }, return_progress: true };
        if (this.#server) {
            body.model = this.#server.model;
        }
        if (this.#document) {
            body.document = this.#document.id;
        }
        if (isChat) {
            body.messages = [
                ...earlier.flatMap((one) => [
                    { role: 'user', content: one.question }, { role: 'assistant', content: one.text }]),
                { role: 'user', content: entry.question }];
        } else {
            body.prompt = entry.question;
        }
        const path = isChat ? '/v1/chat/completions' : '/v1/completions';
        for await (const event of events(await send(path, { method: 'POST', body, signal }))) {
            const isAtEnd = $('log').scrollTop + $('log').clientHeight >= $('log').scrollHeight - 40;
            entry.take(event);
            if (isAtEnd) {
                $('log').scrollTop = $('log').scrollHeight;
            }
        }
        entry.end();
        $('log').scrollTop = $('log').scrollHeight;
    }
}

/** A question and its answer. */
class Entry {
    question;
    element = document.createElement('article');
    text = '';
    isWhole = false;
    #answer = document.createElement('p');
    #note = document.createElement('p');
    #start = performance.now();
    #first = 0;
    #usage = null;
    #reason = null;

    constructor(question) {
        this.question = question;
        this.element.className = 'entry busy';
        const asked = document.createElement('p');
        asked.className = 'question';
        asked.textContent = question;
        this.#answer.className = 'answer';
        this.#note.className = 'note';
        this.#note.textContent = 'Reading the question';
        this.element.append(asked, this.#answer, this.#note);
    }

    take(event) {
        const choice = event.choices?.[0];
        const piece = choice?.delta?.content ?? choice?.text ?? '';
        if (piece) {
            this.#first ||= performance.now();
            this.#answer.append(this.text.trim() ? piece : (this.text + piece).trimStart());
            this.text += piece;
            this.#note.textContent = 'Answering';
        }
        this.#reason = choice?.finish_reason ?? this.#reason;
        this.#usage = event.usage ?? this.#usage;
        const progress = event.prompt_progress;
        if (progress && !this.text && progress.processed < progress.total) {
            this.#note.textContent =
                `Reading: ${count(progress.processed)} of ${count(progress.total)} tokens`;
        }
    }

    end() {
        this.isWhole = true;
        this.element.classList.remove('busy');
        if (!this.text) {
            this.#answer.textContent = 'The answer is empty.';
            this.#answer.classList.add('empty');
        }
        this.#note.textContent = this.#facts();
    }

    #facts() {
        const facts = [];
        if (this.#first) {
            facts.push(`first token after ${duration(this.#first - this.#start)}`);
        }
        const usage = this.#usage;
        if (usage) {
            const seconds = (performance.now() - this.#first) / 1000;
            const isLong = this.#first && usage.completion_tokens > 8 && seconds > 0.2;
            facts.unshift(`${count(usage.completion_tokens)} tokens`);
            if (isLong) {
                facts.push(`${rate((usage.completion_tokens - 1) / seconds)} tokens per second`);
            }
            const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
            facts.push(`${count(usage.prompt_tokens - cached)} of ${count(usage.prompt_tokens)} prompt tokens read`);
        }
        if (this.#reason === 'length') {
            facts.push('ended at the longest length');
        }
        return facts.join(' · ');
    }

    fail(text, isStopped) {
        this.element.classList.remove('busy');
        this.#note.textContent = text;
        if (!isStopped) {
            this.#note.className = 'error';
            this.#note.setAttribute('role', 'alert');
        }
    }
}
