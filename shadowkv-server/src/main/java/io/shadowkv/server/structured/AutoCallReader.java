package io.shadowkv.server.structured;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Finds calls where the model chooses between text and calls. Text is passed on while it is
/// generated; what begins like a call is held until the answer ends.
final class AutoCallReader implements CallReader {
    /// Qwen writes text before it, too.
    private static final String INNER = CallText.QWEN;

    private final Set<String> names;
    private final boolean isParallel;
    private final List<String> beginnings;
    private final StringBuilder held = new StringBuilder();
    private Stage stage = Stage.BEGINNING;
    private boolean hasCalls;

    private enum Stage {
        /// Nothing is certain yet.
        BEGINNING,
        /// The text goes on; a call may begin in it.
        TEXT,
        /// What is held begins like a call.
        CALL
    }

    AutoCallReader(List<Tool> tools, boolean isParallel) {
        this.names = tools.stream().map(Tool::name).collect(Collectors.toSet());
        this.isParallel = isParallel;
        this.beginnings = Stream.concat(
                        CallText.BEGINNINGS.stream(), names.stream().map(name -> name + "\n"))
                .toList();
    }

    @Override
    public List<AnswerPart> push(String text) {
        held.append(text);
        if (stage == Stage.BEGINNING) {
            decide(held.toString().stripLeading());
        }
        return stage == Stage.TEXT ? passOn() : List.of();
    }

    private void decide(String begun) {
        if (beginnings.stream().anyMatch(begun::startsWith)) {
            stage = Stage.CALL;
        } else if (beginnings.stream().noneMatch(beginning -> beginning.startsWith(begun))) {
            stage = Stage.TEXT;
        }
    }

    /// Passes text on up to where a call begins, or may begin.
    private List<AnswerPart> passOn() {
        int begin = held.indexOf(INNER);
        if (begin >= 0) {
            stage = Stage.CALL;
        } else {
            begin = held.length();
            for (int length = Math.min(INNER.length() - 1, held.length()); length > 0; length--) {
                if (INNER.startsWith(held.substring(held.length() - length))) {
                    begin = held.length() - length;
                    break;
                }
            }
        }
        return begin == 0 ? List.of() : List.of(new AnswerPart.Text(taken(begin)));
    }

    private String taken(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }

    @Override
    public List<AnswerPart> end() {
        String rest = taken(held.length());
        List<CallText.Call> calls = stage == Stage.CALL ? CallText.parse(rest, names) : List.of();
        if (calls.isEmpty()) {
            return rest.isEmpty() ? List.of() : List.of(new AnswerPart.Text(rest));
        }
        hasCalls = true;
        List<AnswerPart> parts = new ArrayList<>();
        int count = isParallel ? calls.size() : 1;
        for (int index = 0; index < count; index++) {
            CallText.Call call = calls.get(index);
            parts.add(new AnswerPart.CallStart(index, CallIds.next(), call.name()));
            parts.add(new AnswerPart.CallArguments(index, call.arguments()));
        }
        return parts;
    }

    @Override
    public boolean hasCalls() {
        return hasCalls;
    }
}
