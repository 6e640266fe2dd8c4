package io.shadowkv.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Fetches models and files of datasets from a hub into the standard cache folder and finds models there again.
///
/// Of a model only the files an engine reads are fetched; each is verified before it can be seen, an interrupted pull
/// goes
/// on where it ended, and a snapshot becomes visible to [#cached] only once it is whole. Safe to share between
/// threads; two pulls of one repository at once are refused, in this process and between processes.
public final class Hub {
    private final HubClient client;
    private final Path cacheFolder;
    private final HubDisk disk;

    /// @param endpoint such as the value of HF_ENDPOINT: scheme http or https, a host, perhaps a path
    /// @param token sent to the endpoint only, never to a host it redirects to; null or blank for none
    /// @param cacheFolder the folder that holds `models--ORG--NAME` folders, `datasets--` too; made when needed
    /// @throws IllegalArgumentException if the endpoint is no http address
    public Hub(URI endpoint, @Nullable String token, Path cacheFolder) {
        this(endpoint, token, cacheFolder, HubPolicy.DEFAULT, HubDisk.real());
    }

    Hub(URI endpoint, @Nullable String token, Path cacheFolder, HubPolicy policy, HubDisk disk) {
        String scheme = String.valueOf(endpoint.getScheme());
        if (!scheme.equalsIgnoreCase("http") && !scheme.equalsIgnoreCase("https") || endpoint.getHost() == null) {
            throw new IllegalArgumentException("hub endpoint \"" + endpoint
                    + "\" is no address of a server; expected http(s)://HOST, see HF_ENDPOINT");
        }
        this.client = new HubClient(endpoint, token, policy);
        this.cacheFolder = cacheFolder.toAbsolutePath().normalize();
        this.disk = disk;
    }

    /// Brings the current state of `revision` into the cache and returns its snapshot folder. What is there
    /// already is not fetched again.
    ///
    /// @param repo `ORG/NAME`
    /// @param revision branch, tag or commit; usually `main`
    /// @throws HubException if the hub refuses or cannot be reached, content is damaged, the disk is
    ///     full, or another pull of the repository runs
    /// @throws InterruptedException if this thread is interrupted; the next pull resumes
    public Path pull(String repo, String revision, PullListener listener) throws InterruptedException {
        HubNames.checkRepository(repo);
        HubNames.checkRevision(revision);
        return pull(model(repo), revision, listed -> HubNames.wanted(repo, listed), listener);
    }

    /// Brings files of a dataset, as they are in `revision`, into the cache and returns the snapshot folder that
    /// holds them. What is there already is not fetched again.
    ///
    /// @param dataset `ORG/NAME`
    /// @param files names in the repository, such as `data.zip` or `data/a.jsonl`; all must be there
    /// @throws IllegalArgumentException if a name is none
    /// @throws HubException as [#pull], or if the repository has no such file
    /// @throws InterruptedException if this thread is interrupted; the next pull resumes
    public Path pullDataset(String dataset, String revision, List<String> files, PullListener listener)
            throws InterruptedException {
        checkDataset(dataset, revision, files);
        HubRepository repo = new HubRepository(HubRepository.Kind.DATASETS, dataset);
        return pull(repo, revision, listed -> HubNames.present(dataset, files, listed), listener);
    }

    /// Looks at names that [#pullDataset] would take, without asking a server.
    ///
    /// @throws IllegalArgumentException if one of them is malformed
    public static void checkDataset(String dataset, String revision, List<String> files) {
        HubNames.checkRepository(dataset);
        HubNames.checkRevision(revision);
        files.forEach(HubNames::checkFile);
    }

    private Path pull(
            HubRepository repo, String revision, Function<List<String>, List<String>> choice, PullListener listener)
            throws InterruptedException {
        HubCache cache = new HubCache(cacheFolder, repo.folderName(), disk);
        HubClient.Repository found = client.repository(repo, revision, listener);
        List<String> files = choice.apply(found.files());
        try {
            Files.createDirectories(cacheFolder);
            try (HubCache.Lock _ = cache.lock()) {
                fetch(cache, repo, found.commit(), files, listener);
                cache.writeRef(revision, found.commit());
            }
        } catch (IOException e) {
            HubErrors.checkInterrupted(e);
            throw HubException.io("cannot keep " + repo.name() + " in " + cacheFolder, e);
        }
        return cache.snapshot(found.commit());
    }

    /// The snapshot folder of an earlier pull; asks no server.
    public Optional<Path> cached(String repo, String revision) {
        HubNames.checkRepository(repo);
        HubNames.checkRevision(revision);
        return new HubCache(cacheFolder, model(repo).folderName(), disk).cached(revision);
    }

    private static HubRepository model(String repo) {
        return new HubRepository(HubRepository.Kind.MODELS, repo);
    }

    /// The folder a user means: a folder that exists, or the cached snapshot of a repository's `main`.
    ///
    /// @throws HubException if there is neither
    public Path resolve(String repoOrPath) {
        Optional<Path> cached;
        try {
            Path path = Path.of(repoOrPath);
            if (Files.exists(path)) {
                return path;
            }
            cached = cached(repoOrPath, "main");
        } catch (IllegalArgumentException e) {
            throw new HubException(repoOrPath + ": no such folder", e);
        }
        return cached.orElseThrow(() -> new HubException(repoOrPath + ": no such folder, and no model of this name in "
                + cacheFolder + ". Fetch it with `shadowkv pull " + repoOrPath + "`"));
    }

    /// Fetches what is missing; links it into the snapshot last, `config.json` at the very end, so that a
    /// snapshot with a configuration is whole.
    private void fetch(HubCache cache, HubRepository repo, String commit, List<String> files, PullListener listener)
            throws IOException, InterruptedException {
        Map<String, HubClient.Facts> missing = new HashMap<>();
        List<String> toLink = new ArrayList<>();
        for (String file : files) {
            if (!cache.holds(commit, file)) {
                missing.put(file, client.facts(client.content(repo, commit, file), listener));
                toLink.add(file);
            }
        }
        toLink.sort(Comparator.comparingLong(
                file -> Objects.requireNonNull(missing.get(file)).bytes()));
        checkSpace(cache, missing);
        for (String file : toLink) {
            HubClient.Facts facts = Objects.requireNonNull(missing.get(file));
            if (HubCache.size(cache.blob(facts.etag())) != facts.bytes() || !Files.exists(cache.blob(facts.etag()))) {
                new BlobDownload(
                                client,
                                cache,
                                listener,
                                new BlobDownload.Request(
                                        client.content(repo, commit, file), facts.etag(), facts.bytes()))
                        .run();
            } else {
                listener.progress(file, facts.bytes(), facts.bytes());
            }
        }
        toLink.sort(Comparator.comparing(file -> file.equals("config.json")));
        for (String file : toLink) {
            cache.link(commit, file, Objects.requireNonNull(missing.get(file)).etag());
        }
    }

    private static void checkSpace(HubCache cache, Map<String, HubClient.Facts> missing) throws IOException {
        Map<String, Long> bytesOf = new HashMap<>();
        for (HubClient.Facts facts : missing.values()) {
            long there = HubCache.size(cache.blob(facts.etag())) == facts.bytes()
                    ? facts.bytes()
                    : Math.min(facts.bytes(), HubCache.size(cache.incomplete(facts.etag())));
            bytesOf.put(facts.etag(), facts.bytes() - there);
        }
        long needed = 0;
        for (long bytes : bytesOf.values()) {
            needed = Long.MAX_VALUE - needed < bytes ? Long.MAX_VALUE : needed + bytes;
        }
        cache.checkSpace(needed);
    }
}
