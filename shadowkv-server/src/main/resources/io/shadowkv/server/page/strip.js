// The strip: which parts of the text each layer fetched for the last tokens.

import { count, counted } from './format.js';

const $ = (id) => document.getElementById(id);
const LEVELS = 15;
const DECAY = 0.55;
const SMALLEST_ROW = 4;
const LARGEST_ROW = 16;
const HEIGHT = 160;

export class Strip {
    #rows = [];
    #sequence = null;
    #last = null;

    constructor() {
        new ResizeObserver(() => this.#draw()).observe($('strip'));
        matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
    }

    /** What the server says when nothing will ever be fetched. */
    explain(text) {
        if (!this.#last) {
            $('strip-text').textContent = text;
        }
    }

    #showArea() {
        const isEmpty = this.#rows.length === 0;
        if ($('strip-area').hidden !== isEmpty) {
            $('strip-area').hidden = isEmpty;
        }
    }

    /** Adds what the latest steps of a sequence fetched. */
    add(fetches) {
        if (fetches.layers.length === 0) {
            if (this.#sequence !== fetches.sequence) {
                this.#rows = [];
                this.#last = null;
                this.#draw();
            }
            $('strip-text').textContent =
                `All ${counted(fetches.tokens, 'token')} of this text are resident, so nothing is fetched.`;
            this.#sequence = fetches.sequence;
            return;
        }
        const rows = fetches.layers.map((row) => Array.from(row, (digit) => parseInt(digit, 16) / LEVELS));
        const isSame = fetches.sequence === this.#sequence && rows.length === this.#rows.length;
        this.#rows = isSame
            ? rows.map((row, layer) => row.map((level, i) => Math.max(level, this.#rows[layer][i] * DECAY)))
            : rows;
        this.#sequence = fetches.sequence;
        this.#last = fetches;
        this.#describe(rows);
        this.#draw();
    }

    #describe(rows) {
        const { tokens } = this.#last;
        const sums = rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0));
        const most = sums.indexOf(Math.max(...sums)) * tokens / sums.length;
        $('strip-text').textContent = `Strong colour: fetched by more heads, or for later tokens.`
            + ` Most was fetched near token ${count(most)}.`;
        $('strip-end').textContent = `Token ${count(tokens)}`;
        $('strip-first').textContent = 'Layer 1';
        $('strip-last').textContent = rows.length > 1 ? `Layer ${rows.length}` : '';
    }

    #draw() {
        this.#showArea();
        const canvas = $('strip');
        const ratio = devicePixelRatio || 1;
        const layers = Math.max(1, this.#rows.length);
        const rowHeight = Math.min(LARGEST_ROW, Math.max(SMALLEST_ROW, Math.floor(HEIGHT / layers)));
        const height = this.#rows.length ? rowHeight * layers : 60;
        canvas.style.height = `${height}px`;
        const width = Math.round(canvas.clientWidth * ratio);
        if (width === 0) {
            return;
        }
        canvas.width = width;
        canvas.height = Math.round(height * ratio);
        const style = getComputedStyle(document.documentElement);
        const context = canvas.getContext('2d');
        const gap = rowHeight >= 8 ? 2 * ratio : ratio;
        this.#rows.forEach((row, layer) => {
            const top = Math.round(layer * rowHeight * ratio);
            const high = Math.max(1, Math.round(rowHeight * ratio - gap));
            context.globalAlpha = 1;
            context.fillStyle = style.getPropertyValue('--track').trim();
            context.fillRect(0, top, width, high);
            context.fillStyle = style.getPropertyValue('--heat').trim();
            row.forEach((level, i) => {
                if (level > 0.02) {
                    const left = Math.round(i * width / row.length);
                    const right = Math.round((i + 1) * width / row.length);
                    context.globalAlpha = 0.12 + 0.88 * level ** 1.3;
                    context.fillRect(left, top, Math.max(1, right - left), high);
                }
            });
        });
    }
}
