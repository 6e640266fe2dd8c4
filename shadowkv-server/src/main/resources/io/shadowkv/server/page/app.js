// Puts the parts of the page together: what the server says of itself reaches all of them.

import { ApiError, sentence, storeKey, storedKey } from './api.js';
import { Answers } from './answers.js';
import { Documents } from './documents.js';
import { Live } from './live.js';

const $ = (id) => document.getElementById(id);

const STATES = {
    connecting: ['Connecting', ''],
    ready: ['Ready', ''],
    loading: ['Loading the model', 'The server is loading the model. The page goes on by itself when it is ready.'],
    draining: ['Shutting down',
        'The server is shutting down. Answers that run are finished; further requests are refused.'],
    locked: ['Key needed', 'The server asks for an API key. Give one with the button "API key".'],
    broken: ['Failed', 'The engine has failed. The server must be started again; its log says why.'],
    offline: ['Offline', 'The server does not answer. The page tries again every few seconds.'],
};

function announce(text) {
    $('announce').textContent = text;
}

function showState(state, reason) {
    const [name, banner] = STATES[state] ?? STATES.connecting;
    if ($('state').dataset.state !== state) {
        $('state').dataset.state = state;
        $('state').textContent = name;
    }
    const text = reason || banner;
    if ($('banner').textContent !== text) {
        $('banner').textContent = text;
    }
    $('banner').hidden = !text;
    document.body.dataset.state = state;
    answers.enable(state === 'ready');
}

const answers = new Answers({ announce });
const documents = new Documents({
    announce,
    onSelect: (chosen) => answers.about(chosen),
    onExample: (question) => answers.suggest(question),
});
const live = new Live({
    onState: showState,
    onServer: (server) => {
        $('model').textContent = server.model;
        document.title = `${server.model} · ShadowKV`;
        answers.serve(server);
        documents.serve(server);
    },
    onDocuments: (counts) => documents.counted(counts),
});

function openKey() {
    $('key').value = storedKey();
    $('key-dialog').showModal();
}

$('key-open').addEventListener('click', openKey);
$('key-cancel').addEventListener('click', () => $('key-dialog').close());
$('key-form').addEventListener('submit', () => {
    storeKey($('key').value.trim());
    live.connect();
    documents.refresh();
});
$('base').textContent = `${location.origin}/v1`;

addEventListener('unhandledrejection', (event) => {
    if (event.reason instanceof ApiError) {
        event.preventDefault();
        showState('offline', sentence(event.reason));
    }
});

live.connect();
