package io.shadowkv.eval;

import java.util.List;
import java.util.Map;

/// A text with questions whose answers are known.
///
/// @param task name of the [EvalTask]
/// @param index number of the sample within the task, from 0
/// @param turns the questions in order, at least one; the first includes the text
/// @param wrapping whether the texts get a chat template
/// @param history how later turns relate to earlier ones
/// @param labels properties of the sample for tables and maps, such as `depth` or `length`
public record Sample(
        String task, int index, List<Turn> turns, Wrapping wrapping, History history, Map<String, String> labels) {
    public Sample {
        if (turns.isEmpty()) {
            throw new IllegalArgumentException("sample " + index + " of " + task + " has no questions");
        }
        turns = List.copyOf(turns);
        labels = Map.copyOf(labels);
    }

    /// Placeholder for the previous answer in a turn's text, see [History#QUOTED_ANSWER]; spelled
    /// as in LongBench v2.
    public static final String QUOTE = "$COT$";

    /// A sample in the model's chat template, as one conversation.
    public Sample(String task, int index, List<Turn> turns) {
        this(task, index, turns, Wrapping.CHAT, History.CONVERSATION, Map.of());
    }

    /// What is added around the user's text.
    public enum Wrapping {
        /// The run's prompt format.
        CHAT,
        /// Nothing: the text is complete or is to be continued as it is.
        NONE
    }

    /// How later turns relate to earlier ones.
    public enum History {
        /// A turn follows the model's own answer to the previous turn.
        CONVERSATION,
        /// A turn follows the right answers to the previous turns, whatever the model answered.
        RIGHT_ANSWERS,
        /// A turn is a separate prompt that quotes the model's answer to the previous turn at
        /// [Sample#QUOTE]. A turn without metrics is asked too: its answer is the model's
        /// reasoning.
        QUOTED_ANSWER,
        /// Every turn but the first directly follows the text of the first turn, as if there were
        /// no others. The first turn has the shared text, and its own question if it has
        /// references.
        SHARED_CONTEXT
    }

    /// A question and the beginning of its answer, which the model continues.
    ///
    /// @param user the user's message; the first turn's includes the text
    /// @param question the question alone
    /// @param answerPrefix beginning of the assistant's answer
    /// @param references right answers
    /// @param maxNewTokens maximum length of the answer
    /// @param stopIds ids that end the answer in addition to the model's end of sequence. If there
    ///     are any, none of them and not the end of sequence may be the answer's first token
    /// @param metrics the first is the task's own, the others are the paper's variants; empty if
    ///     the turn has no score
    /// @param rightAnswer text that later turns find here after the answer's beginning under
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
