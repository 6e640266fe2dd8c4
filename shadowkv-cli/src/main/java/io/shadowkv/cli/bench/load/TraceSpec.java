package io.shadowkv.cli.bench.load;

/// What the requests of a trace are.
public sealed interface TraceSpec {
    /// Number of requests.
    int requests();

    /// Number of tokens of each answer.
    int answerTokens();

    /// Requests that have nothing in common.
    ///
    /// @param leastTokens minimum length of a prompt; lengths are uniformly distributed
    /// @param mostTokens maximum length of a prompt
    record Chat(int requests, int leastTokens, int mostTokens, int answerTokens) implements TraceSpec {
        public Chat {
            check(requests >= 1, "requests", requests, "1 or more");
            checkRange("prompt tokens", leastTokens, mostTokens);
            check(answerTokens >= 1, "answer tokens", answerTokens, "1 or more");
        }
    }

    /// Questions about documents.
    ///
    /// @param documents number of documents
    /// @param leastTokens length of the shortest document; the lengths are evenly spaced
    /// @param mostTokens length of the longest document
    /// @param questions number of questions about each document
    /// @param questionTokens length of a question
    /// @param order order of the questions
    record Documents(
            int documents,
            int leastTokens,
            int mostTokens,
            int questions,
            int questionTokens,
            int answerTokens,
            Order order)
            implements TraceSpec {
        public Documents {
            check(documents >= 1, "documents", documents, "1 or more");
            checkRange("document tokens", leastTokens, mostTokens);
            check(questions >= 1, "questions", questions, "1 or more");
            check(questionTokens >= 1, "question tokens", questionTokens, "1 or more");
            check(answerTokens >= 1, "answer tokens", answerTokens, "1 or more");
            check(
                    (long) documents * questions <= 1_000_000,
                    "requests",
                    (long) documents * questions,
                    "at most 1000000");
        }

        @Override
        public int requests() {
            return documents * questions;
        }
    }

    /// The order of the questions about documents.
    enum Order {
        /// One question about each document in random order, then the next question about each.
        INTERLEAVED,
        /// All questions about a document follow each other.
        GROUPED
    }

    private static void checkRange(String what, int least, int most) {
        check(least >= 1, what, least, "1 or more");
        check(most >= least, "largest number of " + what, most, least + " or more, the smallest");
    }

    private static void check(boolean holds, String what, long found, String expected) {
        if (!holds) {
            throw new IllegalArgumentException(what + ": " + found + "; expected " + expected);
        }
    }
}
