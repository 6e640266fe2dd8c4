package io.shadowkv.cli.model;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.OpenModel;
import io.shadowkv.cli.process.Program;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import java.io.PrintWriter;
import java.nio.file.Path;
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

/// `inspect`: shows a model's shape and the memory that its sequences need with either method.
@Command(
        name = "inspect",
        description = "Shows a model's shape, and the memory plan for full attention and ShadowKV side by side.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv inspect needle-32k",
            "  shadowkv inspect ORG/NAME --context 131072 --batch 8 --memory 80G --host-memory 256G",
            "  shadowkv inspect ./model --rank 64 --budget 512 --json"
        })
public final class InspectCommand implements Callable<Integer> {
    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "MODEL",
            description = "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model.")
    private String model;

    @Option(
            names = "--context",
            paramLabel = "TOKENS",
            description = "Tokens of each sequence. Default: the model's context.")
    private @Nullable Integer context;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "1",
            description = "Number of sequences. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    private CacheFlags cache;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private InspectCommand() {}

    @Override
    public Integer call() {
        cache.spec();
        KvCacheSpec.Shadow shadow = cache.shadow();
        flags.options(shadow);
        refuse(batch < 1, "--batch is " + batch + "; expected 1 or more");
        refuse(context != null && context < 1, "--context is " + context + "; expected 1 or more");
        Path folder = root.models().resolve(model);
        ModelFacts facts = ModelFacts.read(folder);
        PrintWriter err = spec.commandLine().getErr();
        Backends.Choice choice = flags.openBackend(err);
        try (Backend backend = choice.backend();
                Engine engine = Engine.open(folder, backend, flags.options(shadow))) {
            OpenModel.printNotes(engine, err);
            DecoderSpec decoder = engine.spec();
            int tokens = context == null ? engine.contextTokens() : context;
            MemoryPlan fullPlan = engine.plan(new KvCacheSpec.Full(), tokens, batch);
            MemoryPlan shadowPlan = engine.plan(tokens, batch);
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.println(InspectReport.json(model, facts, decoder, engine, fullPlan, shadowPlan)
                        .toPrettyString());
            } else {
                out.print(InspectReport.model(model, facts, decoder, engine));
                out.println("  backend        " + backend.name() + ", " + backend.description());
                out.println();
                out.print(InspectReport.plans(fullPlan, shadowPlan));
            }
            out.flush();
        }
        return 0;
    }

    private void refuse(boolean isWrong, String message) {
        if (isWrong) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }
}
