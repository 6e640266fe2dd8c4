package io.shadowkv.eval.report;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.eval.Json;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.AnswerRecord.Divergence;
import io.shadowkv.eval.run.RunInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/// Generated answers for tests: seeded, with every kind of record that a report must handle.
final class SyntheticRun {
    static final String MODEL = "Llama-3-8B-Instruct-Gradient-1048k";
    private static final List<String> RULER = List.of(
            "ruler/niah_single_1",
            "ruler/niah_multikey_2",
            "ruler/niah_multivalue",
            "ruler/vt",
            "ruler/fwe",
            "ruler/qa_1");

    private final SplittableRandom random = new SplittableRandom(20261128);
    private final List<AnswerRecord> answers = new ArrayList<>();
    private final List<Method> methods = new ArrayList<>();

    static Method shadow(int budget, int rank) {
        KvCacheSpec.Shadow usual = KvCacheSpec.Shadow.DEFAULT;
        return new Method(
                "shadowkv",
                new Method.Shadow(
                        rank,
                        usual.unitTokens(),
                        budget,
                        usual.index().outlierUnits(),
                        usual.residency().localTokens(),
                        usual.residency().generatedTokens(),
                        "as_keys",
                        budget));
    }

    /// Two lengths of RULER, LongBench, the needle's map and a sweep, with `samples` of each.
    static SyntheticRun whole(int samples) {
        var run = new SyntheticRun();
        List<Method> three = List.of(Method.FULL, shadow(512, 160), shadow(2048, 160));
        for (int context : new int[] {32768, 131072}) {
            for (String task : RULER) {
                run.task(task, context, samples, three, Map.of());
            }
        }
        run.task("longbench/hotpotqa", 0, samples, three, Map.of());
        run.task("longbench/trec", 0, samples, three, Map.of());
        for (int i = 0; i < 15; i++) {
            int context = 16384 + i * 8192;
            for (int depth = 0; depth < 10; depth++) {
                Map<String, String> labels =
                        Map.of("context", Integer.toString(context), "depth", Integer.toString(depth * 100 / 9));
                run.task("niah/pressure", context, 3, three, labels, depth * 3);
            }
        }
        List<Method> sweep = new ArrayList<>(List.of(Method.FULL));
        for (int budget : new int[] {64, 128, 256, 512}) {
            sweep.add(shadow(budget, 160));
            sweep.add(shadow(budget, 96));
        }
        sweep.add(shadow(256, 32));
        sweep.add(shadow(256, 64));
        run.task("ruler/niah_multikey_2", 8192, samples, sweep, Map.of());
        run.task("ruler/vt", 8192, samples, sweep, Map.of());
        return run;
    }

    void task(String task, int context, int samples, List<Method> asked, Map<String, String> labels) {
        task(task, context, samples, asked, labels, 0);
    }

    void task(String task, int context, int samples, List<Method> asked, Map<String, String> labels, int firstIndex) {
        asked.stream().filter(method -> !methods.contains(method)).forEach(methods::add);
        for (int index = firstIndex; index < firstIndex + samples; index++) {
            double luck = random.nextDouble();
            double hard = task.contains("qa") ? 0.45 : task.contains("vt") ? 0.2 : 0.06;
            double full = score(task, luck > hard ? 1 : luck / hard * 0.8);
            String truth = Integer.toString(1_000_000 + random.nextInt(8_999_999));
            for (Method method : asked) {
                double score = method.equals(Method.FULL) ? full : score(task, shadowed(full, method, context));
                answers.add(answer(task, context, index, method, score, truth, labels(task, index, labels)));
            }
        }
    }

    /// RULER's needles have a label with their depth.
    private static Map<String, String> labels(String task, int index, Map<String, String> labels) {
        boolean isOne = task.contains("niah_single") || task.contains("niah_multikey");
        return isOne ? Map.of("depth", Integer.toString(index * 37 % 101)) : labels;
    }

    /// A smaller budget or rank loses more.
    private double shadowed(double full, Method method, int context) {
        Method.Shadow s = method.shadow();
        double tokens = context == 0 ? 8192 : context;
        double loss = 0.02 * Math.sqrt(tokens / 64 / s.budget()) + 0.3 * Math.pow(0.97, s.rank());
        return random.nextDouble() < loss ? full * random.nextDouble() * 0.7 : full;
    }

    private static double score(String task, double share) {
        int parts = task.contains("hotpot") ? 97 : task.contains("vt") ? 5 : task.contains("multivalue") ? 4 : 1;
        return Math.floor(share * parts) / parts;
    }

    private AnswerRecord answer(
            String task,
            int context,
            int index,
            Method method,
            double score,
            String truth,
            Map<String, String> labels) {
        Map<String, Double> scores = new LinkedHashMap<>();
        boolean isGraded = task.contains("hotpot");
        scores.put(isGraded ? "qa_f1_score" : task.contains("qa") ? "string_match_part" : "string_match_all", score);
        if (task.startsWith("ruler/") || isGraded) {
            scores.put("paper:needle_score", Math.min(1, score + 0.01));
        }
        boolean isFull = method.equals(Method.FULL);
        int prompt = context == 0 ? 9000 + index * 13 : context - 140;
        String text =
                score == 1 ? " The number is " + truth + "." : " The number is <unclear> & " + index + ", I believe.";
        int steps = 30;
        long bytes = prompt * 131_072L;
        int budget = isFull ? 0 : method.shadow().budget();
        double perToken = isFull ? 0.009 + prompt * 1.1e-7 : 0.0095 + budget * 4e-7;
        return new AnswerRecord(
                new AnswerRecord.Key(MODEL, "cuda", "bf16", task, context, 42, index, 0, method),
                text,
                List.of(11, 12, index, (int) (score * 97)),
                List.of(truth),
                scores,
                labels,
                task + context + index,
                prompt,
                prompt * 2.2e-4 * (1 + 0.02 * random.nextDouble()) + (isFull ? 0 : prompt * 3e-5),
                isFull ? 0 : prompt * 3e-5,
                steps * perToken * (1 + 0.1 * random.nextDouble()),
                steps,
                isFull ? 4 : 8,
                isFull ? null : 0.55 + 0.1 * random.nextDouble(),
                isFull ? bytes : bytes / 8 + budget * 131_072L,
                isFull ? 0 : bytes / 2,
                "stop",
                isFull ? null : new Divergence(29, 2.0 / budget * random.nextDouble(), 20.0 / budget, 0.97),
                null,
                null);
    }

    List<AnswerRecord> answers() {
        return answers;
    }

    RunInfo info() {
        return new RunInfo(
                "RULER, LongBench and needles: full attention and ShadowKV",
                "shadowkv eval --data ruler,longbench/hotpotqa,niah --method both --length 32k,128k --samples 100",
                "2f9b46e",
                MODEL,
                new LinkedHashMap<>(Map.of("family", "llama", "layers", "32", "heads", "32 / 8")),
                "NVIDIA H200, 139 GiB; 16 cores; Temurin 25.0.3",
                "cuda",
                "bf16",
                answers.stream().map(a -> a.key().task()).distinct().toList(),
                answers.stream().map(a -> a.key().contextTokens()).distinct().toList(),
                100,
                42,
                methods,
                new LinkedHashMap<>(Map.of("ruler version", "nvidia", "template", "llama-3")),
                "2026-11-28T16:40:00Z",
                List.of());
    }

    void write(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.writeString(
                    folder.resolve("answers.jsonl"),
                    answers.stream()
                            .map(Json.SNAKE_CASE::writeValueAsString)
                            .collect(Collectors.joining("\n", "", "\n")));
            Files.writeString(folder.resolve("run.json"), Json.SNAKE_CASE.writeValueAsString(info()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Writes a report for inspection: `SyntheticRun FOLDER [SAMPLES]`.
    public static void main(String[] arguments) {
        Path folder = Path.of(arguments[0]);
        whole(arguments.length > 1 ? Integer.parseInt(arguments[1]) : 100).write(folder);
        System.out.println(Report.write(folder));
    }
}
