package io.shadowkv.engine.study;

import io.shadowkv.engine.Request;

/// A prompt and the turns that follow it, for `Engine.compare`.
public interface Dialogue {
    /// Number of turns, including the prompt; one or more.
    int turns();

    /// Returns the request of a turn; its ids are the new tokens of the turn only. Called more than
    /// once; must return an equal request each time.
    ///
    /// @param index index of the turn, from 0
    /// @param lastId last id of what precedes the turn: the previous answer, or the prompt if turns
    ///     share it; -1 for the first turn
    Request turn(int index, int lastId);

    /// Maximum number of tokens of all turns and answers together. If turns share the prompt, that
    /// of the prompt with its longest turn; if turns start over, that of the longest turn.
    int capacityTokens();

    /// True if every later turn follows the prompt directly, as if there were no other turns; false
    /// if it follows the answer to the previous turn.
    default boolean sharesPrompt() {
        return false;
    }

    /// True if every later turn is a complete prompt, read from the beginning. [#turnAfter] then
    /// creates it from the previous answer, and [#turn] is called for the first turn only.
    default boolean startsOver() {
        return false;
    }

    /// Returns the request of a later turn that starts over; its ids are a complete prompt.
    ///
    /// @param index index of the turn, from 1
    /// @param answer the answer to the previous turn under the same strategy
    default Request turnAfter(int index, String answer) {
        throw new IllegalStateException("turn " + index + " of this dialogue follows the turn before");
    }

    /// True if the prompt itself gets an answer. If turns share the prompt, it may be context only.
    default boolean asksPrompt() {
        return true;
    }

    /// A dialogue of a single request.
    ///
    /// @param capacityTokens maximum number of tokens of prompt and answer
    static Dialogue of(Request request, int capacityTokens) {
        return new Dialogue() {
            @Override
            public int turns() {
                return 1;
            }

            @Override
            public Request turn(int index, int lastId) {
                return request;
            }

            @Override
            public int capacityTokens() {
                return capacityTokens;
            }
        };
    }
}
