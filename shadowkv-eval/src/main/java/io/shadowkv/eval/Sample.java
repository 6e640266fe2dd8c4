package io.shadowkv.eval;

import java.util.List;
import java.util.Map;

/// One text with questions whose answers are known.
///
/// @param task the [EvalTask]'s name
/// @param index number of the sample within the task, from 0
/// @param turns the questions in order, at least one; the first carries the text
/// @param wrapping what stands around the user's words
/// @param history how later turns relate to earlier ones
/// @param labels what the sample says of itself for tables and maps, such as `depth` or `length`
public record Sample(
        String task, int index, List<Turn> turns, Wrapping wrapping, History history, Map<String, String> labels) {
    public Sample {
        if (turns.isEmpty()) {
            throw new IllegalArgumentException("sample " + index + " of " + task + " asks nothing");
        }
        turns = List.copyOf(turns);
        labels = Map.copyOf(labels);
    }

    /// Stands for the answer before in a turn's words, see [History#QUOTED_ANSWER]; as LongBench v2
    /// writes it.
    public static final String QUOTE = "$COT$";

    /// A sample in the model's own wrapping, one turn after the other.
    public Sample(String task, int index, List<Turn> turns) {
        this(task, index, turns, Wrapping.CHAT, History.CONVERSATION, Map.of());
    }

    /// What stands around the user's words.
    public enum Wrapping {
        /// The run's prompt format.
        CHAT,
        /// Nothing: the text carries what it needs, or is to be continued as it is.
        NONE
    }

    /// How later turns relate to earlier ones.
    public enum History {
        /// A turn follows the model's own answer to the one before.
        CONVERSATION,
        /// A turn follows the right answers to the ones before, whatever the model answered.
        RIGHT_ANSWERS,
        /// A turn is a prompt of its own that quotes the model's own answer to the one before,
        /// where its words say [Sample#QUOTE]. A turn without metrics is asked all the same: its
        /// answer is thoughts.
        QUOTED_ANSWER,
        /// Every turn but the first follows the first turn's words directly, as if no other had been: the
        /// first holds the text they share (and its own question where it has references).
        SHARED_CONTEXT
    }

    /// A question and the beginning of its answer, which the model continues.
    ///
    /// @param user what the user says; the first turn's includes the text
    /// @param question the question alone
    /// @param answerPrefix beginning of the assistant's answer
    /// @param references right answers
    /// @param maxNewTokens room for the answer
    /// @param stopIds end the answer in addition to the model's end of sequence. Where there are
    ///     any, neither they nor that one may be the answer's first token
    /// @param metrics the first is the task's own, the others the paper's variants; empty if nothing is
    ///     asked
    /// @param rightAnswer what later turns find here, after the answer's beginning, under
    ///     [History#RIGHT_ANSWERS]
    public record Turn(
            String user,
            String question,
            String answerPrefix,
            List<String> references,
            int maxNewTokens,
            List<Integer> stopIds,
            List<Metric> metrics,
            String rightAnswer) {
        public Turn {
            references = List.copyOf(references);
            stopIds = List.copyOf(stopIds);
            metrics = List.copyOf(metrics);
        }

        /// A turn whose right answer is its first reference.
        public Turn(
                String user,
                String question,
                String answerPrefix,
                List<String> references,
                int maxNewTokens,
                List<Integer> stopIds,
                List<Metric> metrics) {
            this(
                    user,
                    question,
                    answerPrefix,
                    references,
                    maxNewTokens,
                    stopIds,
                    metrics,
                    references.isEmpty() ? "" : references.getFirst());
        }

        public Turn withUser(String words) {
            return new Turn(words, question, answerPrefix, references, maxNewTokens, stopIds, metrics, rightAnswer);
        }

        public Turn withMaxNewTokens(int tokens) {
            return new Turn(user, question, answerPrefix, references, tokens, stopIds, metrics, rightAnswer);
        }
    }
}
