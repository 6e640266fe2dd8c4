package io.shadowkv.cli.eval;

import io.shadowkv.eval.Suite;
import io.shadowkv.eval.catalog.TaskCatalog;
import java.io.PrintWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `tasks`: what `eval` can ask.
@Command(
        name = "tasks",
        description = "Lists the suites and tasks that `eval --data` takes, and says what each suite asks and reads.",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  shadowkv tasks"})
public final class TasksCommand implements Callable<Integer> {
    private static final Map<String, String> ABOUT = Map.ofEntries(
            Map.entry(
                    "ruler",
                    "needles, variables and word counts in generated text of any length; qa_1 and qa_2 read SQuAD and"
                            + " HotpotQA (`shadowkv pull --suite ruler --from FILE`)"),
            Map.entry(
                    "ruler-file", "the same from files of `shadowkv ruler build` or NVIDIA's scripts (--ruler-files)"),
            Map.entry("niah", "one needle at 10 depths of 15 lengths, a heat map; 150 samples fill it once"),
            Map.entry("needle-turns", "several needles, asked for one after the other over one cache"),
            pulled("longbench", "21 tasks on real texts: questions, summaries, examples, code (--cut, --prompts)"),
            pulled("longbench-e", "13 of them with lengths evenly spread"),
            pulled("longbench-v2", "503 questions with four choices each"),
            Map.entry(
                    "longbench-v2-cot",
                    "the same after thoughts of up to 1,024 tokens, which a second prompt quotes (the table's columns w/"
                            + " CoT); `shadowkv pull --suite longbench-v2` brings its files"),
            pulled(
                    "infinitebench",
                    "12 tasks above 100k tokens, cut to --length; with a chat template GPT-4's prompts, with --template"
                            + " base those of the published numbers of open models"),
            pulled(
                    "scbench",
                    "several questions on one text, after right answers; @own after the model's, @shared each alone"));

    private static Map.Entry<String, String> pulled(String suite, String about) {
        return Map.entry(suite, about + "; `shadowkv pull --suite " + suite + "` brings its files");
    }

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private TasksCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        for (Suite suite : TaskCatalog.suites()) {
            String about = ABOUT.getOrDefault(suite.name(), suite.description());
            out.println(suite.name() + ": " + (about.isBlank() ? "no description" : about));
            suite.tasks().forEach(task -> out.println(suite.name() + "/" + task));
        }
        out.flush();
        return 0;
    }
}
