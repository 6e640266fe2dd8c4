package io.shadowkv.text.grammar;

import io.shadowkv.text.grammar.Frame.Caller;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/// All places in a grammar where a text can have ended. Immutable.
///
/// There are several where alternatives begin alike. Each frame here has edges on bytes.
final class Positions {
    private static final Frame[] NO_FRAMES = {};

    /// Nowhere: the text does not match.
    static final Positions NONE = new Positions(NO_FRAMES, false);

    private final Frame[] frames;
    private final boolean isDone;

    private Positions(Frame[] frames, boolean isDone) {
        this.frames = frames;
        this.isDone = isDone;
    }

    /// Before the first byte of a rule.
    static Positions before(State rule) {
        Closure closure = new Closure();
        closure.add(new Frame(rule, Frame.UNCOUNTED, Caller.OUTSIDE));
        return closure.positions();
    }

    /// At a state of a rule that nothing called.
    static Positions at(State state, int count) {
        return new Positions(new Frame[] {new Frame(state, count, Caller.OUTSIDE)}, false);
    }

    /// Where matching goes on behind a rule.
    static Positions behind(Caller caller) {
        Closure closure = new Closure();
        closure.leave(caller);
        return closure.positions();
    }

    Frame[] frames() {
        return frames;
    }

    /// Whether the first rule has matched.
    boolean isDone() {
        return isDone;
    }

    boolean isNone() {
        return frames.length == 0 && !isDone;
    }

    /// The places behind one more byte.
    Positions next(int value) {
        if (frames.length == 1) {
            Frame frame = frames[0];
            State target = frame.state().next(value, frame.count());
            if (target == null) {
                return NONE;
            }
            int count = target.entered(frame.count());
            if (target.isPlain()) {
                boolean isSame = target == frame.state() && count == frame.count() && !isDone;
                return isSame ? this : new Positions(new Frame[] {new Frame(target, count, frame.caller())}, false);
            }
        }
        Closure closure = new Closure();
        for (Frame frame : frames) {
            State target = frame.state().next(value, frame.count());
            if (target != null) {
                closure.add(new Frame(target, target.entered(frame.count()), frame.caller()));
            }
        }
        return closure.positions();
    }

    /// Follows the edges that need no byte, calls rules, and returns from rules.
    ///
    /// Frames that are found wait in a list: a chain of optional properties is longer than the
    /// engine's stack is deep.
    private static final class Closure {
        private final Set<Frame> seen = new LinkedHashSet<>();
        private final ArrayDeque<Frame> open = new ArrayDeque<>();
        private final Map<State, Caller> callers = new HashMap<>();
        private boolean isDone;

        void add(Frame frame) {
            if (seen.add(frame)) {
                open.add(frame);
            }
        }

        private void follow(Frame frame) {
            State state = frame.state();
            for (State target : state.empty()) {
                add(new Frame(target, target.entered(frame.count()), frame.caller()));
            }
            for (State.Call call : state.calls()) {
                State back = call.returnState();
                call(call.rule(), new Frame(back, back.entered(frame.count()), frame.caller()));
            }
            if (state.isAccepting()) {
                leave(frame.caller());
            }
        }

        /// No rule matches the empty text, so a rule that is called here cannot have returned here
        /// already.
        private void call(State rule, Frame back) {
            Caller known = callers.get(rule);
            if (known != null) {
                known.returns().add(back);
                return;
            }
            Caller caller = new Caller();
            caller.returns().add(back);
            callers.put(rule, caller);
            add(new Frame(rule, Frame.UNCOUNTED, caller));
        }

        void leave(Caller caller) {
            isDone |= caller == Caller.OUTSIDE;
            caller.returns().forEach(this::add);
        }

        Positions positions() {
            while (!open.isEmpty()) {
                follow(open.remove());
            }
            Frame[] frames =
                    seen.stream().filter(frame -> frame.state().hasRuns()).toArray(Frame[]::new);
            return frames.length == 0 && !isDone ? NONE : new Positions(frames, isDone);
        }
    }
}
