package io.shadowkv.server.documents;

import io.shadowkv.server.error.ApiException;

/// Limits on what a folder of saved documents holds.
///
/// @param documents maximum number of documents
/// @param bytes maximum size of their files
public record SavedLimits(int documents, long bytes) {
    /// @param others number of other documents that are saved or being saved
    /// @param used bytes of their files
    /// @param wanted bytes of one more document
    /// @throws ApiException if it has no room (507)
    void check(int others, long used, long wanted) {
        if (others >= documents) {
            throw ApiException.refused(
                    507,
                    null,
                    "too_many_saved_documents",
                    others + " documents are saved, and the server saves at most " + documents
                            + " (--max-saved-documents); delete one from the folder first");
        }
        if (used + wanted > bytes) {
            throw ApiException.refused(
                    507,
                    null,
                    "saved_documents_too_large",
                    ("the saved documents take %,d bytes and this one about %,d more; the server saves at most %,d"
                                    + " (--max-saved-bytes). Delete one from the folder first")
                            .formatted(used, wanted, bytes));
        }
    }
}
