// Numbers and times as people read them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A count with separators. */
export function count(value) {
    return whole.format(value);
}

/** A count and its noun. */
export function counted(value, noun) {
    return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A number of bytes with three digits and a unit. */
export function bytes(value) {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let unit = 0;
    let scaled = value;
    while (scaled >= 999.5 && unit < units.length - 1) {
        scaled /= 1000;
        unit++;
    }
    const digits = unit === 0 || scaled >= 99.5 ? 0 : scaled >= 9.95 ? 1 : 2;
    return `${scaled.toFixed(digits)} ${units[unit]}`;
}

/** A rate: one digit after the point while it is small. */
export function rate(value) {
    return value > 0 && value < 100 ? value.toFixed(1) : count(value);
}

/** A share as a percentage. */
export function percent(share) {
    const value = 100 * share;
    return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

/** A time in milliseconds, seconds or minutes. */
export function duration(millis) {
    if (millis < 1000) {
        return `${Math.round(millis)} ms`;
    }
    const seconds = millis / 1000;
    if (seconds < 90) {
        return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
    }
    return `${Math.round(seconds / 60)} min`;
}
