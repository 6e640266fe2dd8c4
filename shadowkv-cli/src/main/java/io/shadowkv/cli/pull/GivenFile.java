package io.shadowkv.cli.pull;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A published file that the user has, or whose address the user gives: a value of `--from`.
///
/// @param place a path or an http address, as given
/// @param name the file's published name, or the name that the suite reads
/// @param pieces the parts of the suite that the file contains
record GivenFile(String place, String name, List<PublishedSuite.Piece> pieces) {
    /// Parses `PLACE` whose last name is a file of the suite, or `NAME=PLACE`.
    ///
    /// @throws IllegalArgumentException if it is not a file of the suite
    static GivenFile of(String value, PublishedSuite suite) {
        int equals = value.indexOf('=');
        // An address may contain an equals sign, so only a known name counts.
        Optional<GivenFile> named =
                equals < 0 ? Optional.empty() : of(value.substring(equals + 1), value.substring(0, equals), suite);
        return named.or(() -> of(value, lastName(value), suite))
                .orElseThrow(() -> new IllegalArgumentException("--from " + value + ": which of " + suite.name()
                        + "'s files is it? They are " + names(suite) + "; write --from NAME=" + value));
    }

    private static Optional<GivenFile> of(String place, String name, PublishedSuite suite) {
        List<PublishedSuite.Piece> read = suite.pieces().stream()
                .filter(piece -> piece.target().equals(name))
                .map(piece -> new PublishedSuite.Piece(piece.task(), name, null, name, ""))
                .distinct()
                .limit(1)
                .toList();
        List<PublishedSuite.Piece> published = suite.pieces().stream()
                .filter(piece -> PublishedSuite.base(piece.source()).equals(name))
                .toList();
        List<PublishedSuite.Piece> meant = read.isEmpty() ? published : read;
        return meant.isEmpty() ? Optional.empty() : Optional.of(new GivenFile(place, name, meant));
    }

    private static String names(PublishedSuite suite) {
        return suite.pieces().stream()
                .map(piece -> PublishedSuite.base(piece.source()))
                .distinct()
                .collect(Collectors.joining(", "));
    }

    private static String lastName(String place) {
        URI address = address(place);
        return address != null
                ? PublishedSuite.base(String.valueOf(address.getPath()))
                : PublishedSuite.base(place.replace('\\', '/'));
    }

    /// The place as an address, if it is one.
    @Nullable
    URI address() {
        return address(place);
    }

    Path path() {
        return Path.of(place);
    }

    private static @Nullable URI address(String place) {
        return place.matches("(?i)https?://.*") ? URI.create(place) : null;
    }
}
