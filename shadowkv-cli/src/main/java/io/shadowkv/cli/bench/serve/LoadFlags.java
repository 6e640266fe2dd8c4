package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.Goal;
import io.shadowkv.cli.bench.load.Load;
import io.shadowkv.cli.option.CacheFlags;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Options that say how often requests are sent, and what answers are fast enough; a mixin.
final class LoadFlags {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--rate",
            split = ",",
            paramLabel = "PER-SECOND",
            description =
                    "Open loop: mean number of requests per second, which arrive at random times (Poisson) however"
                            + " slow the answers are; several values, such as 1,2,4, give a curve.")
    private List<Double> rates = List.of();

    @Option(
            names = "--concurrency",
            split = ",",
            paramLabel = "N",
            description = "Closed loop: number of clients, each of which waits for its answer before it asks again;"
                    + " several values give a curve.")
    private List<Integer> clients = List.of();

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "Send no further requests after this time. Default: no limit.")
    private @Nullable Double seconds;

    @Option(
            names = "--goal-ttft",
            paramLabel = "MS",
            description = "Latency goal: time to first token in milliseconds. Default: none.")
    private @Nullable Double goalFirst;

    @Option(
            names = "--goal-gap",
            paramLabel = "MS",
            description = "Latency goal: mean time between the tokens of an answer in milliseconds. Default: none.")
    private @Nullable Double goalGap;

    @Option(
            names = "--warmup",
            paramLabel = "N",
            defaultValue = "8",
            description = "Requests before the measured ones, about a text of at most 8k tokens. Default:"
                    + " ${DEFAULT-VALUE}.")
    private int warmup;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    LoadFlags() {}

    /// @throws ParameterException if neither or both kinds are given, or a value is out of range
    List<Load> loads() {
        if (rates.isEmpty() == clients.isEmpty()) {
            throw new ParameterException(
                    command.commandLine(),
                    "give either --rate (requests per second, open loop) or --concurrency (clients, closed loop)");
        }
        List<Load> loads = new ArrayList<>();
        CacheFlags.checked(command, () -> {
            rates.forEach(rate -> loads.add(new Load.Rate(rate)));
            clients.forEach(count -> loads.add(new Load.Clients(count)));
            return loads;
        });
        return loads;
    }

    boolean isTimed() {
        return seconds != null;
    }

    /// @throws ParameterException if it is out of range
    long limitNanos() {
        if (seconds == null) {
            return Long.MAX_VALUE;
        }
        if (!(seconds > 0)) {
            throw new ParameterException(command.commandLine(), "--seconds is " + seconds + "; expected more than 0");
        }
        return (long) (seconds * TimeUnit.SECONDS.toNanos(1));
    }

    /// @throws ParameterException if it is out of range
    Goal goal() {
        return CacheFlags.checked(
                command,
                () -> new Goal(
                        goalFirst == null ? Double.POSITIVE_INFINITY : goalFirst,
                        goalGap == null ? Double.POSITIVE_INFINITY : goalGap));
    }

    /// @throws ParameterException if it is out of range
    int warmup() {
        if (warmup < 0) {
            throw new ParameterException(command.commandLine(), "--warmup is " + warmup + "; expected 0 or more");
        }
        return warmup;
    }
}
