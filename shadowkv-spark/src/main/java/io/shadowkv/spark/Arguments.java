package io.shadowkv.spark;

import java.nio.file.Path;
import java.util.List;

/// The parsed command line of [SparkEval].
///
/// @param job file of the job
/// @param log file for the answers
record Arguments(Path job, Path log, ClusterRun.Options options) {
    private static final String USAGE =
            "usage: SparkEval JOB.json LOG.jsonl [--batch N] [--batches-per-task N] [--resource NAME]";

    /// @throws IllegalArgumentException if the arguments are wrong
    static Arguments parse(List<String> args) {
        if (args.size() < 2 || args.size() % 2 != 0 || args.getFirst().startsWith("-")) {
            throw new IllegalArgumentException(USAGE);
        }
        int batch = 1;
        int batchesPerTask = 8;
        String resource = "gpu";
        for (int i = 2; i < args.size(); i += 2) {
            String value = args.get(i + 1);
            switch (args.get(i)) {
                case "--batch" -> batch = number(args.get(i), value);
                case "--batches-per-task" -> batchesPerTask = number(args.get(i), value);
                case "--resource" -> resource = value;
                default -> throw new IllegalArgumentException("there is no option " + args.get(i) + ". " + USAGE);
            }
        }
        return new Arguments(
                Path.of(args.get(0)), Path.of(args.get(1)), new ClusterRun.Options(batch, batchesPerTask, resource));
    }

    private static int number(String name, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " takes a number, not \"" + value + "\"", e);
        }
    }
}
