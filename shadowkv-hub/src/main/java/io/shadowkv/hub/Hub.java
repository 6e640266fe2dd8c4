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
import java.util.function.Supplier;

/// Downloads models and files of datasets from a hub into the standard cache folder, and finds
/// models there.
///
/// Of a model, downloads only the files that an engine reads. Each file is verified before it
/// becomes visible, an interrupted pull is resumed, and [#cached] returns a snapshot only once it
/// is complete. Thread-safe; two simultaneous pulls of one repository are refused, within this
/// process and between processes.
public final class Hub {
    private final HubAccess access;
    private final HubPolicy policy;
    private final HubClient client;
    private final Path cacheFolder;
    private final HubDisk disk;

    /// @param cacheFolder the folder for `models--ORG--NAME` and `datasets--ORG--NAME`; created
    ///     when needed
    public Hub(HubAccess access, Path cacheFolder) {
        this(access, cacheFolder, HubPolicy.DEFAULT, HubDisk.real());
    }

    Hub(HubAccess access, Path cacheFolder, HubPolicy policy, HubDisk disk) {
        this.access = access;
        this.policy = policy;
        this.client = new HubClient(access, policy);
        this.cacheFolder = folder(cacheFolder);
        this.disk = disk;
    }

    private static Path folder(Path cacheFolder) {
        return cacheFolder.toAbsolutePath().normalize();
    }

    /// Downloads the current state of `revision` into the cache and returns its snapshot folder.
    /// Files that are already there are not downloaded again. Offline, returns the snapshot of an
    /// earlier pull.
    ///
    /// @param repo `ORG/NAME`
    /// @param revision branch, tag or commit; usually `main`
    /// @throws HubException if the hub refuses or cannot be reached, content is damaged, the disk
    ///     is full, another pull of the repository is running, or, offline, the cache has no
    ///     complete snapshot
    /// @throws InterruptedException if this thread is interrupted; the next pull resumes
    public Path pull(String repo, String revision, PullListener listener) throws InterruptedException {
        HubNames.checkRepository(repo);
        HubNames.checkRevision(revision);
        HubCache cache = cache(model(repo));
        return pull(
                model(repo),
                revision,
                new Choice(listed -> HubNames.wanted(repo, listed), () -> cache.whole(revision)),
                listener);
    }

    /// Downloads the files of a model that match patterns, such as one GGUF file of a repository that
    /// has many, and returns the snapshot folder that contains them.
    ///
    /// @param patterns names in the repository, in which `*` stands for any characters; each must
    ///     match a file
    /// @throws IllegalArgumentException if a name or a pattern is malformed
    /// @throws HubException as [#pull], or if a pattern matches no file
    /// @throws InterruptedException if this thread is interrupted; the next pull resumes
    public Path pullMatching(String repo, String revision, List<String> patterns, PullListener listener)
            throws InterruptedException {
        HubNames.checkRepository(repo);
        HubNames.checkRevision(revision);
        checkPatterns(patterns);
        HubCache cache = cache(model(repo));
        return pull(
                model(repo),
                revision,
                new Choice(
                        listed -> HubNames.matching(repo, patterns, listed), () -> cache.matching(revision, patterns)),
                listener);
    }

    /// Checks patterns for [#pullMatching] without contacting a server.
    ///
    /// @throws IllegalArgumentException if one of them is malformed
    public static void checkPatterns(List<String> patterns) {
        patterns.forEach(HubNames::checkPattern);
    }

    /// Downloads files of a dataset at `revision` into the cache and returns the snapshot folder
    /// that contains them. Files that are already there are not downloaded again.
    ///
    /// @param dataset `ORG/NAME`
    /// @param files names in the repository, such as `data.zip` or `data/a.jsonl`; all must exist
    /// @throws IllegalArgumentException if a name is malformed
    /// @throws HubException as [#pull], or if the repository has no such file
    /// @throws InterruptedException if this thread is interrupted; the next pull resumes
    public Path pullDataset(String dataset, String revision, List<String> files, PullListener listener)
            throws InterruptedException {
        checkDataset(dataset, revision, files);
        HubRepository repo = new HubRepository(HubRepository.Kind.DATASETS, dataset);
        HubCache cache = cache(repo);
        return pull(
                repo,
                revision,
                new Choice(listed -> HubNames.present(dataset, files, listed), () -> cache.holding(revision, files)),
                listener);
    }

    /// Checks names for [#pullDataset] without contacting a server.
    ///
    /// @throws IllegalArgumentException if one of them is malformed
    public static void checkDataset(String dataset, String revision, List<String> files) {
        HubNames.checkRepository(dataset);
        HubNames.checkRevision(revision);
        files.forEach(HubNames::checkFile);
    }

    /// The selection of files of a pull.
    ///
    /// @param wanted selects the files to download from those that the server lists
    /// @param cached the snapshot of an earlier pull that has all of them
    private record Choice(Function<List<String>, List<String>> wanted, Supplier<Optional<Path>> cached) {}

    private Path pull(HubRepository repo, String revision, Choice choice, PullListener listener)
            throws InterruptedException {
        if (access.isOffline()) {
            return choice.cached()
                    .get()
                    .orElseThrow(() -> new HubException(repo.name() + ": HF_HUB_OFFLINE is"
                            + " set, so that no server is contacted, and " + cacheFolder
                            + " has no complete snapshot of revision "
                            + revision + ". Unset it and pull again, or copy the snapshot there"));
        }
        HubClient.Repository found = repository(repo, revision, choice, listener);
        HubCache cache = cache(repo);
        List<String> files = choice.wanted().apply(found.files());
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

    /// Asks the hub for the files of a repository. If it cannot be reached, the message names a
    /// cached snapshot.
    private HubClient.Repository repository(HubRepository repo, String revision, Choice choice, PullListener listener)
            throws InterruptedException {
        try {
            return client.repository(repo, revision, listener);
        } catch (HubException e) {
            // A refusal has no cause: the hub answered, and an older snapshot would not be the
            // requested one.
            Optional<Path> cached =
                    e.getCause() instanceof IOException ? choice.cached().get() : Optional.empty();
            if (cached.isEmpty()) {
                throw e;
            }
            throw new HubException(
                    e.getMessage() + ". The snapshot of an earlier pull is complete: " + cached.get()
                            + "; give this folder, or set HF_HUB_OFFLINE=1 to use it without contacting the hub",
                    e);
        }
    }

    /// Downloads one file from an address outside a hub to `target`, replacing it, through the same
    /// proxies.
    ///
    /// @throws IllegalArgumentException if the address is not an http address
    /// @throws HubException if the server refuses, cannot be reached or gives no length, the disk
    ///     is full, another download to the same path is running, or HF_HUB_OFFLINE is set
    /// @throws InterruptedException if this thread is interrupted; the next download resumes
    public void download(URI address, Path target, PullListener listener) throws InterruptedException {
        if (access.isOffline()) {
            throw new HubException(HubErrors.shown(address) + ": HF_HUB_OFFLINE is set, so that no server is"
                    + " contacted. Unset it, or give the file itself");
        }
        HubDownload.fetch(address, target, access.proxies(), listener, policy);
    }

    /// The snapshot folder of an earlier pull; contacts no server.
    public Optional<Path> cached(String repo, String revision) {
        return cached(cacheFolder, repo, revision);
    }

    /// Like the method above, in any cache folder and without a hub.
    public static Optional<Path> cached(Path cacheFolder, String repo, String revision) {
        HubNames.checkRepository(repo);
        HubNames.checkRevision(revision);
        return new HubCache(folder(cacheFolder), model(repo).folderName(), HubDisk.real()).cached(revision);
    }

    private HubCache cache(HubRepository repo) {
        return new HubCache(cacheFolder, repo.folderName(), disk);
    }

    private static HubRepository model(String repo) {
        return new HubRepository(HubRepository.Kind.MODELS, repo);
    }

    /// The folder that a user names: an existing folder, or the cached snapshot of a repository's
    /// `main`.
    ///
    /// @throws HubException if neither exists
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
                + cacheFolder + ". Download it with `shadowkv pull " + repoOrPath + "`"));
    }

    /// Downloads the missing files and then links them into the snapshot, `config.json` last, so
    /// that a snapshot with a configuration is complete.
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
