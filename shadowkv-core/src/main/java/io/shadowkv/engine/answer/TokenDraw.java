package io.shadowkv.engine.answer;

import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.TokenConstraint;
import io.shadowkv.sampling.Candidates;
import io.shadowkv.sampling.LogitChanges;
import io.shadowkv.sampling.Sampler;
import io.shadowkv.sampling.TokenLogprobs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// Draws the tokens of one sequence: penalties, bans and the constraint first, then the sampler. Used
/// by the engine's thread.
public final class TokenDraw {
    /// Candidates of a draw from all tokens. The probability of the others is below 1% for the
    /// distributions of trained models at temperature 1; a draw that needs them downloads the row.
    public static final int USUAL_CANDIDATES = 256;

    private final GenerationOptions options;
    private final List<Integer> endIds;
    private final Sampler sampler;
    private final @Nullable LogitChanges changes;
    private final @Nullable TokenConstraint constraint;
    private int generated;
    private int @Nullable [] forced;

    /// @param prompt all tokens before the answer; the first `promptLength` are valid
    /// @param endIds ids that would end the answer before its minimum length
    public TokenDraw(Request request, int[] prompt, int promptLength, List<Integer> endIds) {
        this.options = request.options();
        this.endIds = endIds;
        this.sampler = new Sampler(options.sampling());
        this.changes = options.sampling().changesLogits() || options.minNewTokens() > 0
                ? new LogitChanges(options.sampling(), prompt, promptLength)
                : null;
        this.constraint =
                request.constraint() == null ? null : request.constraint().get();
        banEnds();
    }

    /// Draws these ids, whatever the logits are.
    ///
    /// @param answer as many ids as will be drawn
    public void force(int[] answer) {
        forced = answer;
    }

    public boolean isForced() {
        return forced != null;
    }

    /// Ids that end an answer.
    public static List<Integer> ends(GenerationOptions options, List<Integer> endOfSequence) {
        List<Integer> ends = new ArrayList<>(options.stopIds());
        if (!options.ignoreEos()) {
            ends.addAll(endOfSequence);
        }
        return ends;
    }

    private void banEnds() {
        if (changes != null && options.minNewTokens() > 0 && generated <= options.minNewTokens()) {
            changes.ban(generated < options.minNewTokens() ? endIds : List.of());
        }
    }

    /// True if the next token is the one with the largest logit, and nothing else of the row is
    /// needed.
    public boolean takesLargest() {
        return options.sampling().isGreedy() && !changesRow() && !wantsLogprobs();
    }

    public boolean wantsLogprobs() {
        return options.topLogprobs() >= 0;
    }

    /// True if logits are changed before the draw.
    public boolean changesRow() {
        return constraint != null || (changes != null && changes.size() > 0);
    }

    @Nullable
    public LogitChanges changes() {
        return changes;
    }

    public boolean isConstrained() {
        return constraint != null;
    }

    /// Number of largest logits that a draw is made from.
    public int candidates() {
        int drawn = options.sampling().isGreedy()
                ? 1
                : options.sampling().topK() > 0 ? options.sampling().topK() : USUAL_CANDIDATES;
        return Math.max(drawn, options.topLogprobs());
    }

    public float inverseTemperature() {
        return options.sampling().inverseTemperature();
    }

    /// Writes which tokens the constraint allows.
    public void allowed(int[] bits) {
        if (constraint != null) {
            constraint.allowed(bits);
        }
    }

    /// Draws from a row of logits.
    ///
    /// @param row `[vocabulary]`, overwritten
    /// @throws io.shadowkv.sampling.LogitsException if a logit is NaN or none is finite
    public int draw(float[] row) {
        int[] known = forced;
        if (known != null) {
            return known[generated];
        }
        if (changes != null) {
            changes.apply(row);
        }
        if (constraint != null) {
            int[] bits = new int[Math.ceilDiv(row.length, Integer.SIZE)];
            constraint.allowed(bits);
            for (int id = 0; id < row.length; id++) {
                if ((bits[id / Integer.SIZE] >>> id % Integer.SIZE & 1) == 0) {
                    row[id] = Float.NEGATIVE_INFINITY;
                }
            }
        }
        return sampler.next(row);
    }

    /// Draws from the largest logits of a row that was changed already; empty if the draw needs more
    /// of the row.
    public OptionalInt draw(Candidates largest) {
        return sampler.tryNext(largest);
    }

    /// Draws from a row that was changed already.
    public int drawChanged(float[] row) {
        return sampler.next(row);
    }

    /// Log probabilities of a drawn token; null if they were not requested.
    ///
    /// @param row the model's logits, unchanged
    @Nullable
    public TokenLogprobs logprobs(float[] row, int id) {
        return wantsLogprobs() ? TokenLogprobs.of(row, id, options.topLogprobs()) : null;
    }

    /// Log probabilities from the largest logits; empty if they do not contain the token.
    public Optional<TokenLogprobs> logprobs(Candidates largest, int id) {
        return TokenLogprobs.of(largest, id, options.topLogprobs());
    }

    /// A token was generated.
    public void accept(int id) {
        generated++;
        if (changes != null) {
            changes.add(id);
            banEnds();
        }
        if (constraint != null) {
            constraint.accept(id);
        }
    }
}
