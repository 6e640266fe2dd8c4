package io.shadowkv.eval.longbench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.metric.JiebaSegmenter;
import io.shadowkv.eval.metric.PythonText;
import io.shadowkv.eval.metric.Segmenter;
import io.shadowkv.eval.text.JsonLines;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// LongBench (THUDM/LongBench, `LongBench/pred.py`): 21 tasks in English, Chinese and code.
///
/// Reads a task's published file, such as `longbench/hotpotqa.jsonl` in the data folder. The
/// paper's code has prompts for LongBench ([io.shadowkv.eval.PromptVersion#SHADOWKV]) but no
/// scores. Therefore there is no `paper:` metric here, and the paper's tables are not comparable
/// with these numbers.
///
/// @param name the name before the slash, which is also the folder of the files
/// @param tasks the datasets
/// @param ending end of a file's name after the name of the dataset
public record LongBenchSuite(String name, List<String> tasks, String ending) implements Suite {
    /// All tasks.
    public static final LongBenchSuite STANDARD = new LongBenchSuite("longbench", LongBenchPrompt.tasks(), ".jsonl");

    /// LongBench-E: 13 of the tasks with equally many short and long samples,
    /// `longbench-e/hotpotqa_e.jsonl`.
    public static final LongBenchSuite EVEN = new LongBenchSuite(
            "longbench-e",
            List.of(
                    "qasper",
                    "multifieldqa_en",
                    "hotpotqa",
                    "2wikimqa",
                    "gov_report",
                    "multi_news",
                    "trec",
                    "triviaqa",
                    "samsum",
                    "passage_count",
                    "passage_retrieval_en",
                    "lcc",
                    "repobench-p"),
            "_e.jsonl");

    @Override
    public EvalTask open(String task, TaskContext context) {
        checkTask(task);
        String file = task + ending;
        Path data = context.options().dataFolder();
        Path place = data.resolve(name).resolve(file);
        // LongBench is published as one archive, with both kinds of files in one folder.
        Path together = data.resolve("longbench").resolve(file);
        JsonLines lines = JsonLines.open(
                !Files.exists(place) && Files.exists(together) ? together : place,
                name + "/" + task,
                "LongBench's published " + file + " with the fields input, context, answers and all_classes; `shadowkv"
                        + " pull --suite " + name + "/" + task + "` downloads it");
        LongBenchPrompt prompt =
                LongBenchPrompt.of(task, context.options().files().prompts());
        Segmenter segmenter = prompt.isScoredInChineseWords() ? JiebaSegmenter.load() : PythonText::characters;
        return LongBenchTask.of(name + "/" + task, prompt, lines, segmenter, context);
    }
}
