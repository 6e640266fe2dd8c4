package io.shadowkv.eval;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/// Asks a seeded set of needle tasks with one or more methods and keeps every answer.
///
/// All methods answer the same prompts, each prompt read once for all of them: prefill is exact under every
/// method, and only what follows differs. One thread.
public final class NeedleAccuracy {
    private final Plan plan;
    private final NeedleSampler sampler;
    private final PromptFormat format;
    private final Answerer answerer;
    private final List<Method> methods;

    /// @param sampler makes the samples
    /// @param format the one the sampler counts with
    /// @param answerer answers them
    /// @param methods to answer by
    public NeedleAccuracy(
            Plan plan, NeedleSampler sampler, PromptFormat format, Answerer answerer, List<Method> methods) {
        this.plan = plan;
        this.sampler = sampler;
        this.format = format;
        this.answerer = answerer;
        this.methods = List.copyOf(methods);
    }

    /// What is asked.
    ///
    /// @param model name written to the log
    /// @param tasks in order
    /// @param samples questions of each task
    /// @param seed of the samples
    /// @param contextTokens tokens of prompt and answer together
    /// @param maxNewTokens room for an answer
    public record Plan(
            String model, List<NeedleTask> tasks, int samples, long seed, int contextTokens, int maxNewTokens) {
        public Plan {
            tasks = List.copyOf(tasks);
            if (tasks.isEmpty() || samples < 1) {
                throw new IllegalArgumentException(
                        tasks.size() + " tasks with " + samples + " samples each; expected at least one of both");
            }
        }
    }

    /// A way to answer.
    ///
    /// @param cache the strategy
    /// @param settings its parameters and what else decides answers, written to the log; other settings give
    ///     other answers
    public record Method(KvCacheSpec cache, String settings) {
        public String name() {
            return cache.name();
        }
    }

    /// Completes one prompt greedily under several strategies.
    @FunctionalInterface
    public interface Answerer {
        /// @return a completion for each strategy, in their order
        /// @throws java.util.concurrent.CancellationException if it was cancelled
        List<Completion> answer(
                int[] promptIds, int maxNewTokens, List<KvCacheSpec> strategies, GenerationListener listener);
    }

    /// Hears how far a run is.
    public interface Watcher {
        /// A question is about to be read.
        ///
        /// @param done answers in the log
        /// @param total answers there will be
        /// @param left time for the others at this run's pace; zero before its first answer
        void asking(String task, int index, int done, int total, Duration left);

        /// Part of the prompt was read, 0 to 1.
        void reading(double share);

        void answered(AnswerRecord answer);
    }

    /// Asks what the log does not answer yet.
    ///
    /// @param isCancelled checked before each question
    /// @return the plan's answers that the log now holds
    public List<AnswerRecord> run(AnswerLog log, Watcher watcher, BooleanSupplier isCancelled) {
        int total = plan.tasks().size() * plan.samples() * methods.size();
        int open = (int) keys().stream().filter(key -> !log.contains(key)).count();
        long began = System.nanoTime();
        int answered = 0;
        for (NeedleTask task : plan.tasks()) {
            for (int index = 0; index < plan.samples(); index++) {
                List<Method> missing = missing(log, task, index);
                if (missing.isEmpty()) {
                    continue;
                }
                if (isCancelled.getAsBoolean()) {
                    return answers(log);
                }
                long spent = System.nanoTime() - began;
                Duration left = Duration.ofNanos(answered == 0 ? 0 : spent / answered * (open - answered));
                watcher.asking(task.name(), index, total - open + answered, total, left);
                answer(log, watcher, task, index, missing);
                answered += missing.size();
            }
        }
        return answers(log);
    }

    private void answer(AnswerLog log, Watcher watcher, NeedleTask task, int index, List<Method> missing) {
        var size = new NeedleSampler.Size(plan.contextTokens(), 0, plan.maxNewTokens());
        Sample.Turn turn =
                sampler.sample(task, plan.seed(), index, size).turns().getFirst();
        int[] prompt = format.turn(turn, -1);
        List<KvCacheSpec> strategies = missing.stream().map(Method::cache).toList();
        GenerationListener listener = new GenerationListener() {
            @Override
            public void reading(double done) {
                watcher.reading(done);
            }
        };
        List<Completion> completions;
        try {
            completions = answerer.answer(prompt, plan.maxNewTokens(), strategies, listener);
        } catch (CancellationException e) {
            // The next question is not asked either; what is missing is asked by the run that resumes.
            return;
        }
        for (int i = 0; i < missing.size(); i++) {
            Completion completion = completions.get(i);
            if (completion.finish() != Completion.FinishReason.CANCELLED) {
                AnswerRecord answer = AnswerRecord.of(key(task, index, missing.get(i)), turn, completion);
                log.append(answer);
                watcher.answered(answer);
            }
        }
    }

    private List<Method> missing(AnswerLog log, NeedleTask task, int index) {
        return methods.stream()
                .filter(method -> !log.contains(key(task, index, method)))
                .toList();
    }

    private List<AnswerRecord> answers(AnswerLog log) {
        List<AnswerRecord.Key> wanted = keys();
        return log.answers().stream()
                .filter(answer -> wanted.contains(answer.key()))
                .toList();
    }

    private List<AnswerRecord.Key> keys() {
        List<AnswerRecord.Key> keys = new ArrayList<>();
        for (NeedleTask task : plan.tasks()) {
            for (int index = 0; index < plan.samples(); index++) {
                for (Method method : methods) {
                    keys.add(key(task, index, method));
                }
            }
        }
        return keys;
    }

    private AnswerRecord.Key key(NeedleTask task, int index, Method method) {
        return new AnswerRecord.Key(
                plan.model(), task.name(), plan.contextTokens(), plan.seed(), index, method.name(), method.settings());
    }
}
