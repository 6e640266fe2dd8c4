package io.shadowkv.eval.worker;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.Json;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.RunInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// A run that several machines can work on, as a file: the questions, and the command that starts a
/// worker.
///
/// @param plan the questions and methods; `kv_type` may be in lower case and is stored in upper
///     case, as workers report it
/// @param items the wanted items; if absent, all items of the plan
/// @param command starts a worker on any of the machines
/// @param readySeconds time limit for loading the model; if absent, 600
/// @param checkCommand command that, with the name of a log appended, compares the log's answers with
///     what the evaluation asks now, and exits with a code other than 0 if something differs; if
///     absent, empty
/// @param run the contents of `run.json`; if absent, null
public record EvalJob(
        EvalPlan plan,
        List<Item> items,
        List<String> command,
        int readySeconds,
        List<String> checkCommand,
        @Nullable RunInfo run) {
    private static final int USUAL_SECONDS = 600;
    private static final JsonMapper MAPPER = Json.SNAKE_CASE
            .rebuild()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    public EvalJob {
        if (plan == null || command == null || command.isEmpty()) {
            throw new IllegalArgumentException("a job needs a plan and the command that starts a worker");
        }
        if (plan.kvType() == null) {
            throw new IllegalArgumentException("the plan of a job needs a \"kv_type\", such as \"BF16\"");
        }
        plan = new EvalPlan(
                plan.model(),
                plan.backend(),
                plan.kvType().toUpperCase(Locale.ROOT),
                plan.tasks(),
                plan.contextTokens(),
                plan.samples(),
                plan.seed(),
                plan.methods());
        items = items == null ? plan.items() : List.copyOf(items);
        command = List.copyOf(command);
        readySeconds = readySeconds == 0 ? USUAL_SECONDS : readySeconds;
        checkCommand = checkCommand == null ? List.of() : List.copyOf(checkCommand);
    }

    /// A job whose earlier answers cannot be compared.
    public EvalJob(EvalPlan plan, List<Item> items, List<String> command, int readySeconds) {
        this(plan, items, command, readySeconds, List.of(), null);
    }

    /// Reads a job.
    ///
    /// @throws UncheckedIOException if the file cannot be read
    /// @throws IllegalArgumentException if it is not a job
    public static EvalJob read(Path file) {
        try {
            return fromJson(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException("the job " + file + " cannot be read: " + e, e);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    file + " is not a job: " + e.getOriginalMessage()
                            + ". It needs \"plan\" and \"command\", and may have \"items\", \"ready_seconds\","
                            + " \"check_command\" and \"run\"",
                    e);
        }
    }

    /// Writes the job.
    ///
    /// @throws UncheckedIOException if the file cannot be written
    public void write(Path file) {
        try {
            Files.writeString(file, toJson() + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static EvalJob fromJson(String json) {
        return MAPPER.readValue(json, EvalJob.class);
    }

    public String toJson() {
        return MAPPER.writeValueAsString(this);
    }

    /// The command, with `--device N` added if a device was assigned.
    public WorkerCommand worker(String name, OptionalInt device) {
        Stream<String> assigned = device.stream().boxed().flatMap(number -> Stream.of("--device", "" + number));
        List<String> whole = new ArrayList<>(command);
        assigned.forEach(whole::add);
        return new WorkerCommand(name, whole, Duration.ofSeconds(readySeconds));
    }
}
