package io.shadowkv.server.structured;

import java.util.ArrayList;
import java.util.List;

/// Divides an answer into thoughts and what follows them. Passes both on while they are generated,
/// without blanks around the thoughts.
final class ThinkingReader implements CallReader {
    private final CallReader answer;
    private final StringBuilder held = new StringBuilder();
    private Stage stage;
    private boolean hasThoughts;

    private enum Stage {
        /// Nothing is certain yet.
        BEGINNING,
        THOUGHTS,
        /// Between the thoughts and the first character behind them that is not a blank.
        BLANKS,
        ANSWER
    }

    /// @param answer reads what follows the thoughts
    ThinkingReader(Thinking thinking, CallReader answer) {
        this.answer = answer;
        this.stage = thinking == Thinking.OPENED ? Stage.THOUGHTS : Stage.BEGINNING;
    }

    @Override
    public List<AnswerPart> push(String text) {
        List<AnswerPart> parts = new ArrayList<>();
        held.append(text);
        if (stage == Stage.BEGINNING) {
            begin();
        }
        if (stage == Stage.THOUGHTS) {
            think(parts);
        }
        if (stage == Stage.BLANKS) {
            String rest = taken(held.length()).stripLeading();
            held.append(rest);
            stage = rest.isEmpty() ? Stage.BLANKS : Stage.ANSWER;
        }
        if (stage == Stage.ANSWER && !held.isEmpty()) {
            parts.addAll(answer.push(taken(held.length())));
        }
        return parts;
    }

    private void begin() {
        String begun = held.toString().stripLeading();
        if (begun.startsWith(Thinking.OPEN)) {
            held.delete(0, held.indexOf(Thinking.OPEN) + Thinking.OPEN.length());
            stage = Stage.THOUGHTS;
        } else if (!Thinking.OPEN.startsWith(begun)) {
            stage = Stage.ANSWER;
        }
    }

    /// Passes thoughts on, up to their end or what may be the beginning of it.
    private void think(List<AnswerPart> parts) {
        int end = held.indexOf(Thinking.CLOSE);
        int certain = end >= 0 ? end : held.length() - begunClose();
        int length = held.substring(0, certain).stripTrailing().length();
        addThoughts(taken(length), parts);
        if (end >= 0) {
            held.delete(0, end - length + Thinking.CLOSE.length());
            stage = Stage.BLANKS;
        }
    }

    private void addThoughts(String text, List<AnswerPart> parts) {
        String thoughts = hasThoughts ? text : text.stripLeading();
        if (!thoughts.isEmpty()) {
            hasThoughts = true;
            parts.add(new AnswerPart.Thoughts(thoughts));
        }
    }

    /// The number of characters at the end of what is held with which the closing mark begins.
    private int begunClose() {
        for (int length = Math.min(Thinking.CLOSE.length() - 1, held.length()); length > 0; length--) {
            if (Thinking.CLOSE.startsWith(held.substring(held.length() - length))) {
                return length;
            }
        }
        return 0;
    }

    private String taken(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }

    @Override
    public List<AnswerPart> end() {
        List<AnswerPart> parts = new ArrayList<>();
        String rest = taken(held.length());
        if (stage == Stage.THOUGHTS) {
            addThoughts(rest.stripTrailing(), parts);
        } else if (stage == Stage.BEGINNING && !rest.isEmpty()) {
            parts.addAll(answer.push(rest));
        }
        parts.addAll(answer.end());
        return parts;
    }

    @Override
    public boolean hasCalls() {
        return answer.hasCalls();
    }
}
