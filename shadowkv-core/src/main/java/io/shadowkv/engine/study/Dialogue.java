package io.shadowkv.engine.study;

import io.shadowkv.engine.Request;

/// A prompt and the turns that follow it, for `Engine.compare`.
public interface Dialogue {
    /// Turns, the prompt's own included; one or more.
    int turns();

    /// The request of a turn; its ids are the turn's new tokens only. Asked for more than once, and the
    /// same each time.
    ///
    /// @param index number of the turn, from 0
    /// @param lastId last id of what the turn follows: the answer before, or the prompt where turns share it; -1
    ///     for the first
    Request turn(int index, int lastId);

    /// Tokens that all turns and answers may reach together; where turns share the prompt, the
    /// longest of them with it, and where they start over, the longest of them.
    int capacityTokens();

    /// True if every later turn follows the prompt, as if no other had been; false if it follows the answer to the
    /// turn before.
    default boolean sharesPrompt() {
        return false;
    }

    /// True if every later turn is a prompt of its own, read from the beginning: [#turnAfter] makes
    /// it of the answer before, and [#turn] is asked for the first turn only.
    default boolean startsOver() {
        return false;
    }

    /// The request of a later turn that starts over; its ids are a whole prompt.
    ///
    /// @param index number of the turn, from 1
    /// @param answer the answer to the turn before, under the strategy that is asked
    default Request turnAfter(int index, String answer) {
        throw new IllegalStateException("turn " + index + " of this dialogue follows the turn before");
    }

    /// True if the prompt itself is to be answered; where turns share it, it may be context only.
    default boolean asksPrompt() {
        return true;
    }

    /// A single request.
    ///
    /// @param capacityTokens tokens of prompt and answer
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
