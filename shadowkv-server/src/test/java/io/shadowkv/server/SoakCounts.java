package io.shadowkv.server;

import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.node.ObjectNode;

/// What the clients of a soak did. Thread-safe.
final class SoakCounts {
    private static final int SHOWN = 20;

    private final Map<String, Integer> done = new TreeMap<>();
    private int requests;
    private int cancelled;
    private int errors;

    synchronized void answered(String kind, int status) {
        requests++;
        done.merge(kind + " " + status, 1, Integer::sum);
    }

    synchronized void cancelled() {
        requests++;
        cancelled++;
    }

    /// An answer that no request may have.
    synchronized void wrong(String what) {
        errors++;
        if (errors <= SHOWN) {
            System.err.println("wrong: " + what);
        }
    }

    synchronized void put(ObjectNode line) {
        line.put("requests", requests);
        line.put("cancelled", cancelled);
        line.put("errors", errors);
        ObjectNode kinds = line.putObject("answers");
        done.forEach(kinds::put);
    }
}
