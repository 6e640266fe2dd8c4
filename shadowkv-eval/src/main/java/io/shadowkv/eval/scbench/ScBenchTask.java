package io.shadowkv.eval.scbench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.text.JsonLines;
import io.shadowkv.eval.text.JsonRow;
import io.shadowkv.eval.text.MiddleCut;
import io.shadowkv.eval.text.PromptTemplate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One of SCBench's tasks in one of its modes (microsoft/MInference, `scbench/eval_utils.py`:
/// `create_multiturn_prompt`, `create_scdq_prompt`, `get_ground_truth`). Thread-safe.
final class ScBenchTask implements EvalTask {
    /// The script's `--max_turns`.
    private static final int MAX_TURNS = 5;

    /// Maximum number of tokens that joining shared text and question adds.
    private static final int SEAM_TOKENS = 16;

    private static final Pattern TARGET = Pattern.compile("The .+ is");
    private static final List<String> LETTERS = List.of("A", "B", "C", "D");

    private final String name;
    private final String task;
    private final Sample.History history;
    private final boolean isShared;
    private final TaskContext context;
    private final JsonLines lines;
    private final boolean isChat;
    private final boolean isPlainTalk;
    private final Map<String, List<RepoQa.Function>> functions;

    ScBenchTask(String name, String task, Sample.History history, TaskContext context) {
        this.name = name;
        this.task = task;
        this.history = history;
        this.isShared = history == Sample.History.SHARED_CONTEXT;
        this.context = context;
        lines = JsonLines.open(
                context.options().dataFolder().resolve("scbench").resolve(task + ".jsonl"),
                name,
                "SCBench's published " + task + ".jsonl with the fields context and multi_turns (input, answer);"
                        + " `shadowkv pull --suite scbench/" + task + "` downloads it");
        isChat = context.format().wrapsWords();
        isPlainTalk = !isChat && history == Sample.History.CONVERSATION;
        functions = task.startsWith("scbench_repoqa") ? functions() : Map.of();
    }

    /// For each repository, the functions asked for anywhere in the file: an answer is compared
    /// with all.
    private Map<String, List<RepoQa.Function>> functions() {
        Map<String, List<RepoQa.Function>> byRepository = new HashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            JsonRow row = lines.read(i);
            for (JsonRow turn : turns(row)) {
                if (part(turn).equals("scbench_repoqa")) {
                    byRepository
                            .computeIfAbsent(row.text("repo"), _ -> new ArrayList<>())
                            .add(new RepoQa.Function(turn.text("name"), turn.text("answer")));
                }
            }
        }
        return byRepository;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int size() {
        return lines.size();
    }

    @Override
    public Sample sample(int index) {
        JsonRow row = lines.read(index);
        List<JsonRow> asked = turns(row);
        List<Sample.Turn> turns = new ArrayList<>();
        for (int i = 0; i < asked.size(); i++) {
            turns.add(turn(row, asked.get(i), i));
        }
        if (isShared) {
            String text = text(row, asked.getFirst().text("input"));
            turns.addFirst(new Sample.Turn(text, "", "", List.of(), 1, List.of(), List.of()));
        }
        String whole = turns.getFirst().user();
        int room = context.contextTokens() - (isShared ? longestQuestion(turns) : allButFirstPrompt(turns));
        String user =
                new MiddleCut(context.tokenizer(), context.format()).fit(whole, "", room, name + ", sample " + index);
        turns.set(0, turns.getFirst().withUser(user));
        var labels = row.labels(index, !user.equals(whole));
        // In a plain conversation only the end of sequence separates an answer from the next
        // question.
        Sample.Wrapping wrapping = isPlainTalk ? Sample.Wrapping.NONE : Sample.Wrapping.CHAT;
        return new Sample(name, index, turns, wrapping, history, labels);
    }

    private static List<JsonRow> turns(JsonRow row) {
        List<JsonRow> turns = row.rows("multi_turns");
        return turns.subList(0, Math.min(MAX_TURNS, turns.size()));
    }

    private Sample.Turn turn(JsonRow row, JsonRow turn, int number) {
        String part = part(turn);
        String input = turn.text("input");
        List<Metric> metrics = part.equals("scbench_repoqa")
                ? List.of(new RepoQa(turn.text("name"), functions.getOrDefault(row.text("repo"), List.of())).metric())
                : ScBenchMetrics.of(part, isString(turn));
        return new Sample.Turn(
                user(row, turn, number),
                input,
                !isShared && isChat && number > 0 && task.equals("scbench_summary") ? "This paper" : "",
                references(turn),
                newTokens(part),
                List.of(),
                metrics,
                PythonFormat.text(turn, "answer"));
    }

    private static boolean isString(JsonRow turn) {
        return turn.has("answer") && turn.fields().get("answer").isString();
    }

    private String user(JsonRow row, JsonRow turn, int number) {
        if (isShared) {
            return query(turn);
        }
        if (number > 0) {
            return later(turn);
        }
        String first = task.equals("scbench_mf") ? turn.text("input") : query(turn);
        String prefix = task.equals("scbench_mf") ? target(turn) : "";
        return text(row, prefix) + "\n\n" + first;
    }

    private String later(JsonRow turn) {
        if (isChat) {
            return query(turn);
        }
        if (isPlainTalk) {
            String end = context.endOfSequence();
            return (end.isEmpty() ? "\n\n" : end) + query(turn);
        }
        // Two line breaks separate answer and question; the format adds one of them.
        return "\n" + query(turn, ScBenchPrompts.followUp(task));
    }

    /// The shared text of a sample.
    ///
    /// @param prefix text before the context, only in scbench_mf
    private String text(JsonRow row, String prefix) {
        return ScBenchPrompts.context(task)
                .fill(Map.of(
                        "context", PythonFormat.text(row, row.has("context") ? "context" : "input"), "prefix", prefix));
    }

    private String query(JsonRow turn) {
        return query(turn, ScBenchPrompts.query(task));
    }

    private String query(JsonRow turn, PromptTemplate template) {
        Map<String, String> values = new HashMap<>();
        values.put("input", turn.text("input"));
        values.put("question", turn.text("input"));
        if (task.equals("scbench_mf")) {
            values.put("prefix", target(turn));
        }
        if (task.equals("scbench_choice_eng")) {
            List<String> options = options(turn);
            for (int i = 0; i < LETTERS.size(); i++) {
                values.put("OPTION_" + LETTERS.get(i), options.get(i));
            }
        }
        return template.fill(values);
    }

    private static String target(JsonRow turn) {
        String input = turn.text("input");
        Matcher found = TARGET.matcher(input);
        if (!found.find()) {
            throw new IllegalArgumentException(
                    turn.place() + ": \"input\" is \"" + input + "\"; expected \"The ... is\" in it");
        }
        String target = found.group().toLowerCase(Locale.ROOT);
        return "What is " + target.substring(0, target.length() - " is".length()) + "?";
    }

    private static List<String> options(JsonRow turn) {
        return turn.texts("options", LETTERS.size());
    }

    private List<String> references(JsonRow turn) {
        List<String> answers = turn.texts("answer");
        if (!task.equals("scbench_choice_eng")) {
            return answers;
        }
        int option = options(turn).indexOf(answers.getFirst());
        if (option < 0) {
            throw new IllegalArgumentException(turn.place() + ": the answer \"" + answers.getFirst()
                    + "\" is not one of the options " + options(turn));
        }
        return List.of(answers.getFirst(), LETTERS.get(option));
    }

    /// The task itself, or the part of a mixed task that the turn names.
    private String part(JsonRow turn) {
        return isMixed() ? turn.text("task") : task;
    }

    private boolean isMixed() {
        return task.equals("scbench_summary_with_needles") || task.equals("scbench_repoqa_and_kv");
    }

    private int newTokens(String part) {
        return switch (part) {
            case "scbench_choice_eng", "scbench_qa_eng", "scbench_qa_chn" -> 40;
            case "scbench_kv" -> isMixed() ? 80 : 150;
            case "scbench_prefix_suffix" -> 150;
            case "scbench_mf" -> 5;
            case "scbench_passkey" -> 15;
            case "scbench_repoqa" -> 1024;
            case "scbench_summary" -> isMixed() ? 800 : 200;
            case "scbench_vt" -> 30;
            case "scbench_many_shot" -> 10;
            default ->
                throw new IllegalArgumentException(
                        name + " has a turn of \"" + part + "\", which SCBench does not have");
        };
    }

    /// Maximum number of tokens of a conversation after its first question, whatever the model
    /// answers.
    private int allButFirstPrompt(List<Sample.Turn> turns) {
        int before = 0;
        int most = turns.getFirst().maxNewTokens();
        for (int i = 1; i < turns.size(); i++) {
            Sample.Turn turn = turns.get(i);
            before += keptTokens(turns.get(i - 1)) + nextTokens(turn);
            most = Math.max(most, before + turn.maxNewTokens());
        }
        return most;
    }

    private int nextTokens(Sample.Turn turn) {
        return isPlainTalk
                ? context.tokenizer().encode(turn.user(), false).length
                : context.format().next(turn.user(), turn.answerPrefix()).length;
    }

    /// Tokens of the answer that later turns contain.
    private int keptTokens(Sample.Turn turn) {
        return history == Sample.History.CONVERSATION
                ? turn.maxNewTokens()
                : context.tokenizer().encode(turn.rightAnswer(), false).length;
    }

    /// Tokens of the longest question about a shared text with its answer. The question is in the
    /// same template as the text.
    private int longestQuestion(List<Sample.Turn> turns) {
        return SEAM_TOKENS
                + turns.stream()
                        .skip(1)
                        .mapToInt(turn -> context.tokenizer().encode(turn.user(), false).length + turn.maxNewTokens())
                        .max()
                        .orElseThrow();
    }
}
