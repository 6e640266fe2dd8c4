package io.shadowkv.cli.pull;

import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.cli.process.UserCache;
import io.shadowkv.hub.Hub;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `pull`: downloads a model from a hub into the cache folder, or the published files of evaluation
/// suites into the data folder.
@Command(
        name = "pull",
        description = {
            "Downloads a model from a hub into the standard cache folder and prints its folder; or downloads the"
                    + " published files of evaluation suites into the data folder.",
            "An interrupted pull is resumed. Environment: HF_ENDPOINT (the hub), HF_TOKEN (otherwise the"
                    + " token that login saved in HF_HOME or HF_TOKEN_PATH), HF_HUB_CACHE or HF_HOME (the cache"
                    + " folder), HF_HUB_OFFLINE=1 (do not connect), HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, lower"
                    + " case too."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv pull ORG/NAME",
            "  shadowkv pull ORG/NAME --revision v1.0",
            "  shadowkv pull ORG/NAME-GGUF --file '*Q4_K_M*'",
            "  HF_ENDPOINT=http://mirror.example shadowkv pull ORG/NAME --cache-dir ./models",
            "  shadowkv pull --suite longbench,longbench-v2",
            "  shadowkv pull --suite infinitebench/passkey --data-dir ./data",
            "  shadowkv pull --suite ruler/qa_1 --from dev-v2.0.json",
            "  shadowkv pull --dataset ORG/NAME --files a.jsonl,b.jsonl --to scbench"
        })
public final class PullCommand implements Callable<Integer> {
    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "ORG/NAME", description = "The model's repository.")
    private @Nullable String repository;

    @Option(
            names = "--file",
            paramLabel = "PATTERN",
            description =
                    "Download only the files of the model that match, such as '*Q4_K_M*' for one GGUF file of many;"
                            + " * stands for any characters. May be repeated.")
    private List<String> patterns = new ArrayList<>();

    @Option(
            names = "--suite",
            split = ",",
            paramLabel = "SUITE[/TASK]",
            description = "Download the published files of suites or of single tasks: longbench, longbench-e,"
                    + " longbench-v2, infinitebench, scbench, ruler.")
    private List<String> suites = new ArrayList<>();

    @Option(
            names = "--dataset",
            paramLabel = "ORG/NAME",
            description = "Dataset with the files of the suite, such as a mirror; with --files and --to, any dataset.")
    private @Nullable String dataset;

    @Option(
            names = "--files",
            split = ",",
            paramLabel = "NAME",
            description = "Files of --dataset; they are saved without the folders in their names.")
    private List<String> files = new ArrayList<>();

    @Option(names = "--to", paramLabel = "FOLDER", description = "Folder in the data folder for --files.")
    private @Nullable String folder;

    @Option(
            names = "--from",
            paramLabel = "[NAME=]FILE|ADDRESS",
            description = "A published file of the suite that you already have, or its http address; used instead of"
                    + " the hub and may be repeated. NAME is needed if the file has another name.")
    private List<String> from = new ArrayList<>();

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "Data folder. Default: shadowkv/data in the user's cache folder.")
    private @Nullable Path dataFolder;

    @Option(
            names = "--revision",
            defaultValue = "main",
            description = "Branch, tag or commit. Default: ${DEFAULT-VALUE}.")
    private String revision;

    @Option(
            names = "--cache-dir",
            paramLabel = "FOLDER",
            description = "Cache folder. Default: that of the environment.")
    private @Nullable Path cacheFolder;

    @Option(names = "--progress", description = "Show progress even if standard error is not a terminal.")
    private boolean progress;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private PullCommand() {}

    @Override
    public Integer call() throws InterruptedException {
        List<DataJob> jobs = CacheFlags.checked(spec, this::jobs);
        Hub hub = CacheFlags.checked(spec, this::hub);
        PrintWriter err = spec.commandLine().getErr();
        List<Path> folders = new ArrayList<>();
        try (var shown =
                new PullProgress(err, ProgressLine.style(root.surroundings(), progress), root.cancellation())) {
            if (repository != null) {
                folders.add(
                        patterns.isEmpty()
                                ? hub.pull(repository, revision, shown)
                                : hub.pullMatching(repository, revision, patterns, shown));
            }
            for (DataJob job : jobs) {
                folders.add(job.run(hub, revision, UserCache.data(dataFolder), shown));
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        folders.stream().distinct().forEach(out::println);
        out.flush();
        return 0;
    }

    private Hub hub() {
        Hub opened = root.models().hub(cacheFolder);
        if (repository != null) {
            // Refuses a malformed repository or revision before a server is contacted.
            opened.cached(repository, revision);
            Hub.checkPatterns(patterns);
        }
        return opened;
    }

    /// The downloads into the data folder.
    private List<DataJob> jobs() {
        List<DataJob> jobs;
        if (repository != null) {
            refuse("a model", "--suite", "--dataset", "--files", "--to", "--from", "--data-dir");
            jobs = List.of();
        } else if (!patterns.isEmpty()) {
            throw new IllegalArgumentException("--file selects files of a model; give its ORG/NAME too");
        } else if (!suites.isEmpty()) {
            refuse("--suite", "--files", "--to");
            jobs = suiteJobs();
        } else if (dataset != null && !files.isEmpty() && folder != null) {
            refuse("--files", "--from");
            jobs = List.of(DataJob.files(dataset, files, folder));
        } else {
            throw new IllegalArgumentException("nothing to pull; give ORG/NAME of a model, --suite SUITE, or --dataset"
                    + " ORG/NAME with --files and --to");
        }
        for (DataJob job : jobs) {
            if (job.dataset() != null) {
                // Refuses malformed names before a server is contacted.
                Hub.checkDataset(job.dataset(), revision, job.sources());
            }
        }
        return jobs;
    }

    private List<DataJob> suiteJobs() {
        List<PublishedSuite> named = PublishedSuite.named(suites);
        if (named.size() > 1) {
            refuse("several suites", "--dataset", "--from", "--revision");
        }
        if (!from.isEmpty()) {
            refuse("--from", "--dataset", "--revision");
        }
        return named.stream().map(suite -> DataJob.suite(suite, dataset, from)).toList();
    }

    private void refuse(String with, String... options) {
        List<String> given = Stream.of(options)
                .filter(option -> spec.commandLine().getParseResult().hasMatchedOption(option))
                .toList();
        if (!given.isEmpty()) {
            throw new IllegalArgumentException(
                    String.join(", ", given) + " cannot be given with " + with + "; leave it out");
        }
    }
}
