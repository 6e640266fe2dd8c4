package io.shadowkv.server.structured;

import io.shadowkv.server.json.JsonBody;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads a call whose form a constraint has enforced: `{"name": NAME, "arguments": ARGUMENTS}`.
/// Arguments are passed on while they are generated.
final class RequiredCallReader implements CallReader {
    private static final Pattern HEAD =
            Pattern.compile("\\{\"name\": ?(\"(?:[^\"\\\\]|\\\\.)*+\"), ?\"arguments\":", Pattern.DOTALL);

    private final StringBuilder head = new StringBuilder();
    private boolean isStarted;
    private boolean isInString;
    private boolean isEscaped;
    private int depth;
    private boolean isDone;

    @Override
    public List<AnswerPart> push(String text) {
        List<AnswerPart> parts = new ArrayList<>();
        if (isStarted) {
            addArguments(text, parts);
            return parts;
        }
        head.append(text);
        Matcher matcher = HEAD.matcher(head);
        if (matcher.lookingAt()) {
            isStarted = true;
            String name = JsonBody.tryRead(matcher.group(1)).orElseThrow().stringValue();
            parts.add(new AnswerPart.CallStart(0, CallIds.next(), name));
            addArguments(head.substring(matcher.end()), parts);
        }
        return parts;
    }

    /// Adds arguments without the blanks that the grammar allows, up to the brace that ends the call.
    private void addArguments(String text, List<AnswerPart> parts) {
        StringBuilder json = new StringBuilder();
        for (int i = 0; i < text.length() && !isDone; i++) {
            char next = text.charAt(i);
            isDone = !isInString && depth == 0 && next == '}';
            if (isInString || next != ' ' && !isDone) {
                json.append(next);
            }
            pass(next);
        }
        if (!json.isEmpty()) {
            parts.add(new AnswerPart.CallArguments(0, json.toString()));
        }
    }

    private void pass(char next) {
        if (isEscaped) {
            isEscaped = false;
        } else if (isInString) {
            isEscaped = next == '\\';
            isInString = next != '"';
        } else {
            switch (next) {
                case '"' -> isInString = true;
                case '{', '[' -> depth++;
                case '}', ']' -> depth--;
                default -> {}
            }
        }
    }

    @Override
    public List<AnswerPart> end() {
        return List.of();
    }

    @Override
    public boolean hasCalls() {
        return isDone;
    }
}
