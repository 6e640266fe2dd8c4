// A long text with a number in it, and the question for that number.

const SENTENCES = [
    'The grass is green.', 'The sky is blue.', 'The sun is yellow.', 'Here we go.', 'There and back again.',
];
const LINES = 340;
const NUMBER_AT = 0.6;

/** The text, and a question about it. */
export function example() {
    const number = 1000000 + Math.floor(Math.random() * 9000000);
    const lines = Array(LINES).fill(SENTENCES.join(' '));
    lines.splice(
        Math.floor(LINES * NUMBER_AT), 0, `One of the special magic numbers for early-dawn is: ${number}.`);
    return {
        name: 'Example: a number in a long text',
        text: 'A special magic number is hidden within the following text. Make sure to memorize it. I will quiz you'
            + ` about the number afterwards.\n${lines.join('\n')}\n`,
        question: 'What is the special magic number for early-dawn mentioned in the provided text?',
    };
}
