package io.shadowkv.server.structured;

import java.util.List;

/// Reads an answer that has no calls.
final class TextReader implements CallReader {
    @Override
    public List<AnswerPart> push(String text) {
        return List.of(new AnswerPart.Text(text));
    }

    @Override
    public List<AnswerPart> end() {
        return List.of();
    }

    @Override
    public boolean hasCalls() {
        return false;
    }
}
