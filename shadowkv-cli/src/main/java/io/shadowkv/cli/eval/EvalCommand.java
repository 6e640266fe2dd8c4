package io.shadowkv.cli.eval;

import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.PrefillFlags;
import io.shadowkv.cli.process.Program;
import io.shadowkv.eval.Method;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `eval`: measures how well a model answers with full attention and with ShadowKV on the same
/// prompts.
@Command(
        name = "eval",
        description = "Asks tasks with known answers, with full attention and with ShadowKV on the same prompts; each"
                + " prompt is read once. Answers are saved one by one. The same command resumes an interrupted"
                + " run and writes a report at the end.",
        mixinStandardHelpOptions = true,
        // The sixty options would fill a screen before the description.
        abbreviateSynopsis = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv eval --data ruler/niah_single_1,ruler/vt --length 8k --samples 10",
            "  shadowkv eval ORG/NAME --data ruler --length 32k,128k --samples 200 --budget 1.56%%,6.25%%",
            "  shadowkv eval ORG/NAME --data longbench,niah --devices 0,1,2,3 --batch 8 --out results"
        })
public final class EvalCommand implements Callable<Integer> {
    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelFlag model;

    @Mixin
    private DataFlags data;

    @Mixin
    private MethodFlags methods;

    @Mixin
    private RunFlags run;

    @Mixin
    private PrefillFlags prefill;

    @Mixin
    private EngineFlags engine;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private EvalCommand() {}

    @Override
    public Integer call() {
        return new EvalSession(root, spec, model.name(), data, run, engine, this::methods).call();
    }

    private List<Method> methods(int contextTokens) {
        return methods.methods(contextTokens, prefill.specs());
    }
}
