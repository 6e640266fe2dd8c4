package io.shadowkv.checkpoint;

import io.shadowkv.text.JsonTree;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;

/// Reads untrusted JSON: strict UTF-8, limited in size and depth; every failure is a
/// [CheckpointException].
public final class Json {
    /// Maximum size of a document that is read as a tree; the largest published index file has
    /// about 10 MB.
    public static final long MAX_BYTES = 64L << 20;

    private static final int MAX_DEPTH = 64;

    /// NaN and Infinity are accepted because Python writes them; accessors reject them where a
    /// number must be finite.
    private static final JsonFactory TREES = JsonFactory.builder()
            .streamReadConstraints(limits(MAX_BYTES))
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    private static final JsonFactory STREAMS = JsonFactory.builder()
            .streamReadConstraints(limits(Long.MAX_VALUE))
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private Json() {}

    private static StreamReadConstraints limits(long bytes) {
        return StreamReadConstraints.builder()
                .maxNestingDepth(MAX_DEPTH)
                .maxDocumentLength(bytes)
                .maxNumberLength(200)
                .maxNameLength(50_000)
                .build();
    }

    /// Reads the object that is the whole content of `file`.
    ///
    /// @throws CheckpointException if the file is unreadable, larger than [#MAX_BYTES] or not one JSON object
    public static JsonNode object(Path file) {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes((int) MAX_BYTES + 1);
        } catch (IOException e) {
            throw CheckpointException.io("read " + file, e);
        }
        String source = String.valueOf(file.getFileName());
        FileKind.refuseOther(source, bytes);
        return object(source, bytes);
    }

    /// Reads the object in `bytes`; `source` names it in messages.
    public static JsonNode object(String source, byte[] bytes) {
        if (bytes.length > MAX_BYTES) {
            throw new CheckpointException(
                    source + ": more than " + MAX_BYTES + " bytes of JSON; that is not a file of a checkpoint");
        }
        try {
            JsonNode root = JsonTree.read(TREES, text(source, bytes));
            if (!root.isObject()) {
                throw new CheckpointException(source + ": expected a JSON object, found " + describe(root));
            }
            return root;
        } catch (JacksonException e) {
            throw malformed(source, e);
        }
    }

    /// The text of `bytes`, without the byte order mark that some editors write.
    private static String text(String source, byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new CheckpointException(
                    source
                            + ": is not UTF-8 text, which a checkpoint's JSON is. Fetch the file again, or save it as UTF-8",
                    e);
        }
    }

    /// A parser that rejects duplicate keys, for headers that are too large for a tree.
    static JsonParser stream(byte[] bytes) {
        return STREAMS.createParser(ObjectReadContext.empty(), utf8(bytes));
    }

    static CheckpointException malformed(String source, JacksonException cause) {
        TokenStreamLocation at = cause.getLocation();
        String where =
                at == null || at.getLineNr() < 0 ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
        return new CheckpointException(
                source + ": not valid JSON" + where + ": " + shorten(String.valueOf(cause.getOriginalMessage()))
                        + ". The file is damaged or cut; fetch it again",
                cause);
    }

    /// The kind of value that `node` is, with the value if it is short.
    public static String describe(JsonNode node) {
        if (node.isObject()) {
            return "an object of " + node.size() + " entries";
        }
        if (node.isArray()) {
            return "an array of " + node.size() + " elements";
        }
        return node.isMissingNode() ? "nothing" : shorten(JsonTree.text(node));
    }

    public static String shorten(String text) {
        return text.length() <= 160 ? text : text.substring(0, 160) + "…";
    }

    /// Decodes strictly, because a byte parser would guess UTF-16 and UTF-32 and accept some
    /// malformed UTF-8.
    private static Reader utf8(byte[] bytes) {
        return new InputStreamReader(
                new ByteArrayInputStream(bytes),
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT));
    }
}
