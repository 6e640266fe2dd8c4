package io.shadowkv.cli;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.Hub;
import io.shadowkv.checkpoint.PullListener;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `pull`: fetches a model from a hub into the cache folder.
@Command(
        name = "pull",
        description = {
            "Fetches a model from a hub into the standard cache folder and prints its folder.",
            "A pull that was interrupted goes on where it ended. Environment: HF_ENDPOINT (the hub), HF_TOKEN,"
                    + " HF_HUB_CACHE or HF_HOME (the cache folder)."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv pull ORG/NAME",
            "  shadowkv pull ORG/NAME --revision v1.0",
            "  HF_ENDPOINT=http://mirror.example shadowkv pull ORG/NAME --cache-dir ./models"
        })
final class PullCommand implements Callable<Integer> {
    @ParentCommand
    private ShadowKvCommand root;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "ORG/NAME", description = "The repository.")
    private String repository;

    @Option(
            names = "--revision",
            defaultValue = "main",
            description = "Branch, tag or commit. Default: ${DEFAULT-VALUE}.")
    private String revision;

    @Option(names = "--cache-dir", paramLabel = "FOLDER", description = "Cache folder instead of the environment's.")
    private @Nullable Path cacheFolder;

    @Option(names = "--progress", description = "Show progress also where standard error is no terminal.")
    private boolean progress;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private PullCommand() {}

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter err = spec.commandLine().getErr();
        Hub hub = CacheFlags.checked(spec, () -> {
            Hub opened = root.models().hub(cacheFolder);
            // Refuses a malformed repository or revision before a server is asked.
            opened.cached(repository, revision);
            return opened;
        });
        Path folder;
        try (var shown = new Shown(err, ProgressLine.style(root.surroundings(), progress))) {
            folder = hub.pull(repository, revision, shown);
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(folder);
        out.flush();
        return 0;
    }

    /// Shows one progress line a file and stops at Ctrl-C.
    private final class Shown implements PullListener, AutoCloseable {
        private final PrintWriter err;
        private final ProgressLine.Style style;
        private String file = "";
        private ProgressLine line;

        Shown(PrintWriter err, ProgressLine.Style style) {
            this.err = err;
            this.style = style;
            this.line = new ProgressLine(err, style, "");
        }

        @Override
        public void progress(String name, long doneBytes, long totalBytes) {
            if (root.cancellation().isRequested()) {
                throw new CheckpointException(
                        "interrupted; what was fetched is kept, and the same command goes on where it ended");
            }
            if (!name.equals(file)) {
                line.close();
                file = name;
                line = new ProgressLine(err, style, name);
            }
            line.update(
                    totalBytes == 0 ? 1 : (double) doneBytes / totalBytes,
                    ByteSize.text(doneBytes) + " of " + ByteSize.text(totalBytes));
        }

        @Override
        public void note(String message) {
            line.close();
            err.println(message);
            err.flush();
        }

        @Override
        public void close() {
            line.close();
        }
    }
}
