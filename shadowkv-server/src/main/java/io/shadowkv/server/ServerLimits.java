package io.shadowkv.server;

import java.time.Duration;

/// Limits on what one request or one client may ask for.
///
/// @param bodyBytes maximum size of a request body
/// @param requestTime time limit of a request from its submission; zero for none
/// @param requestsPerKey maximum number of requests of one API key at a time; 0 for no limit
/// @param choices maximum number of sequences that one request may generate
/// @param defaultNewTokens maximum length of an answer if neither the request nor the checkpoint says
///     it. An answer's memory is reserved when it starts, so a long default admits fewer requests
/// @param documents maximum number of documents that are kept in memory
/// @param savedDocuments maximum number of documents in the folder of saved ones
/// @param savedBytes maximum size of the files of saved documents
public record ServerLimits(
        long bodyBytes,
        Duration requestTime,
        int requestsPerKey,
        int choices,
        int defaultNewTokens,
        int documents,
        int savedDocuments,
        long savedBytes) {
    private static final int DOCUMENTS = 256;
    private static final int SAVED_DOCUMENTS = 1024;
    private static final long SAVED_BYTES = 256L << 30;

    public static final ServerLimits DEFAULT = new ServerLimits(32L << 20, Duration.ofMinutes(30), 0, 16, 512);

    public ServerLimits {
        check(bodyBytes >= 1 && bodyBytes <= 1 << 30, "body limit", bodyBytes + " bytes", "1 byte to 1 GiB");
        check(!requestTime.isNegative(), "request time", requestTime, "zero (no limit) or more");
        check(requestsPerKey >= 0, "requests per key", requestsPerKey, "0 (no limit) or more");
        check(choices >= 1, "choices", choices, "1 or more");
        check(documents >= 0, "documents", documents, "0 (none) or more");
        check(savedDocuments >= 0, "saved documents", savedDocuments, "0 (none) or more");
        check(savedBytes >= 0, "bytes of saved documents", savedBytes, "0 (none) or more");
        check(defaultNewTokens >= 1, "default new tokens", defaultNewTokens, "1 or more");
    }

    /// Limits with the default numbers of documents.
    public ServerLimits(long bodyBytes, Duration requestTime, int requestsPerKey, int choices, int defaultNewTokens) {
        this(
                bodyBytes,
                requestTime,
                requestsPerKey,
                choices,
                defaultNewTokens,
                DOCUMENTS,
                SAVED_DOCUMENTS,
                SAVED_BYTES);
    }

    public ServerLimits withDocuments(int other) {
        return new ServerLimits(
                bodyBytes, requestTime, requestsPerKey, choices, defaultNewTokens, other, savedDocuments, savedBytes);
    }

    public ServerLimits withSaved(int documentsInFolder, long bytesInFolder) {
        return new ServerLimits(
                bodyBytes,
                requestTime,
                requestsPerKey,
                choices,
                defaultNewTokens,
                documents,
                documentsInFolder,
                bytesInFolder);
    }

    private static void check(boolean holds, String what, Object found, String expected) {
        if (!holds) {
            throw new IllegalArgumentException(what + " is " + found + "; expected " + expected);
        }
    }
}
