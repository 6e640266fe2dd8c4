package io.shadowkv.cli.bench.load;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// The requests of a run, in the order in which they are sent. Immutable.
///
/// The seed determines lengths and order, so that two runs of one seed have equal work. The contents
/// come from seeds of their own, so that a second run does not find the prompts of the first one in a
/// cache.
public final class LoadTrace {
    private final TraceSpec spec;
    private final PromptSource source;
    private final long seed;
    private final long questionSeed;
    private final List<LoadDocument> documents;
    private final List<LoadDocument> order;

    private LoadTrace(
            TraceSpec spec,
            PromptSource source,
            long seed,
            long questionSeed,
            List<LoadDocument> documents,
            List<LoadDocument> order) {
        this.spec = spec;
        this.source = source;
        this.seed = seed;
        this.questionSeed = questionSeed;
        this.documents = List.copyOf(documents);
        this.order = List.copyOf(order);
    }

    /// @param seed determines lengths and order
    /// @param documentSeed determines the content of documents
    /// @param questionSeed determines the content of all other prompts
    public static LoadTrace of(TraceSpec spec, PromptSource source, long seed, long documentSeed, long questionSeed) {
        List<LoadDocument> documents = new ArrayList<>();
        List<LoadDocument> order = new ArrayList<>();
        if (spec instanceof TraceSpec.Documents some) {
            Random random = new Random(seed);
            List<Integer> lengths = new ArrayList<>();
            for (int i = 0; i < some.documents(); i++) {
                lengths.add(length(some, i));
            }
            Collections.shuffle(lengths, random);
            for (int i = 0; i < some.documents(); i++) {
                PromptText text = source.draw(random(documentSeed, i), lengths.get(i));
                documents.add(new LoadDocument(i, lengths.get(i), text, documentSeed + "-" + i));
            }
            order.addAll(order(some, documents, random));
        }
        return new LoadTrace(spec, source, seed, questionSeed, documents, order);
    }

    private static int length(TraceSpec.Documents spec, int index) {
        long span = (long) spec.mostTokens() - spec.leastTokens();
        return spec.documents() == 1
                ? (int) (spec.leastTokens() + span / 2)
                : (int) (spec.leastTokens() + span * index / (spec.documents() - 1));
    }

    private static List<LoadDocument> order(TraceSpec.Documents spec, List<LoadDocument> documents, Random random) {
        List<LoadDocument> order = new ArrayList<>();
        switch (spec.order()) {
            case INTERLEAVED -> {
                List<LoadDocument> round = new ArrayList<>(documents);
                for (int i = 0; i < spec.questions(); i++) {
                    Collections.shuffle(round, random);
                    order.addAll(round);
                }
            }
            case GROUPED ->
                documents.forEach(document -> order.addAll(Collections.nCopies(spec.questions(), document)));
        }
        return order;
    }

    private static SplittableRandom random(long seed, int index) {
        // Neighbouring seeds of a SplittableRandom give unrelated sequences.
        return new SplittableRandom(new SplittableRandom(seed).nextLong() + index);
    }

    public TraceSpec spec() {
        return spec;
    }

    /// The documents; empty if requests have nothing in common.
    public List<LoadDocument> documents() {
        return documents;
    }

    /// Number of requests.
    public int size() {
        return spec.requests();
    }

    /// @param index from 0 to [#size]
    public LoadRequest request(int index) {
        SplittableRandom content = random(questionSeed, index);
        int tokens = switch (spec) {
            case TraceSpec.Documents some -> some.questionTokens();
            case TraceSpec.Chat chat -> random(seed, index).nextInt(chat.leastTokens(), chat.mostTokens() + 1);
        };
        LoadDocument document = documentOf(index);
        return new LoadRequest(index, document, source.draw(content, tokens), spec.answerTokens());
    }

    private @Nullable LoadDocument documentOf(int index) {
        return order.isEmpty() ? null : order.get(index);
    }
}
