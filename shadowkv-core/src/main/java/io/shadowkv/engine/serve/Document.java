package io.shadowkv.engine.serve;

import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.Prefix;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/// A text that was read once and is kept in memory, so that questions about it do not read it again.
///
/// Under ShadowKV all questions share its index and its values; each has only its own tokens, to which
/// attention is exact. Under full attention each question gets a copy of all keys and values.
///
/// The tokens of a question attend to all of the document, as those of a later turn of a conversation
/// do: under ShadowKV to the keys of the low-rank form. A question of fewer than 16 tokens is decoded
/// under the strategy.
///
/// Requests that begin with the document's tokens use it also if they are submitted through
/// [Engine#submit]. The tokens must match from the first one on: what was read as a whole cannot be
/// shared in part.
///
/// Thread-safe. Held until it or its engine is closed.
public final class Document implements AutoCloseable {
    private final Requests requests;
    private final int[] ids;
    private final Prefix prefix;
    private final long bytes;

    /// @param bytes memory of the document
    Document(Requests requests, int[] ids, Prefix prefix, long bytes) {
        this.requests = requests;
        this.ids = ids;
        this.prefix = prefix;
        this.bytes = bytes;
    }

    /// The document's tokens.
    public int[] ids() {
        return Arrays.copyOf(ids, ids.length);
    }

    /// Number of tokens.
    public int length() {
        return ids.length;
    }

    /// Memory that it holds, in device and host memory together.
    public long bytes() {
        return bytes;
    }

    /// False once it was closed and no question uses it any more.
    public boolean isHeld() {
        return prefix.isHeld();
    }

    /// Submits a question; see [Engine#submit]. The completion's `cachedTokens` says how many tokens
    /// were not read again.
    ///
    /// @param question its prompt ids are the tokens after the document
    public Generation ask(Request question) {
        int[] all = IntStream.concat(Arrays.stream(ids), Arrays.stream(question.promptIds()))
                .toArray();
        return requests.submit(question.withPromptIds(all));
    }

    /// Writes the document to a file, so that [Engine#openDocument] opens it without reading the text
    /// again, also in another process. The file is whole or absent; an earlier one is replaced at the
    /// end. Requests go on meanwhile.
    ///
    /// @throws io.shadowkv.checkpoint.CheckpointException if the file cannot be written
    /// @throws IllegalStateException if the document was closed
    public void save(Path file) {
        requests.save(ids, prefix, file);
    }

    /// Frees the document as soon as no question uses it. Further questions read it again.
    @Override
    public void close() {
        requests.release(prefix);
    }
}
