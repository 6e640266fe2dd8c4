package io.shadowkv.cli.run;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.OpenModel;
import io.shadowkv.cli.option.PrefillFlags;
import io.shadowkv.cli.process.PastedTemplate;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.cli.process.TextSource;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.text.chat.ChatMessage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/// `run`: answers one prompt, or starts a chat.
@Command(
        name = "run",
        description = "Answers a prompt, or starts a chat with --chat.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv run needle-32k --file examples/needle.txt",
            "  cat book.txt question.txt | shadowkv run ORG/NAME --budget 1024",
            "  shadowkv run ./model \"Why is the sky blue?\" --method full --json",
            "  shadowkv run ./model --chat --temperature 0.7 --top-p 0.9",
            "  shadowkv run ./model --file book.txt --prefill blocks",
            "  shadowkv run ./model --raw -- \"-1, 0, 1,\"",
            "  shadowkv run ./base-model \"Once upon a time\" --raw -n 50"
        })
public final class RunCommand implements Callable<Integer> {
    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model.")
    private String model;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "PROMPT",
            description = "The prompt. Default: --file or standard input.")
    private @Nullable String prompt;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "Read the prompt from FILE; - is standard input.")
    private @Nullable Path file;

    @Option(
            names = "--chat",
            description = "Chat in turns; the history is kept and not read again. A given prompt or file is the first"
                    + " turn. /reset starts a new chat, /stats shows statistics, /exit ends.")
    private boolean chat;

    @Option(names = "--system", paramLabel = "TEXT", description = "System message before the first turn.")
    private @Nullable String system;

    @Option(names = "--raw", description = "Use the prompt as it is, without the model's chat template.")
    private boolean raw;

    @Option(
            names = "--context",
            paramLabel = "TOKENS",
            description = "Maximum tokens of a chat. Default: the model's context, halved until it fits the memory.")
    private @Nullable Integer context;

    @Option(names = "--json", description = "Print one JSON object with text, ids and statistics instead of streaming.")
    private boolean json;

    @Option(names = "--progress", description = "Show progress even if standard error is not a terminal.")
    private boolean progress;

    @Mixin
    private SamplingFlags sampling;

    @Mixin
    private CacheFlags cache;

    @Mixin
    private PrefillFlags prefill;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private RunCommand() {}

    @Override
    public Integer call() throws IOException {
        checkCombination();
        KvCacheSpec strategy = cache.spec();
        EngineOptions options = flags.options(strategy).withPrefill(prefill.spec());
        String method = options.prefill() instanceof PrefillSpec.Exact
                ? strategy.name()
                : strategy.name() + ", prefill " + options.prefill().label();
        sampling.check();
        String text =
                chat && prompt == null && file == null ? "" : TextSource.read(spec, prompt, file, root.surroundings());
        if (text.isBlank() && !chat) {
            throw new ParameterException(spec.commandLine(), "the prompt is empty; give a text to answer");
        }
        Path folder = root.models().resolve(model);
        PrintWriter err = spec.commandLine().getErr();
        var wording = new BundledWording(model, root.models().isBundled(folder), err);
        try (OpenModel open = OpenModel.open(folder, flags, options, err)) {
            if (chat) {
                var settings = new ChatSession.Settings(
                        system, sampling, wording, context, ProgressLine.style(root.surroundings(), progress), method);
                try (var session = new ChatSession(open.engine(), settings, spec.commandLine(), root.cancellation())) {
                    session.talk(text, root.surroundings());
                }
            } else {
                answer(open, text, wording, method);
            }
        }
        return 0;
    }

    private void checkCombination() {
        String problem = chat && json
                ? "--chat and --json are both given; --json prints one answer, so leave one of them out"
                : chat && raw
                        ? "--chat and --raw are both given; turns need the chat template, so leave one of them out"
                        : raw && system != null
                                ? "--raw and --system are both given; a system message needs the chat template"
                                : context != null && !chat
                                        ? "--context is given without --chat; a single answer only needs its prompt and"
                                                + " --max-new-tokens"
                                        : "";
        if (!problem.isEmpty()) {
            throw new ParameterException(spec.commandLine(), problem);
        }
    }

    private void answer(OpenModel open, String text, BundledWording wording, String method) {
        Engine engine = open.engine();
        int[] ids = encode(open, text);
        // The engine ends an answer at the end of the context.
        GenerationOptions asked = sampling.options(engine.checkpoint().generation(), Integer.MAX_VALUE);
        GenerationOptions options = wording.options(text, asked, sampling.statesEnd());
        Request request = Request.of(ids, options).withCancellation(root.cancellation());
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        String reading = String.format("reading %,d tokens", ids.length);
        var line = new ProgressLine(err, ProgressLine.style(root.surroundings(), progress), reading);
        try (var printer = new AnswerPrinter(out, line)) {
            Completion completion = engine.complete(request.withListener(json ? silent(line) : printer));
            if (json) {
                line.close();
                ObjectNode report = CompletionReport.json(completion, method);
                report.put("model", model);
                report.put("backend", open.backend().name());
                out.println(report.toPrettyString());
                out.flush();
            } else {
                printer.finish(completion);
                err.println(CompletionReport.line(completion, method));
                err.flush();
            }
        }
    }

    private int[] encode(OpenModel open, String text) {
        PrintWriter err = spec.commandLine().getErr();
        if (raw) {
            PastedTemplate.noteRaw(text, open.engine().tokenizer(), err);
            return open.engine().encode(text);
        }
        if (!open.hasChatTemplate()) {
            if (system != null) {
                throw new IllegalArgumentException(model
                        + ": the model has no chat template, so --system cannot be used; put its text into the prompt");
            }
            err.println("the model has no chat template; the prompt is read as it is");
            PastedTemplate.noteRaw(text, open.engine().tokenizer(), err);
            return open.engine().encode(text);
        }
        List<ChatMessage> messages = new ArrayList<>();
        if (system != null) {
            messages.add(new ChatMessage("system", system));
        }
        messages.add(new ChatMessage("user", text));
        PastedTemplate.noteTurn(text, open.engine().tokenizer(), err);
        return open.engine().encodeChat(messages);
    }

    private static GenerationListener silent(ProgressLine line) {
        return new GenerationListener() {
            @Override
            public void reading(double done) {
                line.update(done);
            }
        };
    }
}
