package io.shadowkv.eval.rows;

import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineUnavailableException;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Document;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.serve.Generation;
import io.shadowkv.text.chat.ChatMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Answers with an engine. A document is read once and shared by consecutive questions about it; the
/// next one is read while answers about the last one are generated.
///
/// Document and question are one message of the user, with an empty line between them. A model
/// without a chat template gets them as they are.
public final class EngineAnswerer implements RowAnswerer {
    /// Beginnings of questions of different kinds. A tokenizer may join the end of a document and
    /// what follows it into one token, which is then not shared.
    private static final List<String> BEGINNINGS = List.of("A", " a", "1", "\n", "\"", "字");

    /// Rows that are asked or wait, in sequences that decode together: the next ones are ready when a
    /// sequence ends.
    private static final int ROWS_PER_SEQUENCE = 2;

    private final Engine engine;
    private final Prompts prompts;
    private final Cancellation cancellation;
    private final int inFlight;
    private final Semaphore free;
    private @Nullable String text;
    private @Nullable Document document;
    private @Nullable RuntimeException refusal;

    /// How documents and questions become prompts.
    ///
    /// @param system message of the system before each prompt; null for none
    /// @param options options of the answer to a prompt whose row has none
    public record Prompts(@Nullable String system, Function<String, GenerationOptions> options) {}

    /// @param engine must stay open as long as the answerer, which does not close it
    /// @param cancellation ends all answers
    public EngineAnswerer(Engine engine, Prompts prompts, Cancellation cancellation) {
        this.engine = engine;
        this.prompts = prompts;
        this.cancellation = cancellation;
        this.inFlight = Math.min(
                engine.options().maxWaiting(),
                ROWS_PER_SEQUENCE * engine.options().maxBatch());
        this.free = new Semaphore(inFlight);
    }

    @Override
    public void ask(RowQuestion row, Listener listener) {
        try {
            if (row.question().isBlank()) {
                throw new IllegalArgumentException("the question is empty; give a text");
            }
            String prompt = prompt(row.document(), row.question());
            GenerationOptions usual = prompts.options().apply(prompt);
            GenerationOptions options = row.options() == null ? usual : RowOptions.apply(usual, row.options());
            read(row.document());
            submit(row, Request.of(encode(prompt), options).withCancellation(cancellation), listener);
        } catch (EngineUnavailableException e) {
            listener.broken(e);
        } catch (CancellationException e) {
            throw e;
        } catch (RuntimeException e) {
            listener.answered(RowAnswer.failed(row.key(), message(e)));
        }
    }

    private void submit(RowQuestion row, Request request, Listener listener) {
        try {
            free.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (CancellationException) new CancellationException("interrupted").initCause(e);
        }
        try {
            Generation generation = engine.submit(request);
            generation.completion().whenComplete((completion, failure) -> {
                try {
                    if (failure != null) {
                        failed(row, failure, listener);
                    } else if (completion.finish() != Completion.FinishReason.CANCELLED) {
                        listener.answered(answer(row, completion));
                    }
                } finally {
                    free.release();
                }
            });
        } catch (RuntimeException e) {
            free.release();
            throw e;
        }
    }

    private static void failed(RowQuestion row, Throwable failure, Listener listener) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof EngineUnavailableException e) {
            listener.broken(e);
        } else {
            listener.answered(RowAnswer.failed(row.key(), message(cause)));
        }
    }

    private static RowAnswer answer(RowQuestion row, Completion completion) {
        String finish = switch (completion.finish()) {
            case END_OF_SEQUENCE, STOP_STRING -> "stop";
            case MAX_NEW_TOKENS, TIMEOUT, CANCELLED -> "length";
        };
        return new RowAnswer(
                row.key(),
                completion.text(),
                null,
                finish,
                completion.promptTokens(),
                completion.cachedTokens(),
                completion.ids().length);
    }

    private static String message(Throwable problem) {
        String message = problem.getMessage();
        return message == null || message.isBlank() ? problem.toString() : message;
    }

    /// Reads the document unless it is that of the row before. A document that was refused is refused
    /// again without a second try.
    private void read(String wanted) {
        if (!wanted.equals(text)) {
            release();
            text = wanted;
            int[] shared = shared(wanted);
            if (shared.length > 0) {
                try {
                    document = engine.read(
                            Request.of(shared, GenerationOptions.DEFAULT).withCancellation(cancellation));
                } catch (EngineUnavailableException | CancellationException e) {
                    throw e;
                } catch (RuntimeException e) {
                    refusal = e;
                }
            }
        }
        if (refusal != null) {
            throw refusal;
        }
    }

    /// The tokens with which every prompt about the document begins.
    private int[] shared(String wanted) {
        int[] shared = encode(prompt(wanted, BEGINNINGS.getFirst()));
        for (String beginning : BEGINNINGS.subList(1, BEGINNINGS.size())) {
            int end = Arrays.mismatch(shared, encode(prompt(wanted, beginning)));
            shared = end < 0 ? shared : Arrays.copyOf(shared, end);
        }
        return shared;
    }

    private static String prompt(String document, String question) {
        return document.isEmpty() ? question : document + "\n\n" + question;
    }

    private int[] encode(String prompt) {
        if (!engine.hasChatTemplate()) {
            return engine.encode(prompt);
        }
        List<ChatMessage> messages = new ArrayList<>();
        if (prompts.system() != null) {
            messages.add(new ChatMessage("system", prompts.system()));
        }
        messages.add(new ChatMessage("user", prompt));
        return engine.encodeChat(messages);
    }

    private void release() {
        Document old = document;
        if (old != null) {
            old.close();
        }
        document = null;
        refusal = null;
        text = null;
    }

    @Override
    public void awaitAnswers() throws InterruptedException {
        free.acquire(inFlight);
        free.release(inFlight);
    }

    @Override
    public void close() {
        release();
    }
}
