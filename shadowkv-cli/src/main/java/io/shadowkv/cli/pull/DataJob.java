package io.shadowkv.cli.pull;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.hub.Hub;
import io.shadowkv.hub.PullListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Files to put into one folder of the data folder: from a dataset on the hub, or given by the
/// user.
///
/// @param folder name of the folder in the data folder
/// @param dataset `ORG/NAME`; null if all files are given
/// @param pieces files of the dataset
/// @param given files or addresses
record DataJob(String folder, @Nullable String dataset, List<PublishedSuite.Piece> pieces, List<GivenFile> given) {
    /// Creates the job for a suite's published files.
    ///
    /// @param mirror repository to use instead of the suite's own; null for the suite's own
    /// @param from values of `--from`; if there are any, only these files are fetched
    /// @throws IllegalArgumentException if the files are not on a hub and none are given
    static DataJob suite(PublishedSuite suite, @Nullable String mirror, List<String> from) {
        if (!from.isEmpty()) {
            List<GivenFile> given =
                    from.stream().map(value -> GivenFile.of(value, suite)).toList();
            return new DataJob(suite.folder(), null, List.of(), given);
        }
        String dataset = mirror == null ? suite.dataset() : mirror;
        if (dataset == null) {
            throw new IllegalArgumentException(suite.name() + "'s files are not on a hub: "
                    + suite.pieces().stream()
                            .map(piece -> piece.task() + " reads " + piece.what() + ", " + piece.source())
                            .collect(Collectors.joining("; "))
                    + ". RULER's download_qa_dataset.sh has their addresses; give each file with --from FILE or --from"
                    + " ADDRESS. Its other tasks need no files");
        }
        return new DataJob(suite.folder(), dataset, suite.pieces(), List.of());
    }

    /// Creates the job for any files of a dataset, under their own names without folders.
    ///
    /// @throws IllegalArgumentException if two files have the same name
    static DataJob files(String dataset, List<String> files, String folder) {
        Set<String> names = new HashSet<>();
        for (String file : files) {
            if (!names.add(PublishedSuite.base(file))) {
                throw new IllegalArgumentException(
                        "--files has two files named " + PublishedSuite.base(file) + "; pull them into two folders");
            }
        }
        List<PublishedSuite.Piece> pieces = files.stream()
                .map(file -> new PublishedSuite.Piece("", file, null, PublishedSuite.base(file), ""))
                .toList();
        return new DataJob(folder, dataset, pieces, List.of());
    }

    /// Names of the files in the repository, each once.
    List<String> sources() {
        return pieces.stream().map(PublishedSuite.Piece::source).distinct().toList();
    }

    /// Fetches the files and returns their folder.
    Path run(Hub hub, String revision, Path dataFolder, PullListener listener) throws InterruptedException {
        Path place = dataFolder.resolve(folder);
        var placer = new DataPlacer(place, listener);
        try {
            if (dataset != null) {
                Path snapshot = hub.pullDataset(dataset, revision, sources(), listener);
                for (String source : sources()) {
                    place(placer, snapshot.resolve(source), piecesOf(source), false);
                }
            }
            for (GivenFile file : given) {
                bring(placer, file, place, hub, listener);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return place;
    }

    private List<PublishedSuite.Piece> piecesOf(String source) {
        return pieces.stream().filter(piece -> piece.source().equals(source)).toList();
    }

    private static void bring(DataPlacer placer, GivenFile file, Path place, Hub hub, PullListener listener)
            throws IOException, InterruptedException {
        URI address = file.address();
        if (address == null) {
            if (!Files.isRegularFile(file.path())) {
                throw new CheckpointException("--from " + file.place() + ": no such file");
            }
            place(placer, file.path(), file.pieces(), true);
            return;
        }
        // Not under the name that the suite reads, because the contents are not checked yet.
        Path download = place.resolve("." + file.name() + ".download");
        try {
            hub.download(address, download, listener);
            place(placer, download, file.pieces(), true);
        } finally {
            Files.deleteIfExists(download);
        }
    }

    private static void place(DataPlacer placer, Path source, List<PublishedSuite.Piece> pieces, boolean isOwn)
            throws IOException {
        Map<String, String> entries = new LinkedHashMap<>();
        for (PublishedSuite.Piece piece : pieces) {
            if (piece.entry() != null) {
                entries.put(piece.entry(), piece.target());
            }
        }
        if (!entries.isEmpty()) {
            placer.extract(source, entries);
        } else if (isOwn) {
            placer.copy(source, pieces.getFirst().target());
        } else {
            placer.link(source, pieces.getFirst().target());
        }
    }
}
