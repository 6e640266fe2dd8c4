package io.shadowkv.cli.serve;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.OpenModel;
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
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
            "  shadowkv serve ./model --method full --max-batch 4 --port 9000"
        })
public final class ServeCommand implements Callable<Integer> {
    private static final long LOOK_MILLIS = 20;

    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "MODEL",
            defaultValue = "needle-32k",
            description = "A bundled model, a folder, or ORG/NAME of a pulled model. Default: ${DEFAULT-VALUE}.")
    private String model;

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

    @Mixin
    private ServeFlags serve;

    @Mixin
    private CacheFlags cache;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private ServeCommand() {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        KvCacheSpec strategy = cache.spec();
        EngineOptions engine = serve.engine(flags.options(strategy));
        ServerOptions options = serve.server(root.surroundings());
        PrintWriter err = spec.commandLine().getErr();
        Path folder = root.models().resolve(model);
        List<String> names = servedNames.isEmpty() ? List.of(name(folder)) : servedNames;
        HttpLimits.apply(options.limits().requestTime());
        PrintedLog log = new PrintedLog(err, !noAccessLog, root.isDebug());
        Duration patience = Duration.ofSeconds(drainSeconds);
        // The process stays until the requests have ended.
        try (OrderlyEnd _ = OrderlyEnd.within(patience.plusSeconds(5));
                ApiServer server = ApiServer.start(options, log);
                OpenModel open = OpenModel.open(folder, flags, engine, err)) {
            server.serve(open.engine(), names);
            announce(server, open, names);
            await(root.cancellation());
            err.println("ending: no further requests; " + open.engine().runningRequests() + " running, "
                    + open.engine().waitingRequests() + " waiting");
            err.flush();
            if (!server.drain(patience)) {
                err.println("requests still ran after " + drainSeconds + " s (--drain-timeout) and were ended");
                err.flush();
            }
        }
        return 0;
    }

    private String name(Path folder) {
        boolean isPath = model.contains("\\") || model.startsWith(".") || folder.equals(Path.of(model));
        Path last = folder.toAbsolutePath().normalize().getFileName();
        return isPath && last != null ? last.toString() : model;
    }

    private void announce(ApiServer server, OpenModel open, List<String> names) {
        InetSocketAddress address = server.address();
        String host = address.getHostString();
        PrintWriter out = spec.commandLine().getOut();
        out.printf(
                Locale.ROOT,
                "serving %s at http://%s:%d/v1 (context %,d tokens)%n",
                String.join(", ", names),
                host.contains(":") ? "[" + host + "]" : host,
                address.getPort(),
                open.engine().contextTokens());
        out.flush();
        if (root.models().isBundled(open.folder())) {
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
