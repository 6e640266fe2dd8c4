package io.shadowkv.server.structured;

import io.shadowkv.engine.TokenConstraint;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.text.grammar.Grammar;
import io.shadowkv.text.grammar.GrammarException;
import io.shadowkv.text.grammar.GrammarVocabulary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Makes constraints for one model. Thread-safe.
///
/// The vocabulary is made once, in the background. Grammars are compiled on the caller's thread and
/// kept, up to a number: those that were asked for last.
public final class StructuredOutput {
    private static final int KEPT_GRAMMARS = 64;

    private final FutureTask<GrammarVocabulary> vocabulary;
    /// Grammars by the text of their schema, in the order of use. Guarded by itself.
    private final Map<String, Grammar> grammars = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Grammar> eldest) {
            return size() > KEPT_GRAMMARS;
        }
    };

    private StructuredOutput(Callable<GrammarVocabulary> vocabulary) {
        this.vocabulary = new FutureTask<>(vocabulary);
    }

    /// Begins to make the vocabulary.
    ///
    /// @param vocabulary makes it; its failure is the reason with which requests are refused
    public static StructuredOutput start(Callable<GrammarVocabulary> vocabulary) {
        StructuredOutput output = new StructuredOutput(vocabulary);
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
    private ApiException explained(List<Tool> tools, GrammarException all) throws InterruptedException {
        for (Tool tool : tools) {
            try {
                schemaGrammar(tool.parameters(), "tools");
            } catch (GrammarException e) {
                return refused("tools", "the schema of the parameters of the function \"" + tool.name() + "\"", e);
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
        synchronized (grammars) {
            Grammar known = grammars.get(key);
            if (known != null) {
                return known;
            }
        }
        Grammar compiled = compiler.apply(vocabulary(param));
        synchronized (grammars) {
            Grammar other = grammars.putIfAbsent(key, compiled);
            return other == null ? compiled : other;
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
