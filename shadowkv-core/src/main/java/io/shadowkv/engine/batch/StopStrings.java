package io.shadowkv.engine.batch;

import java.util.List;

/// Watches streamed text for stop strings; holds back what might be the beginning of one.
final class StopStrings {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean found;

    StopStrings(List<String> stops) {
        this.stops = stops;
    }

    /// Takes text and returns what is certain to come before any stop string.
    String push(String text) {
        if (found) {
            return "";
        }
        held.append(text);
        int at = firstStop();
        if (at >= 0) {
            found = true;
            return release(at);
        }
        return release(held.length() - possibleStart());
    }

    /// True once a stop string has appeared.
    boolean isFound() {
        return found;
    }

    /// The text that was held back, if no stop string came of it.
    String finish() {
        return found ? "" : release(held.length());
    }

    private int firstStop() {
        int first = -1;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            if (at >= 0 && (first < 0 || at < first)) {
                first = at;
            }
        }
        return first;
    }

    /// Length of the longest end of the held text that begins a stop string.
    private int possibleStart() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (stop.startsWith(held.substring(held.length() - length))) {
                    longest = length;
                }
            }
        }
        return longest;
    }

    private String release(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }
}
