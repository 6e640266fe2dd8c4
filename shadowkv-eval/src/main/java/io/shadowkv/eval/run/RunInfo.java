package io.shadowkv.eval.run;

import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.Method;
import java.util.List;
import java.util.Map;

/// The information about a run that a report shows in addition to its answers; `run.json` next to
/// the log.
///
/// @param title title of the report
/// @param command the command line
/// @param commit commit of the code, or `unknown`
/// @param model name of the model
/// @param modelFacts family, layers, heads, parameters, bytes
/// @param machine processor or GPU, memory, JVM
/// @param backend name of the backend
/// @param kvType type of keys and values
/// @param tasks names of the tasks
/// @param contexts requested lengths, 0 if files determine them
/// @param samples number of samples of each task
/// @param seed seed of the samples
/// @param methods the methods
/// @param settings everything else that determines answers: RULER's version, template, haystack,
///     truncation
/// @param started ISO date and time
/// @param leftOut samples that could not be asked; empty in files of earlier versions
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
