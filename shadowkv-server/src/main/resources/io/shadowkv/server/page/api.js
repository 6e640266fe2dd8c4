// Calls of the server's API, with the key that the user gave.

const KEY = 'shadowkv-key';

/** A refusal of the server, or a server that cannot be reached (status 0). */
export class ApiError extends Error {
    constructor(status, code, message) {
        super(message);
        this.status = status;
        this.code = code;
    }
}

export function storedKey() {
    return sessionStorage.getItem(KEY) ?? '';
}

export function storeKey(key) {
    if (key) {
        sessionStorage.setItem(KEY, key);
    } else {
        sessionStorage.removeItem(KEY);
    }
}

/** Sends a request; resolves with the response if the server accepts it. */
export async function send(path, { method = 'GET', body, signal } = {}) {
    const headers = {};
    if (storedKey()) {
        headers.Authorization = `Bearer ${storedKey()}`;
    }
    if (body !== undefined) {
        headers['Content-Type'] = 'application/json';
    }
    let response;
    try {
        response = await fetch(path, {
            method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store',
        });
    } catch (error) {
        throw failure(error);
    }
    if (!response.ok) {
        throw await refusal(response);
    }
    return response;
}

/** Sends a request and reads the JSON that answers it. */
export async function json(path, options) {
    return (await send(path, options)).json();
}

/** The events of a streamed answer, as objects. An error inside the stream is thrown. */
export async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    try {
        for (;;) {
            const { value, done } = await reader.read();
            if (done) {
                return;
            }
            const parts = (rest + value).split('\n\n');
            rest = parts.pop();
            for (const part of parts) {
                const event = parsed(part);
                if (event) {
                    yield event;
                }
            }
        }
    } catch (error) {
        throw failure(error);
    } finally {
        reader.cancel().catch(() => {});
    }
}

function parsed(part) {
    let data = '';
    let isError = false;
    for (const line of part.split('\n')) {
        if (line.startsWith('data: ')) {
            data += line.slice(6);
        }
        isError ||= line === 'event: error';
    }
    if (!data || data === '[DONE]') {
        return null;
    }
    const event = JSON.parse(data);
    if (isError) {
        throw new ApiError(500, event.error?.code, event.error?.message ?? 'The server failed while it answered.');
    }
    return event;
}

function failure(error) {
    if (error instanceof ApiError || error.name === 'AbortError') {
        return error;
    }
    return new ApiError(0, 'offline', 'The connection to the server was lost. Try again when it is back.');
}

async function refusal(response) {
    let error = {};
    try {
        error = (await response.json()).error ?? {};
    } catch {
        // A proxy may answer without JSON.
    }
    return new ApiError(
        response.status, error.code, error.message ?? `The server answered with status ${response.status}.`);
}

/** True if the user ended the request. */
export function isAbort(error) {
    return error.name === 'AbortError';
}

/** A message of the server as a sentence. */
export function sentence(error) {
    const text = error.message.trim();
    const begun = text.charAt(0).toUpperCase() + text.slice(1);
    return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
