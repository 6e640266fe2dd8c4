package io.shadowkv.spark;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The parsed command line of [SparkAnswer].
///
/// @param input table of questions, any path that Spark reads
/// @param output folder of the answers
/// @param model the model, for messages and for the comparison with earlier answers
/// @param engine options of `shadowkv answer`
record TableArguments(
        String input,
        TableFormat format,
        String output,
        TableFormat outputFormat,
        String model,
        List<String> engine,
        TableOptions options) {
    private static final String USAGE = """
            usage: SparkAnswer --input TABLE --output FOLDER --model MODEL --format parquet|json
              [--launcher FILE] [--key-column NAME] [--document-column NAME | --document-path-column NAME]
              [--question-column NAME] [--options-column NAME] [--output-format parquet|json]
              [--batch N] [--documents-per-task N] [--resource NAME] [--ready-seconds N]
              [-- OPTIONS OF shadowkv answer]""";

    private static final Set<String> NAMES = Set.of(
            "--input",
            "--output",
            "--model",
            "--format",
            "--launcher",
            "--key-column",
            "--document-column",
            "--document-path-column",
            "--question-column",
            "--options-column",
            "--output-format",
            "--batch",
            "--documents-per-task",
            "--resource",
            "--ready-seconds");

    /// Sequences that a worker decodes together if `--batch` is not given.
    private static final String USUAL_BATCH = "16";

    /// @throws IllegalArgumentException if the arguments are wrong
    static TableArguments parse(List<String> args) {
        int end = args.indexOf("--");
        List<String> own = end < 0 ? args : args.subList(0, end);
        List<String> engine = end < 0 ? List.of() : List.copyOf(args.subList(end + 1, args.size()));
        Map<String, String> given = given(own);
        TableFormat format = TableFormat.of(required(given, "--format"));
        String model = required(given, "--model");
        int batch = number(given, "--batch", USUAL_BATCH);
        List<String> command = new ArrayList<>(List.of(
                launcher(given.getOrDefault("--launcher", "./shadowkv")), "answer", model, "--worker", "--batch"));
        command.add(Integer.toString(batch));
        command.addAll(engine);
        return new TableArguments(
                required(given, "--input"),
                format,
                required(given, "--output"),
                TableFormat.of(given.getOrDefault("--output-format", format.sparkName())),
                model,
                engine,
                new TableOptions(
                        columns(given),
                        command,
                        // The next rows wait in the worker when a sequence ends.
                        2 * batch,
                        number(given, "--documents-per-task", "8"),
                        given.getOrDefault("--resource", "gpu"),
                        number(given, "--ready-seconds", "900")));
    }

    private static Map<String, String> given(List<String> args) {
        if (args.isEmpty()) {
            throw new IllegalArgumentException(USAGE);
        }
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < args.size(); i += 2) {
            String name = args.get(i);
            if (!NAMES.contains(name)) {
                throw new IllegalArgumentException(
                        "there is no option " + name + "; options of the engine stand behind --\n" + USAGE);
            }
            if (i + 1 == args.size()) {
                throw new IllegalArgumentException(name + " has no value\n" + USAGE);
            }
            if (given.put(name, args.get(i + 1)) != null) {
                throw new IllegalArgumentException(name + " is given twice; give it once");
            }
        }
        return given;
    }

    private static RowColumns columns(Map<String, String> given) {
        @Nullable String document = given.get("--document-column");
        @Nullable String path = given.get("--document-path-column");
        return new RowColumns(
                given.getOrDefault("--key-column", RowColumns.KEY),
                document == null && path == null ? RowColumns.DOCUMENT : document,
                path,
                given.getOrDefault("--question-column", RowColumns.QUESTION),
                given.get("--options-column"));
    }

    /// Workers start in other folders, so a path must be absolute; a name without a folder is found on
    /// the machine's `PATH`.
    private static String launcher(String given) {
        return given.contains("/") ? Path.of(given).toAbsolutePath().normalize().toString() : given;
    }

    private static String required(Map<String, String> given, String name) {
        String value = given.get(name);
        if (value == null) {
            throw new IllegalArgumentException(name + " is missing\n" + USAGE);
        }
        return value;
    }

    private static int number(Map<String, String> given, String name, String usual) {
        String value = given.getOrDefault(name, usual);
        try {
            int number = Integer.parseInt(value);
            if (number >= 1) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Refused below.
        }
        throw new IllegalArgumentException(name + " is " + value + "; expected a whole number of 1 or more");
    }
}
