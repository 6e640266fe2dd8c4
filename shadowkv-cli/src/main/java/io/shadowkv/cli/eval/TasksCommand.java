package io.shadowkv.cli.eval;

import io.shadowkv.eval.Suite;
import io.shadowkv.eval.catalog.TaskCatalog;
import java.io.PrintWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `tasks`: lists the tasks that `eval` can ask.
@Command(
        name = "tasks",
        description =
                "Lists the suites and tasks that `eval --data` accepts, with the contents and files of each suite.",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  shadowkv tasks"})
public final class TasksCommand implements Callable<Integer> {
    private static final Map<String, String> ABOUT = Map.ofEntries(
            Map.entry(
                    "ruler",
                    "needles, variables and word counts in generated text of any length; qa_1 and qa_2 read SQuAD and"
                            + " HotpotQA (`shadowkv pull --suite ruler --from FILE`)"),
            Map.entry(
                    "ruler-file",
                    "RULER's tasks from files of `shadowkv ruler build` or NVIDIA's scripts (--ruler-files)"),
            Map.entry("niah", "one needle at 10 depths and 15 lengths, shown as a heat map; 150 samples fill it once"),
            Map.entry("needle-turns", "several needles in one text, asked for one after the other in one conversation"),
            pulled("longbench", "21 tasks on real texts: questions, summaries, examples, code (--cut, --prompts)"),
            pulled("longbench-e", "13 of these tasks with evenly distributed lengths"),
            pulled("longbench-v2", "503 questions with four choices each"),
            Map.entry(
                    "longbench-v2-cot",
                    "longbench-v2 with up to 1,024 tokens of reasoning, which a second prompt quotes (the columns w/ CoT of"
                            + " its table); `shadowkv pull --suite longbench-v2` fetches its files"),
            pulled(
                    "infinitebench",
                    "12 tasks above 100k tokens, cut to --length; uses the prompts for GPT-4 with a chat template, and with"
                            + " --template base those of the published scores of open models"),
            pulled(
                    "scbench",
                    "several questions about one text, each after the correct earlier answers; @own: after the model's answers, @shared: without them"));

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
