package io.shadowkv.eval.infinitebench;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.PromptVersion;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.metric.PythonText;
import io.shadowkv.eval.text.JsonLines;
import io.shadowkv.eval.text.JsonRow;
import io.shadowkv.eval.text.MiddleCut;
import io.shadowkv.eval.text.PromptTemplate;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One of InfiniteBench's tasks (OpenBMB/InfiniteBench, `src/eval_utils.py`, `create_prompt` and
/// `get_answer`). Thread-safe.
final class InfiniteBenchTask implements EvalTask {
    private static final Pattern CALL = Pattern.compile("(func_[0-9]+)\\(-?[0-9]+\\)");
    private static final Pattern TARGET = Pattern.compile("The .+ of");
    private static final List<String> LETTERS = List.of("A", "B", "C", "D");
    private static final Map<String, Integer> NEW_TOKENS = Map.ofEntries(
            Map.entry("passkey", 6),
            Map.entry("number_string", 12),
            Map.entry("kv_retrieval", 50),
            Map.entry("longbook_sum_eng", 1200),
            Map.entry("longbook_choice_eng", 40),
            Map.entry("longbook_qa_eng", 40),
            Map.entry("longbook_qa_chn", 40),
            Map.entry("longdialogue_qa_eng", 40),
            Map.entry("math_find", 3),
            Map.entry("math_calc", 30_000),
            Map.entry("code_run", 5),
            Map.entry("code_debug", 5));
    /// Answer length in a chat, where GPT-4's run sets no limit: room for a sentence around the
    /// answer, or for the reasoning that the prompt asks for.
    private static final int CHAT_TOKENS = 64;
    private static final int CHAT_THOUGHTS = 1024;

    private final String name;
    private final String task;
    private final TaskContext context;
    private final JsonLines lines;
    private final boolean isChat;
    private final PromptVersion version;
    private final PromptTemplate template;

    InfiniteBenchTask(String name, String task, TaskContext context) {
        this.name = name;
        this.task = task;
        this.context = context;
        lines = JsonLines.open(
                context.options().dataFolder().resolve("infinitebench").resolve(task + ".jsonl"),
                name,
                "InfiniteBench's published " + task
                        + ".jsonl with the fields id, context, input, answer and options; `shadowkv pull --suite "
                        + name + "` downloads it");
        isChat = context.format().wrapsWords();
        version = context.options().files().prompts();
        template = switch (version) {
            case SHADOWKV -> InfiniteBenchPrompts.paper(task);
            case OFFICIAL ->
                Objects.requireNonNull((isChat ? InfiniteBenchPrompts.CHAT : InfiniteBenchPrompts.CONTINUE).get(task));
        };
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
        String whole = template.fill(values(row));
        int newTokens = newTokens();
        String user = new MiddleCut(context.tokenizer(), context.format())
                .fit(whole, "", context.contextTokens() - newTokens, name + ", sample " + index);
        String question = row.has("input") ? row.text("input") : "";
        var turn = new Sample.Turn(user, question, "", references(row), newTokens, List.of(), metrics());
        Map<String, String> labels = new HashMap<>(row.labels(index, !user.equals(whole)));
        if (isChat || version == PromptVersion.SHADOWKV) {
            labels.put("prompts", version == PromptVersion.SHADOWKV ? "shadowkv" : "chat");
        }
        return new Sample(name, index, List.of(turn), Sample.Wrapping.CHAT, Sample.History.CONVERSATION, labels);
    }

    /// The script's limit; for an answer of 30,000 tokens at most half the context.
    private int newTokens() {
        int published = Objects.requireNonNull(NEW_TOKENS.get(task));
        if (isChat) {
            published = Math.max(published, task.startsWith("code_") ? CHAT_THOUGHTS : CHAT_TOKENS);
        }
        return task.equals("math_calc") ? Math.min(published, context.contextTokens() / 2) : published;
    }

    private Map<String, String> values(JsonRow row) {
        Map<String, String> values = new HashMap<>();
        values.put("context", row.text(row.has("context") ? "context" : "content"));
        if (row.has("input")) {
            boolean wantsKey = version == PromptVersion.SHADOWKV && task.equals("kv_retrieval");
            values.put("input", wantsKey ? key(row) : row.text("input"));
            values.put("question", row.text("input"));
        }
        switch (task) {
            case "code_run" -> {
                Matcher call = found(CALL, row);
                values.put("func_call", call.group());
                values.put("func", call.group(1));
            }
            case "math_find" -> {
                String target = found(TARGET, row).group().toLowerCase(Locale.ROOT);
                values.put(
                        "prefix",
                        "What is " + target.substring(0, target.length() - " of".length()) + " in the following list?");
            }
            case "code_debug", "longbook_choice_eng" -> {
                List<String> options = options(row);
                for (int i = 0; i < LETTERS.size(); i++) {
                    values.put("OPTION_" + LETTERS.get(i), options.get(i));
                }
            }
            default -> {}
        }
        return values;
    }

    /// The text in the first double quotes of the input.
    private static String key(JsonRow row) {
        List<String> parts = PythonText.split(row.text("input"), '"');
        if (parts.size() < 2) {
            throw new IllegalArgumentException(
                    row.place() + ": \"input\" is " + row.text("input") + "; expected a key in double quotes");
        }
        return parts.get(1);
    }

    private static Matcher found(Pattern pattern, JsonRow row) {
        Matcher matcher = pattern.matcher(row.text("input"));
        if (!matcher.find()) {
            throw new IllegalArgumentException(
                    row.place() + ": \"input\" is \"" + row.text("input") + "\"; expected " + pattern + " in it");
        }
        return matcher;
    }

    private static List<String> options(JsonRow row) {
        return row.texts("options", LETTERS.size());
    }

    private List<String> references(JsonRow row) {
        List<String> answers = row.texts("answer");
        if (!task.equals("code_debug") && !task.equals("longbook_choice_eng")) {
            return answers;
        }
        if (answers.size() == 2 && LETTERS.contains(answers.get(1))) {
            return answers;
        }
        int option = options(row).indexOf(answers.getFirst());
        if (answers.size() != 1 || option < 0) {
            throw new IllegalArgumentException(
                    row.place() + ": the answer " + answers + " is not one of the options " + options(row));
        }
        return List.of(answers.getFirst(), LETTERS.get(option));
    }

    private List<Metric> metrics() {
        return switch (task) {
            case "passkey" -> List.of(InfiniteBenchMetrics.PASSKEY);
            case "number_string" -> List.of(InfiniteBenchMetrics.NUMBER_STRING);
            case "kv_retrieval" -> List.of(InfiniteBenchMetrics.KV_RETRIEVAL);
            case "longbook_sum_eng" -> List.of(InfiniteBenchMetrics.LONGBOOK_SUM_ENG);
            case "longbook_choice_eng" -> List.of(InfiniteBenchMetrics.LONGBOOK_CHOICE_ENG);
            case "longbook_qa_eng" -> List.of(InfiniteBenchMetrics.LONGBOOK_QA_ENG);
            case "longbook_qa_chn" -> List.of(InfiniteBenchMetrics.LONGBOOK_QA_CHN);
            case "longdialogue_qa_eng" -> List.of(InfiniteBenchMetrics.LONGDIALOGUE_QA_ENG);
            case "math_find" -> List.of(InfiniteBenchMetrics.MATH_FIND);
            case "math_calc" ->
                isChat
                        ? List.of(InfiniteBenchMetrics.MATH_CALC_GPT4, InfiniteBenchMetrics.MATH_CALC)
                        : List.of(InfiniteBenchMetrics.MATH_CALC, InfiniteBenchMetrics.MATH_CALC_GPT4);
            case "code_run" -> List.of(InfiniteBenchMetrics.CODE_RUN);
            case "code_debug" -> List.of(InfiniteBenchMetrics.CODE_DEBUG);
            default -> throw new IllegalStateException(task);
        };
    }
}
