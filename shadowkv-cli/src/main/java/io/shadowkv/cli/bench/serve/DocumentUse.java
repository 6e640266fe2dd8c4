package io.shadowkv.cli.bench.serve;

/// How a client asks about a document.
enum DocumentUse {
    /// Sends it to `POST /v1/documents`, and names it in each question.
    api,
    /// Sends it to `POST /v1/documents`, and sends it again in front of each question. The server
    /// finds it by its tokens.
    prefix,
    /// Sends it in front of each question only. The server may have it in a cache.
    plain;

    boolean keepsDocuments() {
        return this != plain;
    }
}
