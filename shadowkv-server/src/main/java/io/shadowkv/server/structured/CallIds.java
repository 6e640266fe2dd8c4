package io.shadowkv.server.structured;

import java.util.concurrent.ThreadLocalRandom;

/// Identifiers of calls.
final class CallIds {
    /// Mistral's chat templates refuse other lengths.
    private static final int LENGTH = 9;

    private static final String CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    private CallIds() {}

    static String next() {
        StringBuilder id = new StringBuilder();
        while (id.length() < LENGTH) {
            id.append(CHARACTERS.charAt(ThreadLocalRandom.current().nextInt(CHARACTERS.length())));
        }
        return id.toString();
    }
}
