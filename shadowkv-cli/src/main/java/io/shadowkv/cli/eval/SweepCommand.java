package io.shadowkv.cli.eval;

import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.PrefillFlags;
import io.shadowkv.cli.option.ShadowShapeFlags;
import io.shadowkv.cli.process.Program;
import io.shadowkv.eval.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `sweep`: measures accuracy as a function of budget and of rank.
@Command(
        name = "sweep",
        description =
                "Asks the same prompts with full attention and with ShadowKV, first with one budget after the other,"
                        + " then with one rank after the other; each prompt is read once. The report has both curves.",
        mixinStandardHelpOptions = true,
        // The sixty options would fill a screen before the description.
        abbreviateSynopsis = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv sweep --data ruler/niah_multikey_1 --length 8k --samples 10",
            "  shadowkv sweep ORG/NAME --data ruler --budgets 512,1024,2048,4096 --ranks 64,160,256 --out sweep"
        })
public final class SweepCommand implements Callable<Integer> {
    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelFlag model;

    @Option(
            names = "--budgets",
            split = ",",
            paramLabel = "TOKENS",
            converter = Budget.Converter.class,
            defaultValue = "0.4%,0.8%,1.5625%,3.125%,6.25%,12.5%",
            description = "Budgets of the first curve, tokens or shares of the length. Default: ${DEFAULT-VALUE}.")
    private List<Budget> budgets;

    @Option(
            names = "--ranks",
            split = ",",
            paramLabel = "N",
            defaultValue = "16,32,64,96,128,160,256",
            description = "Ranks of the second curve. Default: ${DEFAULT-VALUE}.")
    private List<Integer> ranks;

    @Option(
            names = "--rank",
            paramLabel = "N",
            defaultValue = "160",
            description = "Rank of the first curve. Default: ${DEFAULT-VALUE}.")
    private int rank;

    @Option(
            names = "--budget",
            paramLabel = "TOKENS",
            converter = Budget.Converter.class,
            defaultValue = "1.5625%",
            description = "Budget of the second curve. Default: ${DEFAULT-VALUE}.")
    private Budget budget;

    @Mixin
    private ShadowShapeFlags shape;

    @Mixin
    private DataFlags data;

    @Mixin
    private RunFlags run;

    @Mixin
    private PrefillFlags prefill;

    @Mixin
    private EngineFlags engine;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private SweepCommand() {}

    @Override
    public Integer call() {
        return new EvalSession(root, spec, model.name(), data, run, engine, this::methods).call();
    }

    private List<Method> methods(int contextTokens) {
        List<Method> methods = new ArrayList<>();
        methods.add(Method.FULL);
        PrefillSpec read = prefill.spec();
        int chunk = shape.unitTokens(spec);
        for (Budget each : budgets) {
            methods.add(Method.of(shape.spec(spec, rank, each.at(contextTokens, chunk)))
                    .reading(read));
        }
        for (int each : ranks) {
            methods.add(Method.of(shape.spec(spec, each, budget.at(contextTokens, chunk)))
                    .reading(read));
        }
        return methods.stream().distinct().toList();
    }
}
