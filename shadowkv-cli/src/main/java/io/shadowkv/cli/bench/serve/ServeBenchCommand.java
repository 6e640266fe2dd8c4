package io.shadowkv.cli.bench.serve;

import static java.util.Objects.requireNonNull;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.bench.load.LoadFailure;
import io.shadowkv.cli.option.BatchFlags;
import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.option.Devices;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.cli.option.ReportFile;
import io.shadowkv.cli.option.RunLog;
import io.shadowkv.cli.option.ShadowFlags;
import io.shadowkv.cli.option.SourceFlags;
import io.shadowkv.cli.process.Failures;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.EngineOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `bench serve`: a server under load.
@Command(
        name = "serve",
        description = "Sends requests to a server of OpenAI's API and measures throughput, latencies, and goodput under"
                + " a latency goal. With --model or --random instead of --url, starts the server in this process"
                + " and compares methods.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv bench serve --url http://127.0.0.1:8080 --rate 1,2,4 --goal-ttft 500 --goal-gap 50",
            "  shadowkv bench serve --url http://127.0.0.1:8080 --trace documents --document-tokens 8k --concurrency 4",
            "  shadowkv bench serve --random llama-3.1-8b --methods full,shadowkv --trace documents --rate 2"
        })
public final class ServeBenchCommand implements Callable<Integer> {
    /// Own options of a server that the command starts itself; further ones are in mixins.
    private static final List<String> LOCAL = List.of("--methods", "--bare", "--hit-rate", "--devices", "--scale");

    @Spec
    private CommandSpec spec;

    @Option(names = "--url", paramLabel = "URL", description = "Address of a running server.")
    private @Nullable String url;

    @Option(names = "--api-key", paramLabel = "KEY", description = "With --url: bearer key.")
    private @Nullable String apiKey;

    @Option(
            names = "--served-name",
            paramLabel = "NAME",
            description = "With --url: name of the model in requests. Default: the first that the server lists.")
    private @Nullable String servedName;

    @Mixin
    private SourceFlags source;

    @Option(
            names = "--methods",
            split = ",",
            paramLabel = "METHOD",
            description = "Without --url: ${COMPLETION-CANDIDATES}, measured one after the other. Default:"
                    + " full,shadowkv.")
    private List<CacheFlags.Method> methods = List.of(CacheFlags.Method.full, CacheFlags.Method.shadowkv);

    @Option(
            names = "--bare",
            description = "Without --url: measure the bare engine as well, with the same lengths and times, to see what"
                    + " the server costs.")
    private boolean bare;

    @Option(
            names = "--devices",
            split = ",",
            paramLabel = "N",
            description = "Without --url: numbers of several GPUs, such as 0,1; an engine on each. Default: --device.")
    private List<Integer> devices = List.of();

    @Option(names = "--scale", description = "With --devices: measure the first device alone before all together.")
    private boolean scales;

    @Mixin
    private BatchFlags batch;

    @Option(
            names = "--hit-rate",
            paramLabel = "SHARE",
            description = "shadowkv without --url: use a synthetic selection of which this share is resident, 0 to 1."
                    + " Default: the model's own selection.")
    private @Nullable Double hitRate;

    @Mixin
    private LoadFlags load;

    @Mixin
    private TraceFlags trace;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of lengths, prompts, arrivals and random weights. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--out", paramLabel = "FILE", description = "Append a line of JSON per load to this file.")
    private @Nullable Path log;

    @Option(names = "--page", paramLabel = "FILE", description = "Write a page with curves to this file.")
    private @Nullable Path page;

    @Option(names = "--progress", description = "Show progress even if standard error is not a terminal.")
    private boolean progress;

    @Mixin
    private ShadowFlags shadow;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private ServeBenchCommand() {}

    private Program root() {
        return (Program) spec.root().userObject();
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        LoadPlan plan = new LoadPlan(
                trace.spec(load.isTimed()),
                trace.use(),
                trace.readsFirst(),
                load.loads(),
                load.limitNanos(),
                load.goal(),
                load.warmup(),
                seed);
        double rate = checkedHitRate();
        PrintWriter err = spec.commandLine().getErr();
        LoadWatcher watcher =
                new LoadWatcher(err, ProgressLine.style(root().surroundings(), progress), root().cancellation());
        Machine machine = Machine.here(root().surroundings());
        RunLog runs = CacheFlags.checked(spec, () -> new RunLog(log));
        LoadPrinter printer = new LoadPrinter(spec.commandLine().getOut(), plan);
        LoadJson json = new LoadJson(machine, plan, rate);
        List<LoadResult> results = new ArrayList<>();
        Path wanted = page;
        try (ReportFile file = wanted == null ? null : CacheFlags.checked(spec, () -> ReportFile.open(wanted))) {
            try {
                measure(plan, rate, watcher, result -> {
                    results.add(result);
                    printer.print(result);
                    runs.append(json.of(result));
                });
            } catch (CancellationException e) {
                watcher.err().println("shadowkv: interrupted; the results of finished loads are kept");
            } finally {
                printer.compare(results);
                if (file != null && !results.isEmpty()) {
                    file.write(new LoadPage(machine, plan).html(results));
                }
            }
        } catch (LoadFailure e) {
            err.println("shadowkv: " + e.kind() + ": " + e.getMessage());
            err.flush();
            return Failures.FAILURE;
        }
        boolean isWhole = !watcher.isCut()
                && results.stream().allMatch(result -> result.summary().failed() == 0);
        return isWhole ? 0 : Failures.FAILURE;
    }

    private void measure(LoadPlan plan, double rate, LoadWatcher watcher, Consumer<LoadResult> results)
            throws InterruptedException {
        String address = url;
        if (address != null) {
            refuseLocalOptions();
            ServerConnection opened = CacheFlags.checked(spec, () -> new ServerConnection(address, apiKey));
            try (ServerConnection connection = opened) {
                new ServeBenchRun(plan, trace.areIds(false), trace.vocabulary(), trace.held(), watcher, results)
                        .remote(connection, servedName);
            }
            return;
        }
        refuseLonelyOptions();
        ModelSource model = source.model(spec, root().models(), seed);
        if (bare && devices.size() > 1) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--bare is given with several --devices; it works with one engine. Leave one out");
        }
        boolean areIds = bare || trace.areIds(model instanceof ModelSource.Random);
        ServeBenchRun run = new ServeBenchRun(plan, areIds, trace.vocabulary(), trace.held(), watcher, results);
        KvCacheSpec.Shadow shadowSpec = shadow.spec(spec);
        EngineOptions options = batch.options(flags.options(shadowSpec));
        List<KvCacheSpec> specs = methods.stream()
                .<KvCacheSpec>map(method -> method == CacheFlags.Method.full ? new KvCacheSpec.Full() : shadowSpec)
                .toList();
        try (Devices opened = Devices.open(spec, devices, flags, watcher.err())) {
            List<Integer> counts = scales && opened.count() > 1 ? List.of(1, opened.count()) : List.of(opened.count());
            run.local(model, opened, counts, options, specs, rate, bare);
        }
    }

    private double checkedHitRate() {
        if (hitRate == null) {
            return Double.NaN;
        }
        if (!(hitRate >= 0 && hitRate <= 1)) {
            throw new ParameterException(
                    spec.commandLine(), "--hit-rate is " + hitRate + "; expected 0 to 1, such as 0.6");
        }
        return hitRate;
    }

    /// Refuses options of a server that the command starts itself.
    private void refuseLocalOptions() {
        Stream<String> ofMixins = Stream.of("source", "batch", "shadow", "flags")
                .map(mixin -> requireNonNull(spec.mixins().get(mixin)))
                .flatMap(mixin -> mixin.options().stream())
                .map(OptionSpec::longestName);
        Stream.concat(LOCAL.stream(), ofMixins)
                .forEach(name -> refuse(
                        name, " is given with --url, whose server was started with its own; leave one of them out"));
    }

    /// Refuses options that need another one.
    private void refuseLonelyOptions() {
        for (String name : List.of("--api-key", "--served-name")) {
            refuse(name, " is given without --url; it is for a server that runs already");
        }
        if (devices.size() < 2) {
            refuse("--scale", " is given without several --devices; there is nothing to compare");
        }
        if (bare && !trace.areIds(true)) {
            refuse("--bare", " is given with --prompts text; the bare engine takes token ids. Leave one out");
        }
    }

    private void refuse(String name, String reason) {
        if (spec.commandLine().getParseResult().hasMatchedOption(name)) {
            throw new ParameterException(spec.commandLine(), name + reason);
        }
    }
}
