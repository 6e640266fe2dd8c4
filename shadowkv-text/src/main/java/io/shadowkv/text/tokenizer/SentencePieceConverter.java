package io.shadowkv.text.tokenizer;

import io.shadowkv.text.Json;
import io.shadowkv.text.TokenizerConfig;
import io.shadowkv.text.TokenizerException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Converts a SentencePiece BPE model to the `tokenizer.json` that the transformers library would
/// create (`convert_slow_tokenizer.py`, LlamaConverter). Other models are refused, with
/// instructions to convert them.
final class SentencePieceConverter {
    private static final int BPE = 2;
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;

    private final SentencePieceModel model;
    private final TokenizerConfig config;
    private final String otherWay;
    private final Map<String, Integer> ids = new HashMap<>();

    /// @param otherWay instructions for a model that cannot be converted here, for messages
    SentencePieceConverter(SentencePieceModel model, TokenizerConfig config, String otherWay) {
        this.model = model;
        this.config = config;
        this.otherWay = otherWay;
        for (int id = 0; id < model.pieces().size(); id++) {
            ids.putIfAbsent(model.pieces().get(id).text(), id);
        }
    }

    /// @param file for messages
    /// @throws TokenizerException if the model is not BPE with byte fallback, or normalizes the
    ///     text before splitting it
    String json(Path file) {
        refuseIf(
                model.modelType() != BPE,
                file,
                "its model type is " + model.modelType() + "; only BPE (2) is supported");
        refuseIf(!model.byteFallback(), file, "it has no byte fallback");
        refuseIf(
                !model.normalizer().equals("identity"),
                file,
                "its normalizer is \"" + model.normalizer() + "\"; only \"identity\" is supported");
        refuseIf(model.removeExtraWhitespaces(), file, "it removes extra blanks");
        ObjectNode root = Json.object();
        root.put("version", "1.0").putNull("truncation").putNull("padding");
        root.set("added_tokens", addedTokens());
        boolean isLegacy = config.flag("legacy", true);
        boolean isPrefixed = config.flag("add_prefix_space", model.addDummyPrefix());
        root.set("normalizer", isLegacy ? normalizer(isPrefixed) : root.nullNode());
        root.set("pre_tokenizer", isLegacy ? root.nullNode() : metaspace(isPrefixed));
        root.set("post_processor", postProcessor());
        root.set("decoder", decoder(isPrefixed));
        root.set("model", bpe());
        return Json.text(root);
    }

    private void refuseIf(boolean isRefused, Path file, String reason) {
        if (isRefused) {
            throw new TokenizerException(
                    file + ": this SentencePiece model cannot be read directly: " + reason + ". Instead, " + otherWay);
        }
    }

    /// The tokens of the config, or the model's own control and user-defined pieces.
    private ArrayNode addedTokens() {
        ArrayNode tokens = Json.object().arrayNode();
        Set<Integer> seen = new HashSet<>();
        List<ObjectNode> found = new ArrayList<>();
        for (TokenizerConfig.AddedToken token : config.addedTokens()) {
            seen.add(token.id());
            found.add(addedToken(token.id(), token.content(), token.isSpecial())
                    .put("lstrip", token.json().path("lstrip").asBoolean(false))
                    .put("rstrip", token.json().path("rstrip").asBoolean(false))
                    .put("single_word", token.json().path("single_word").asBoolean(false))
                    .put("normalized", token.json().path("normalized").asBoolean(false)));
        }
        for (int id = 0; id < model.pieces().size(); id++) {
            SentencePieceModel.Piece piece = model.pieces().get(id);
            boolean isSpecial = piece.type() == CONTROL || piece.type() == UNKNOWN;
            if ((isSpecial || piece.type() == USER_DEFINED) && seen.add(id)) {
                found.add(addedToken(id, piece.text(), isSpecial));
            }
        }
        found.sort(Comparator.comparingInt(token -> token.path("id").asInt()));
        tokens.addAll(found);
        return tokens;
    }

    private static ObjectNode addedToken(int id, String content, boolean isSpecial) {
        return Json.object()
                .put("id", id)
                .put("content", content)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", isSpecial);
    }

    private static ObjectNode normalizer(boolean isPrefixed) {
        ObjectNode normalizer = Json.object().put("type", "Sequence");
        ArrayNode steps = normalizer.putArray("normalizers");
        if (isPrefixed) {
            steps.addObject().put("type", "Prepend").put("prepend", "▁");
        }
        steps.addObject()
                .put("type", "Replace")
                .put("content", "▁")
                .putObject("pattern")
                .put("String", " ");
        return normalizer;
    }

    private static ObjectNode metaspace(boolean isPrefixed) {
        return Json.object()
                .put("type", "Metaspace")
                .put("replacement", "▁")
                .put("prepend_scheme", isPrefixed ? "first" : "never")
                .put("split", false);
    }

    private ObjectNode postProcessor() {
        return TemplateProcessing.of(
                end(config.flag("add_bos_token", true), "bos_token"),
                end(config.flag("add_eos_token", false), "eos_token"));
    }

    private List<TemplateProcessing.Token> end(boolean isAdded, String role) {
        String token = config.special(role).orElse(role.equals("bos_token") ? "<s>" : "</s>");
        Integer id = ids.get(token);
        for (TokenizerConfig.AddedToken added : config.addedTokens()) {
            id = added.content().equals(token) ? Integer.valueOf(added.id()) : id;
        }
        return isAdded && id != null ? List.of(new TemplateProcessing.Token(token, id)) : List.of();
    }

    private static ObjectNode decoder(boolean isPrefixed) {
        ObjectNode decoder = Json.object().put("type", "Sequence");
        ArrayNode steps = decoder.putArray("decoders");
        steps.addObject()
                .put("type", "Replace")
                .put("content", " ")
                .putObject("pattern")
                .put("String", "▁");
        steps.addObject().put("type", "ByteFallback");
        steps.addObject().put("type", "Fuse");
        if (isPrefixed) {
            steps.addObject()
                    .put("type", "Strip")
                    .put("content", " ")
                    .put("start", 1)
                    .put("stop", 0);
        }
        return decoder;
    }

    private ObjectNode bpe() {
        ObjectNode bpe = Json.object().put("type", "BPE").putNull("dropout");
        String unknown = model.pieces().stream()
                .filter(piece -> piece.type() == UNKNOWN)
                .map(SentencePieceModel.Piece::text)
                .findFirst()
                .orElse("<unk>");
        bpe.put("unk_token", unknown).put("fuse_unk", true).put("byte_fallback", true);
        bpe.put("ignore_merges", false);
        ObjectNode vocabulary = bpe.putObject("vocab");
        for (int id = 0; id < model.pieces().size(); id++) {
            vocabulary.put(model.pieces().get(id).text(), id);
        }
        ArrayNode merges = bpe.putArray("merges");
        for (Merge merge : merges()) {
            merges.addArray().add(merge.left()).add(merge.right());
        }
        return bpe;
    }

    /// True if merges can produce the piece; control, byte and user-defined pieces are never
    /// merged.
    private boolean isMerged(int id) {
        int type = model.pieces().get(id).type();
        return type == NORMAL || type == UNUSED;
    }

    private record Merge(String left, String right, float score, int leftId, int rightId, int id) {
        private int leftLength() {
            return left.codePointCount(0, left.length());
        }

        private int rightLength() {
            return right.codePointCount(0, right.length());
        }
    }

    /// All ways to merge two pieces into another, best score first; for equal scores, longest
    /// first, then in the order of the vocabulary.
    private List<Merge> merges() {
        List<Merge> merges = new ArrayList<>();
        for (int id = 0; id < model.pieces().size(); id++) {
            SentencePieceModel.Piece piece = model.pieces().get(id);
            String text = piece.text();
            for (int cut = 1; cut < text.length(); cut++) {
                Integer left = ids.get(text.substring(0, cut));
                Integer right = ids.get(text.substring(cut));
                if (left != null && right != null && isMerged(id) && isMerged(left) && isMerged(right)) {
                    merges.add(new Merge(text.substring(0, cut), text.substring(cut), piece.score(), left, right, id));
                }
            }
        }
        merges.sort(Comparator.comparingDouble((Merge merge) -> -merge.score())
                .thenComparing(Comparator.comparingInt(Merge::leftLength).reversed())
                .thenComparing(Comparator.comparingInt(Merge::rightLength).reversed())
                .thenComparingInt(Merge::id)
                .thenComparingInt(Merge::leftId)
                .thenComparingInt(Merge::rightId));
        return merges;
    }
}
