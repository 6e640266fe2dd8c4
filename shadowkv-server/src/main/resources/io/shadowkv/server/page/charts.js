// Small line charts of the last two minutes.

const SECONDS = 120;
const HEIGHT = 74;

/** A chart of one figure over time, drawn by uPlot. */
export class Chart {
    #element;
    #describe;
    #format;
    #times = [];
    #values = [];
    #plot = null;

    /**
     * @param describe makes the text for screen readers from all values
     * @param format makes the text of an axis label
     */
    constructor(element, { describe, format }) {
        this.#element = element;
        this.#describe = describe;
        this.#format = format;
        new ResizeObserver(() => this.#resize()).observe(element);
        matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#build());
        this.#build();
    }

    /** Adds a value at a time in seconds. */
    add(time, value) {
        this.#times.push(time);
        this.#values.push(value);
        while (this.#times[0] < time - SECONDS) {
            this.#times.shift();
            this.#values.shift();
        }
        this.#plot.setData([this.#times, this.#values], false);
        this.#plot.setScale('x', { min: time - SECONDS, max: time });
        this.#plot.setScale('y', { min: 0, max: this.#top() });
        this.#element.setAttribute('aria-label', this.#describe(this.#values));
    }

    #top() {
        const most = Math.max(4, ...this.#values);
        const power = 10 ** Math.floor(Math.log10(most));
        return [1, 2, 4, 6, 8, 10].map((one) => one * power).find((one) => one >= most);
    }

    #resize() {
        const width = this.#element.clientWidth;
        if (width > 0) {
            this.#plot.setSize({ width, height: HEIGHT });
        }
    }

    #build() {
        this.#plot?.destroy();
        const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
        const now = this.#times.at(-1) ?? 0;
        this.#plot = new globalThis.uPlot({
            width: Math.max(40, this.#element.clientWidth),
            height: HEIGHT,
            legend: { show: false },
            cursor: { show: false },
            padding: [8, 2, 8, 0],
            scales: {
                x: { time: false, auto: false, range: (plot, low, high) => [low ?? now - SECONDS, high ?? now] },
                y: { auto: false, range: (plot, low, high) => [low ?? 0, high ?? 1] },
            },
            axes: [
                { show: false },
                {
                    size: 44, gap: 4, stroke: colour('--soft'), font: '11px system-ui, sans-serif',
                    splits: (plot) => [0, plot.scales.y.max / 2, plot.scales.y.max],
                    values: (plot, splits) => splits.map(this.#format),
                    grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false },
                },
            ],
            series: [
                {},
                {
                    stroke: colour('--accent'), fill: colour('--accent-soft'), width: 1.75,
                    points: { show: false },
                },
            ],
        }, [this.#times, this.#values], this.#element);
        this.#plot.setScale('x', { min: now - SECONDS, max: now });
        this.#plot.setScale('y', { min: 0, max: this.#top() });
    }
}
