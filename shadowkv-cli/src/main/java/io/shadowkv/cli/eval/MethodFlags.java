package io.shadowkv.cli.eval;

import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.cli.option.ShadowShapeFlags;
import io.shadowkv.eval.Method;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Options that choose the methods: full attention, ShadowKV with one or more settings, or both; a
/// mixin. Budget, rank, index and budgets of layers are lists, each value of which is a method.
final class MethodFlags {
    /// Methods by name.
    enum Asked {
        full,
        shadowkv,
        both
    }

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--method",
            paramLabel = "NAME",
            defaultValue = "both",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Asked asked;

    @Option(
            names = "--budget",
            split = ",",
            paramLabel = "TOKENS",
            converter = Budget.Converter.class,
            defaultValue = "1.5625%",
            description = "shadowkv: tokens selected per step and key-value head, one method per value: a number, or"
                    + " a share of the length. Default: ${DEFAULT-VALUE}, the paper's 2,048 of 128k.")
    private List<Budget> budgets;

    @Option(
            names = "--rank",
            split = ",",
            paramLabel = "N",
            defaultValue = "160",
            description = "shadowkv: columns kept of the key factorisation, one method per value. Default:"
                    + " ${DEFAULT-VALUE}.")
    private List<Integer> ranks;

    @Mixin
    private ShadowShapeFlags shape;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    MethodFlags() {}

    /// The methods at a context length, full attention first.
    ///
    /// @param prefills ways to read prompts; each of them with each cache is a method
    List<Method> methods(int contextTokens, List<PrefillSpec> prefills) {
        return prefills.stream()
                .flatMap(prefill -> methods(contextTokens).stream().map(method -> method.reading(prefill)))
                .toList();
    }

    private List<Method> methods(int contextTokens) {
        List<Method> methods = new ArrayList<>();
        if (asked != Asked.shadowkv) {
            methods.add(Method.FULL);
        }
        if (asked != Asked.full) {
            for (int rank : ranks) {
                for (Budget budget : budgets) {
                    for (ShadowShapeFlags.Choice choice : shape.choices()) {
                        int tokens = budget.at(contextTokens, shape.unitTokens(choice));
                        methods.add(Method.of(shape.spec(command, choice, rank, tokens)));
                    }
                }
            }
        }
        return methods.stream().distinct().toList();
    }
}
