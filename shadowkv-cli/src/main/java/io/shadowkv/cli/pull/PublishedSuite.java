package io.shadowkv.cli.pull;

import io.shadowkv.eval.Suite;
import io.shadowkv.eval.infinitebench.InfiniteBenchSuite;
import io.shadowkv.eval.longbench.LongBenchSuite;
import io.shadowkv.eval.longbench.LongBenchV2Suite;
import io.shadowkv.eval.scbench.ScBenchSuite;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The published files that a suite reads, and where they are.
///
/// The same files as the authors' own scripts read: THUDM/LongBench (README: `data.zip` with
/// `data/TASK.jsonl`; `data.json` for v2), OpenBMB/InfiniteBench (`scripts/download_dataset.sh`),
/// microsoft/MInference (`scbench/eval_utils.py`: `data/TASK.jsonl`; the same repository also has
/// parquet, which is not read), and NVIDIA/RULER
/// (`scripts/data/synthetic/json/download_qa_dataset.sh`: two addresses outside a hub). If a
/// repository has changed, a pull names the missing files, and `--dataset`, `--revision` and
/// `--from` select other sources.
///
/// @param name name of the suite
/// @param dataset `ORG/NAME` on the hub; null if the files are not on a hub
/// @param folder folder in the data folder
/// @param pieces one file per task
public record PublishedSuite(String name, @Nullable String dataset, String folder, List<Piece> pieces) {
    /// The file of a task.
    ///
    /// @param task the task that reads it
    /// @param source its name in the repository; `/` separates folders
    /// @param entry its name inside the archive `source`; null if `source` is the file itself
    /// @param target its name in the suite's folder
    /// @param what a description that helps to find the file; empty if the name suffices
    public record Piece(
            String task, String source, @Nullable String entry, String target, String what) {}

    public static final List<PublishedSuite> ALL = List.of(
            longBench(LongBenchSuite.STANDARD),
            longBench(LongBenchSuite.EVEN),
            of(LongBenchV2Suite.DIRECT, "THUDM/LongBench-v2", _ -> "data.json"),
            of(new InfiniteBenchSuite(), "xinrongzhang2022/InfiniteBench", task -> task + ".jsonl"),
            of(new ScBenchSuite(), "microsoft/SCBench", task -> "data/" + task + ".jsonl"),
            new PublishedSuite(
                    "ruler",
                    null,
                    "ruler",
                    List.of(
                            new Piece("qa_1", "dev-v2.0.json", null, "squad.json", "SQuAD 2.0's dev set"),
                            new Piece(
                                    "qa_2",
                                    "hotpot_dev_distractor_v1.json",
                                    null,
                                    "hotpotqa.json",
                                    "HotpotQA's dev set with distractors"))));

    private static PublishedSuite longBench(LongBenchSuite suite) {
        List<Piece> pieces = suite.tasks().stream()
                .map(task -> {
                    String file = task + suite.ending();
                    return new Piece(task, "data.zip", "data/" + file, file, "");
                })
                .toList();
        return new PublishedSuite(suite.name(), "THUDM/LongBench", suite.name(), pieces);
    }

    private static PublishedSuite of(Suite suite, String dataset, Function<String, String> source) {
        List<Piece> pieces = suite.tasks().stream()
                // The second mode of a suite reads the same file.
                .filter(task -> !task.contains("@"))
                .map(task -> new Piece(task, source.apply(task), null, base(source.apply(task)), ""))
                .toList();
        return new PublishedSuite(suite.name(), dataset, suite.name(), pieces);
    }

    /// The part after the last slash.
    static String base(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /// The suites with the given names; several tasks of one suite are combined.
    ///
    /// @throws IllegalArgumentException if a name is unknown
    public static List<PublishedSuite> named(List<String> names) {
        Map<String, PublishedSuite> byName = new LinkedHashMap<>();
        names.forEach(name -> byName.merge(named(name).name, named(name), PublishedSuite::with));
        return List.copyOf(byName.values());
    }

    private PublishedSuite with(PublishedSuite other) {
        List<Piece> all =
                Stream.concat(pieces.stream(), other.pieces.stream()).distinct().toList();
        return new PublishedSuite(name, dataset, folder, all);
    }

    /// The suite with the given name; for `suite/task`, the suite with only that task's file.
    ///
    /// @throws IllegalArgumentException if the name is unknown
    public static PublishedSuite named(String name) {
        String suiteName = name.contains("/") ? name.substring(0, name.indexOf('/')) : name;
        PublishedSuite suite = ALL.stream()
                .filter(known -> known.name.equals(suiteName))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("\"" + suiteName
                        + "\" is not a suite with published files; there are "
                        + ALL.stream().map(PublishedSuite::name).collect(Collectors.joining(", "))));
        if (suiteName.equals(name)) {
            return suite;
        }
        String task = name.substring(suiteName.length() + 1);
        List<Piece> chosen =
                suite.pieces.stream().filter(piece -> piece.task.equals(task)).toList();
        if (chosen.isEmpty()) {
            throw new IllegalArgumentException("\"" + name + "\": " + suiteName
                    + " has published files for the tasks "
                    + suite.pieces.stream().map(Piece::task).distinct().collect(Collectors.joining(", ")));
        }
        return new PublishedSuite(suite.name, suite.dataset, suite.folder, chosen);
    }
}
