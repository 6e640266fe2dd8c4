package io.shadowkv.eval.run;

import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.Method;
import java.util.List;
import java.util.Map;

/// What a report says of a run beside its answers; `run.json` beside the log.
///
/// @param title of the report
/// @param command as it was given
/// @param commit of the code, or `unknown`
/// @param model its name
/// @param modelFacts what it is: family, layers, heads, parameters, bytes
/// @param machine processor or GPU, memory, JVM
/// @param backend what computed
/// @param kvType type of keys and values
/// @param tasks asked
/// @param contexts lengths asked for, 0 where files decide
/// @param samples of each task
/// @param seed of the samples
/// @param methods who answered
/// @param settings everything else that decides answers: RULER's version, template, haystack, truncation
/// @param started ISO date and time
/// @param leftOut samples that were wanted and could not be asked; empty in files of earlier
///     versions
public record RunInfo(
        String title,
        String command,
        String commit,
        String model,
        Map<String, String> modelFacts,
        String machine,
        String backend,
        String kvType,
        List<String> tasks,
        List<Integer> contexts,
        int samples,
        long seed,
        List<Method> methods,
        Map<String, String> settings,
        String started,
        List<LeftOut> leftOut) {
    public RunInfo {
        leftOut = leftOut == null ? List.of() : List.copyOf(leftOut);
    }

    public RunInfo withLeftOut(List<LeftOut> samples) {
        return new RunInfo(
                title,
                command,
                commit,
                model,
                modelFacts,
                machine,
                backend,
                kvType,
                tasks,
                contexts,
                this.samples,
                seed,
                methods,
                settings,
                started,
                samples);
    }
}
