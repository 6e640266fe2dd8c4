package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.TraceSpec;
import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.process.TokenCount;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Options that describe the requests; a mixin.
final class TraceFlags {
    /// Kinds of traces.
    enum Kind {
        chat,
        documents
    }

    /// Orders of questions.
    enum Order {
        interleaved,
        grouped
    }

    /// Kinds of prompts.
    enum Prompts {
        ids,
        text
    }

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--trace",
            defaultValue = "chat",
            description = "${COMPLETION-CANDIDATES}. chat sends prompts that have nothing in common; documents asks"
                    + " questions about long documents. Default: ${DEFAULT-VALUE}.")
    private Kind kind;

    @Option(
            names = "--requests",
            paramLabel = "N",
            description = "chat: number of requests. Default: 100, or as many as --seconds allows.")
    private @Nullable Integer requests;

    @Option(
            names = "--prompt-tokens",
            split = ",",
            arity = "1",
            paramLabel = "MIN[,MAX]",
            converter = TokenCount.Converter.class,
            description = "chat: lengths of prompts, uniformly distributed. Default: 128,1024.")
    private @Nullable List<TokenCount> promptTokens;

    @Option(
            names = "--documents",
            paramLabel = "N",
            defaultValue = "8",
            description = "documents: number of documents. Default: ${DEFAULT-VALUE}.")
    private int documents;

    @Option(
            names = "--document-tokens",
            split = ",",
            arity = "1",
            paramLabel = "MIN[,MAX]",
            converter = TokenCount.Converter.class,
            description = "documents: lengths of documents, evenly spaced and shuffled, such as 60k,122k (k is 1,024)."
                    + " Default: 8k.")
    private @Nullable List<TokenCount> documentTokens;

    @Option(
            names = "--questions",
            paramLabel = "N",
            defaultValue = "3",
            description = "documents: questions about each document. Default: ${DEFAULT-VALUE}.")
    private int questions;

    @Option(
            names = "--question-tokens",
            paramLabel = "N",
            defaultValue = "64",
            description = "documents: length of a question. Default: ${DEFAULT-VALUE}.")
    private int questionTokens;

    @Option(
            names = "--order",
            defaultValue = "interleaved",
            description = "documents: ${COMPLETION-CANDIDATES}. interleaved asks one question about each document in"
                    + " random order, then the next; grouped asks all questions about a document before those about"
                    + " the next. Default: ${DEFAULT-VALUE}.")
    private Order order;

    @Option(
            names = "--document-use",
            defaultValue = "api",
            description = "documents: ${COMPLETION-CANDIDATES}. api sends a document to /v1/documents and names it in"
                    + " each question; prefix sends it there and again in front of each question, where the server"
                    + " finds it; plain sends it in front of each question only. Default: ${DEFAULT-VALUE}.")
    private DocumentUse use;

    @Option(
            names = "--held",
            paramLabel = "N",
            description = "documents: number of documents that the client keeps on the server. For another one it"
                    + " deletes the least recently used. Default: all with --url, else what the memory plan admits.")
    private @Nullable Integer held;

    @Option(
            names = "--read-first",
            description = "documents: read the documents, up to --held, before the first request.")
    private boolean readsFirst;

    @Option(
            names = "--answer-tokens",
            paramLabel = "N",
            defaultValue = "128",
            description = "Tokens of each answer. Default: ${DEFAULT-VALUE}.")
    private int answerTokens;

    @Option(
            names = "--prompts",
            description = "${COMPLETION-CANDIDATES}. ids sends random token ids to /v1/completions, which works without"
                    + " a tokenizer; text sends sentences. Default: text for chat, ids for documents and for random"
                    + " weights.")
    private @Nullable Prompts prompts;

    @Option(
            names = "--vocabulary",
            paramLabel = "N",
            description = "Number of token ids. Default: what the server says.")
    private @Nullable Integer vocabulary;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    TraceFlags() {}

    /// @param isTimed true if a time limit ends the run
    /// @throws ParameterException if a value is out of range
    TraceSpec spec(boolean isTimed) {
        return CacheFlags.checked(command, () -> switch (kind) {
            case chat -> {
                int[] range = range("--prompt-tokens", promptTokens, 128, 1024);
                int count = requests != null ? requests : isTimed ? 1_000_000 : 100;
                yield new TraceSpec.Chat(count, range[0], range[1], answerTokens);
            }
            case documents -> {
                if (requests != null) {
                    throw new IllegalArgumentException(
                            "--requests is given with --trace documents, whose number of requests is --documents times"
                                    + " --questions; leave it out");
                }
                int[] range = range("--document-tokens", documentTokens, 8192, 8192);
                yield new TraceSpec.Documents(
                        documents,
                        range[0],
                        range[1],
                        questions,
                        questionTokens,
                        answerTokens,
                        order == Order.grouped ? TraceSpec.Order.GROUPED : TraceSpec.Order.INTERLEAVED);
            }
        });
    }

    private static int[] range(String option, @Nullable List<TokenCount> given, int least, int most) {
        if (given == null) {
            return new int[] {least, most};
        }
        if (given.size() > 2) {
            throw new IllegalArgumentException(
                    option + " has " + given.size() + " values; expected one length, or the smallest and the largest");
        }
        return new int[] {given.getFirst().tokens(), given.getLast().tokens()};
    }

    /// @param isRandom true for random weights
    boolean areIds(boolean isRandom) {
        return prompts == null ? isRandom || kind == Kind.documents : prompts == Prompts.ids;
    }

    @Nullable
    Integer vocabulary() {
        return vocabulary;
    }

    DocumentUse use() {
        return use;
    }

    /// Number of documents that the client keeps; null if it was not given.
    ///
    /// @throws ParameterException if it is out of range
    @Nullable
    Integer held() {
        if (held != null && held < 1) {
            throw new ParameterException(command.commandLine(), "--held is " + held + "; expected 1 or more");
        }
        return held;
    }

    boolean readsFirst() {
        return readsFirst;
    }
}
