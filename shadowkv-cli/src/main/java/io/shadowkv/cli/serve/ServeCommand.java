package io.shadowkv.cli.serve;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.option.Devices;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.cli.option.OpenModel;
import io.shadowkv.cli.option.PrefillFlags;
import io.shadowkv.cli.option.SourceFlags;
import io.shadowkv.cli.process.Program;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.server.ApiServer;
import io.shadowkv.server.ServerOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `serve`: offers a model under OpenAI's HTTP API until the process is told to end.
@Command(
        name = "serve",
        description = "Serves a model to clients of OpenAI's API. Ctrl-C or SIGTERM ends it when the running requests"
                + " have ended.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv serve                                        the bundled model at http://127.0.0.1:8080/v1",
            "  shadowkv serve ORG/NAME --host 0.0.0.0 --api-key-file keys.txt",
            "  shadowkv serve ./model --method full --max-batch 4 --port 9000",
            "  shadowkv serve ORG/NAME --devices 0,1                 an engine on each of two GPUs",
            "  shadowkv serve --config serve.json --show-config      where each setting comes from",
            "",
            "Every option can also be a variable of the environment, such as SHADOWKV_MAX_BATCH=4 for --max-batch,",
            "or a key of the file of --config, such as {\"model\": \"ORG/NAME\", \"max-batch\": 4}. A flag takes",
            "precedence over a variable, a variable over the file, and the file over the default."
        })
public final class ServeCommand implements Callable<Integer> {
    private static final long LOOK_MILLIS = 20;
    private static final String BUNDLED = "needle-32k";
    /// Seed of random weights.
    private static final long SEED = 1;

    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "MODEL",
            description = "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model. Default: needle-32k.")
    private @Nullable String model;

    @Option(
            names = "--random",
            paramLabel = "SHAPE",
            description = "Instead of MODEL: random weights of a known shape, such as llama-3.1-8b, for measurements."
                    + " Requests must be token ids.")
    private @Nullable String shape;

    @Option(
            names = "--layers",
            paramLabel = "N",
            description = "With --random: number of the shape's layers. Default: all.")
    private @Nullable Integer layers;

    @Option(
            names = "--devices",
            split = ",",
            paramLabel = "N",
            description = "Numbers of several GPUs, such as 0,1: an engine on each. A request goes to the engine that"
                    + " holds its document or its earlier turn, otherwise to the one with the fewest requests."
                    + " --memory, --host-memory and --max-batch are those of each engine. Default: --device.")
    private List<Integer> devices = List.of();

    @Option(
            names = "--served-name",
            paramLabel = "NAME",
            description = "Name of the model in requests and answers; may be given several times. Default: the name of"
                    + " MODEL, or of its folder.")
    private List<String> servedNames = List.of();

    @Option(
            names = "--drain-timeout",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = "Time that running requests have to end at SIGTERM. Default: ${DEFAULT-VALUE}.")
    private int drainSeconds;

    @Option(names = "--no-access-log", description = "Print no line for each request.")
    private boolean noAccessLog;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Read settings from FILE, a JSON object; // begins a comment. Relative paths in it are"
                    + " those of the working directory. Default: SHADOWKV_CONFIG of the environment.")
    @SuppressWarnings("unused") // Settings reads it
    private @Nullable Path config;

    @Option(
            names = "--show-config",
            description = "Print every setting, its value and where it comes from, and end. Keys are not shown.")
    private boolean showConfig;

    @Mixin
    private ServeFlags serve;

    @Mixin
    private CacheFlags cache;

    @Mixin
    private PrefillFlags prefill;

    @Mixin
    private EngineFlags flags;

    private Settings settings = Settings.none();

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private ServeCommand() {}

    /// Tells the command which settings were added to its arguments.
    void use(Settings added) {
        settings = added;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        KvCacheSpec strategy = cache.spec();
        EngineOptions engine = serve.engine(flags.options(strategy).withPrefill(prefill.spec()));
        ServerOptions options = serve.server();
        PrintWriter err = spec.commandLine().getErr();
        ModelSource source = source();
        if (showConfig) {
            settings.print(
                    spec.commandLine().getParseResult(), spec.commandLine().getOut());
            return 0;
        }
        settings.printNotes(err);
        List<String> names = servedNames.isEmpty() ? List.of(name(source)) : servedNames;
        HttpLimits.apply(options.limits().requestTime());
        PrintedLog log = new PrintedLog(err, !noAccessLog, root.isDebug());
        Duration patience = Duration.ofSeconds(drainSeconds);
        // The process stays until the requests have ended.
        try (OrderlyEnd _ = OrderlyEnd.within(patience.plusSeconds(5));
                ApiServer server = ApiServer.start(options, log);
                Devices opened = Devices.open(spec, devices, flags, err);
                ServedEngines engines = new ServedEngines(opened.engines(source, engine, opened.count()))) {
            OpenModel.printNotes(engines.first(), err);
            // Closes the server before the engines that it uses.
            try (server) {
                server.serve(engines.engines(), names);
                announce(server, source, engines, names);
                awaitEnd(server, engines, err);
            }
        }
        return 0;
    }

    /// Waits for the end of the process, and then for the requests.
    private void awaitEnd(ApiServer server, ServedEngines engines, PrintWriter err) throws InterruptedException {
        await(root.cancellation());
        err.println(
                "ending: no further requests; " + engines.running() + " running, " + engines.waiting() + " waiting");
        err.flush();
        if (!server.drain(Duration.ofSeconds(drainSeconds))) {
            err.println("requests still ran after " + drainSeconds + " s (--drain-timeout) and were ended");
            err.flush();
        }
    }

    private ModelSource source() {
        String asked = model;
        String known = shape;
        if (known == null) {
            if (layers != null) {
                throw new ParameterException(
                        spec.commandLine(), "--layers is given without --random; it works with --random only");
            }
            String name = asked == null ? BUNDLED : asked;
            return new ModelSource.Checkpoint(name, root.models().resolve(name));
        }
        if (asked != null) {
            throw new ParameterException(
                    spec.commandLine(), "MODEL " + asked + " and --random are both given; give one of them");
        }
        return SourceFlags.random(spec, known, layers, SEED);
    }

    private static String name(ModelSource source) {
        if (source instanceof ModelSource.Checkpoint(String model, Path folder)) {
            boolean isPath = model.contains("\\") || model.startsWith(".") || folder.equals(Path.of(model));
            Path last = folder.toAbsolutePath().normalize().getFileName();
            return isPath && last != null ? last.toString() : model;
        }
        return source.name();
    }

    private void announce(ApiServer server, ModelSource source, ServedEngines engines, List<String> names) {
        InetSocketAddress address = server.address();
        String host = address.getHostString();
        PrintWriter out = spec.commandLine().getOut();
        out.printf(
                Locale.ROOT,
                "serving %s at http://%s:%d/v1 (context %,d tokens%s)%n",
                String.join(", ", names),
                host.contains(":") ? "[" + host + "]" : host,
                address.getPort(),
                engines.first().contextTokens(),
                engines.engines().size() == 1 ? "" : ", " + engines.engines().size() + " engines");
        out.flush();
        if (source instanceof ModelSource.Checkpoint checkpoint && root.models().isBundled(checkpoint.folder())) {
            PrintWriter err = spec.commandLine().getErr();
            err.println(names.getFirst() + " answers only the questions of RULER's tasks, in their words"
                    + " (examples/needle.txt is one)");
            err.flush();
        }
    }

    private static void await(Cancellation cancellation) throws InterruptedException {
        while (!cancellation.isRequested()) {
            Thread.sleep(LOOK_MILLIS);
        }
    }
}
