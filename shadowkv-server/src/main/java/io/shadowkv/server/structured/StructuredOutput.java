package io.shadowkv.server.structured;

import io.shadowkv.engine.TokenConstraint;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.text.grammar.Grammar;
import io.shadowkv.text.grammar.GrammarException;
import io.shadowkv.text.grammar.GrammarVocabulary;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Makes constraints for one model. Thread-safe.
///
/// The vocabulary is made once, in the background. Grammars are compiled on the caller's thread, few
/// at a time, and those that were used last are kept.
public final class StructuredOutput {
    /// A schema takes two seconds at most.
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final int RETRY_SECONDS = 5;

    private final FutureTask<GrammarVocabulary> vocabulary;
    private final KeptGrammars kept = new KeptGrammars();
    private final Semaphore compiling;
    private final Duration patience;

    private StructuredOutput(Callable<GrammarVocabulary> vocabulary, Semaphore compiling, Duration patience) {
        this.vocabulary = new FutureTask<>(vocabulary);
        this.compiling = compiling;
        this.patience = patience;
    }

    /// Begins to make the vocabulary.
    ///
    /// @param vocabulary makes it; its failure is the reason with which requests are refused
    public static StructuredOutput start(Callable<GrammarVocabulary> vocabulary) {
        // Half of the processors, if there are several, stay free for the engine.
        int atATime = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        return start(vocabulary, new Semaphore(atATime, true), PATIENCE);
    }

    /// @param compiling one permit for each grammar that may be compiled at the same time
    /// @param patience how long a request waits for a permit
    static StructuredOutput start(Callable<GrammarVocabulary> vocabulary, Semaphore compiling, Duration patience) {
        StructuredOutput output = new StructuredOutput(vocabulary, compiling, patience);
        Thread.ofVirtual().name("shadowkv-vocabulary").start(output.vocabulary);
        return output;
    }

    /// Makes constraints that let only answers of a form pass; null for any text.
    ///
    /// @throws ApiException if the schema or the model does not allow it
    /// @throws InterruptedException if the server stops
    public @Nullable Supplier<TokenConstraint> constraint(ResponseFormat format) throws InterruptedException {
        return switch (format) {
            case ResponseFormat.Text text -> null;
            case ResponseFormat.JsonObject object -> of(grammar("", Grammar::anyObject, ResponseFormat.FIELD));
            case ResponseFormat.JsonSchema given -> {
                JsonNode schema = given.schema();
                try {
                    yield of(schemaGrammar(schema, ResponseFormat.FIELD));
                } catch (GrammarException e) {
                    throw refused(ResponseFormat.FIELD, "response_format.json_schema.schema", e);
                }
            }
        };
    }

    /// Makes constraints that let only a call of one of the tools pass.
    ///
    /// @throws ApiException if the parameters of a tool or the model do not allow it
    /// @throws InterruptedException if the server stops
    public Supplier<TokenConstraint> callConstraint(List<Tool> tools) throws InterruptedException {
        try {
            return of(schemaGrammar(CallSchema.of(tools), "tools"));
        } catch (GrammarException e) {
            throw explained(tools, e);
        }
    }

    /// The error of a call's schema, as the error of the tool whose parameters cause it.
    private static ApiException explained(List<Tool> tools, GrammarException all) {
        for (int i = 0; i < tools.size(); i++) {
            String place = CallSchema.place(i);
            if (all.pointer().equals(place) || all.pointer().startsWith(place + "/")) {
                String what = "the schema of the parameters of the function \""
                        + tools.get(i).name() + "\"";
                return refused("tools", what, all.within(place));
            }
        }
        return refused("tools", "the schema of the calls", all);
    }

    private static ApiException refused(String param, String what, GrammarException e) {
        return ApiException.invalid(
                param,
                "unsupported_schema",
                what + " cannot be enforced: " + e.getMessage() + ". Change the schema there, or leave it out");
    }

    private Grammar schemaGrammar(JsonNode schema, String param) throws InterruptedException {
        return grammar(JsonBody.line(schema), words -> Grammar.of(schema, words), param);
    }

    /// @param key text of the schema; properties come in its order, so equal objects are not enough
    private Grammar grammar(String key, Function<GrammarVocabulary, Grammar> compiler, String param)
            throws InterruptedException {
        Optional<Grammar> known = kept.get(key);
        if (known.isPresent()) {
            return known.get();
        }
        GrammarVocabulary words = vocabulary(param);
        if (!compiling.tryAcquire(patience.toNanos(), TimeUnit.NANOSECONDS)) {
            throw ApiException.unavailable(
                    "busy",
                    "the schemas of other requests have been compiled for " + patience.toSeconds()
                            + " s; try again when the server has less to do",
                    RETRY_SECONDS);
        }
        try {
            Optional<Grammar> other = kept.get(key);
            return other.isPresent() ? other.get() : kept.keep(key, compiler.apply(words));
        } finally {
            compiling.release();
        }
    }

    private GrammarVocabulary vocabulary(String param) throws InterruptedException {
        try {
            return vocabulary.get();
        } catch (ExecutionException e) {
            throw ApiException.invalid(
                    param,
                    "unsupported_parameter",
                    "this model cannot give structured output: "
                            + (e.getCause() == null ? e : e.getCause()).getMessage());
        }
    }

    private static Supplier<TokenConstraint> of(Grammar grammar) {
        return () -> new GrammarConstraint(grammar.start());
    }
}
