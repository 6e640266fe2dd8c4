package io.shadowkv.cli.run;

import io.shadowkv.cli.process.PastedTemplate;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.cli.process.Surroundings;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Conversation;
import io.shadowkv.engine.serve.Engine;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/// A chat at the terminal or through a pipe, with one line per turn. The conversation stays in the
/// cache, so that only new tokens are read.
final class ChatSession implements AutoCloseable {
    /// @param system system message; null for the template's own
    /// @param sampling options of every answer
    /// @param wording recognizes prompts that the model was not trained for
    /// @param context tokens of the chat; null to use the memory plan
    /// @param progress style of the progress of prefill
    /// @param method name of the strategy
    record Settings(
            @Nullable String system,
            SamplingFlags sampling,
            BundledWording wording,
            @Nullable Integer context,
            ProgressLine.Style progress,
            String method) {}

    private static final int SHORTEST_CONTEXT = 256;

    private final Engine engine;
    private final Settings settings;
    private final PrintWriter out;
    private final PrintWriter err;
    private final Cancellation cancellation;
    private final int capacity;
    private Conversation conversation;
    private ChatTurns turns;
    private @Nullable Completion last;

    ChatSession(Engine engine, Settings settings, CommandLine command, Cancellation cancellation) {
        this.engine = engine;
        this.settings = settings;
        this.out = command.getOut();
        this.err = command.getErr();
        this.cancellation = cancellation;
        this.capacity = settings.context() != null ? settings.context() : fittingContext();
        this.conversation = engine.converse(capacity);
        this.turns = new ChatTurns(engine, settings.system());
    }

    /// Answers `first` if it is not empty, then every line of standard input until `/exit` or its
    /// end.
    void talk(String first, Surroundings surroundings) throws IOException {
        if (surroundings.inputIsTerminal()) {
            err.println("chat of up to " + String.format("%,d", capacity) + " tokens; /reset starts a new chat, /stats"
                    + " shows statistics, /exit ends");
        }
        if (!first.isBlank()) {
            turn(first);
        }
        var input = new BufferedReader(new InputStreamReader(surroundings.input(), StandardCharsets.UTF_8));
        while (!cancellation.isRequested()) {
            if (surroundings.inputIsTerminal()) {
                err.print("> ");
                err.flush();
            }
            String line = input.readLine();
            if (line == null || line.strip().equals("/exit")) {
                return;
            }
            obey(line.strip());
        }
    }

    private void obey(String line) {
        switch (line) {
            case "" -> {}
            case "/reset" -> reset();
            case "/stats" -> stats();
            default -> {
                if (line.startsWith("/")) {
                    err.println(line + " is not a command of the chat; there are /reset, /stats and /exit");
                } else {
                    turn(line);
                }
            }
        }
        err.flush();
    }

    private void turn(String text) {
        PastedTemplate.noteTurn(text, engine.tokenizer(), err);
        Optional<int[]> added = turns.ask(text);
        try {
            if (added.isEmpty()) {
                err.println("the chat template rewrites earlier turns, so the history is read again");
                restart();
            }
            int[] ids = added.orElseGet(turns::whole);
            answer(text, ids);
        } catch (ContextLengthException e) {
            turns.withdraw();
            err.println(e.getMessage() + " Use /reset to start a new chat, or --context for a longer one.");
        }
    }

    private void answer(String text, int[] ids) {
        int room = capacity - conversation.length() - ids.length;
        if (room < 1) {
            throw new ContextLengthException(String.format(
                    "the chat has %,d tokens and the turn has %,d; the limit is %,d.",
                    conversation.length(), ids.length, capacity));
        }
        SamplingFlags sampling = settings.sampling();
        GenerationOptions options = settings.wording()
                .options(text, sampling.options(engine.checkpoint().generation(), room), sampling.statesEnd());
        Request request = Request.of(ids, options).withCancellation(cancellation);
        var progress = new ProgressLine(err, settings.progress(), String.format("reading %,d tokens", ids.length));
        try (var printer = new AnswerPrinter(out, progress)) {
            Completion completion = conversation.send(request.withListener(printer));
            printer.finish(completion);
            turns.answered(completion);
            last = completion;
        }
    }

    private void stats() {
        err.println(
                last == null
                        ? "no answer yet"
                        : String.format("%,d of %,d tokens used; last turn, ", conversation.length(), capacity)
                                + CompletionReport.line(last, settings.method()));
    }

    private void reset() {
        restart();
        turns = new ChatTurns(engine, settings.system());
        last = null;
        err.println("a new chat begins");
    }

    private void restart() {
        conversation.close();
        conversation = engine.converse(capacity);
    }

    /// The model's context length, halved until the plan admits one sequence of it.
    private int fittingContext() {
        int tokens = engine.contextTokens();
        while (tokens > SHORTEST_CONTEXT && !engine.plan(tokens, 1).isAdmitted()) {
            tokens /= 2;
        }
        return tokens;
    }

    @Override
    public void close() {
        conversation.close();
    }
}
