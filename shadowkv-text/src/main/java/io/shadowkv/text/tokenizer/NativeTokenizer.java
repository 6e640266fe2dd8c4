package io.shadowkv.text.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.shadowkv.text.TokenizerException;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongFunction;

/// A handle of the Rust tokenizers library, created from the text of a `tokenizer.json`.
///
/// Truncation and padding are off, whatever the file says. Thread-safe; [#close] waits for running
/// calls, and a later call fails instead of reading freed memory.
final class NativeTokenizer implements AutoCloseable {
    private static final TokenizersLibrary LIBRARY = TokenizersLibrary.LIB;

    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private long handle;

    private NativeTokenizer(long handle) {
        this.handle = handle;
    }

    /// @param source names the file in messages
    /// @throws TokenizerException if the library cannot be loaded or refuses the JSON
    static NativeTokenizer of(String json, Object source) {
        NativeLibrary.load();
        try {
            long handle = LIBRARY.createTokenizerFromString(json);
            LIBRARY.disableTruncation(handle);
            LIBRARY.disablePadding(handle);
            return new NativeTokenizer(handle);
        } catch (RuntimeException e) {
            throw new TokenizerException(
                    source + ": the tokenizers library refuses it: " + e.getMessage()
                            + ". Download the file again, or save it again with the library that created it",
                    e);
        }
    }

    int[] encode(String text, boolean addSpecialTokens) {
        return locked(pointer -> {
            long encoding = LIBRARY.encode(pointer, wellFormed(text), addSpecialTokens);
            try {
                long[] wide = LIBRARY.getTokenIds(encoding);
                int[] ids = new int[wide.length];
                for (int i = 0; i < ids.length; i++) {
                    ids[i] = (int) wide[i];
                }
                return ids;
            } finally {
                LIBRARY.deleteEncoding(encoding);
            }
        });
    }

    String decode(long[] ids, boolean skipSpecialTokens) {
        return locked(pointer -> LIBRARY.decode(pointer, ids, skipSpecialTokens));
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (handle != 0) {
                LIBRARY.deleteTokenizer(handle);
                handle = 0;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private <T> T locked(LongFunction<T> call) {
        Lock reading = lock.readLock();
        reading.lock();
        try {
            if (handle == 0) {
                throw new IllegalStateException("the tokenizer is closed; open it again to use it");
            }
            return call.apply(handle);
        } finally {
            reading.unlock();
        }
    }

    /// Replaces unpaired surrogates by U+FFFD, because Rust strings cannot contain them.
    static String wellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                StringBuilder copy = new StringBuilder(text.length());
                text.codePoints()
                        .forEach(codePoint -> copy.appendCodePoint(
                                codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE
                                        ? 0xfffd
                                        : codePoint));
                return copy.toString();
            }
        }
        return text;
    }
}
