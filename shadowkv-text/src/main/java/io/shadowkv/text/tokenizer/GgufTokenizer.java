package io.shadowkv.text.tokenizer;

import io.shadowkv.text.Json;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerConfig;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.gguf.GgufException;
import io.shadowkv.text.gguf.GgufHeader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Makes the tokenizer that a GGUF file's metadata describes: byte-level BPE (`gpt2`) or
/// SentencePiece BPE (`llama`). Both become a `tokenizer.json`.
final class GgufTokenizer {
    private static final String KEYS = "tokenizer.ggml.";
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int BYTE = 6;

    private final GgufHeader header;
    private final List<String> tokens;
    private final List<Number> types;

    private GgufTokenizer(GgufHeader header) {
        this.header = header;
        tokens = header.strings(KEYS + "tokens").orElseThrow(() -> header.wrong(KEYS + "tokens", "an array of tokens"));
        types = header.numbers(KEYS + "token_type").orElse(List.of());
        if (!types.isEmpty() && types.size() != tokens.size()) {
            throw header.wrong(KEYS + "token_type", tokens.size() + " numbers, one for each token");
        }
        Map<String, Integer> places = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            Integer earlier = places.put(tokens.get(id), id);
            if (earlier != null) {
                throw header.wrong(
                        KEYS + "tokens", "every token once; \"" + tokens.get(id) + "\" is " + earlier + " and " + id);
            }
        }
    }

    /// @throws TokenizerException if the file has no tokenizer or one of an unknown kind
    static Tokenizer open(Path file) {
        try {
            return of(GgufHeader.read(file));
        } catch (GgufException e) {
            throw new TokenizerException(String.valueOf(e.getMessage()), e);
        }
    }

    /// The tokenizer of a file whose header was read; the file is not read again.
    ///
    /// @throws TokenizerException as [#open]
    static Tokenizer of(GgufHeader header) {
        try {
            var tokenizer = new GgufTokenizer(header);
            TokenizerConfig config = TokenizerConfig.of(header);
            String model = tokenizer
                    .header
                    .string(KEYS + "model")
                    .orElseThrow(() -> tokenizer.header.wrong(KEYS + "model", "gpt2 or llama"));
            return switch (model) {
                case "gpt2" -> tokenizer.bytePairs(config);
                case "llama" -> tokenizer.pieces(config);
                default ->
                    throw tokenizer.header.wrong(
                            KEYS + "model", "gpt2 or llama. Take the model's safetensors version, with its tokenizer");
            };
        } catch (GgufException e) {
            throw new TokenizerException(String.valueOf(e.getMessage()), e);
        }
    }

    private int type(int id) {
        return types.isEmpty() ? 1 : types.get(id).intValue();
    }

    private Tokenizer bytePairs(TokenizerConfig config) {
        String name = header.string(KEYS + "pre").orElse("");
        GgufPreTokenizer splitting = GgufPreTokenizer.named(name)
                .orElseThrow(() -> header.wrong(
                        KEYS + "pre",
                        "one of " + GgufPreTokenizer.knownNames()
                                + ". Another name splits texts in another way, so that tokens would be wrong; take the"
                                + " model's safetensors version, with its tokenizer.json"));
        ObjectNode root = Json.object();
        root.put("version", "1.0").putNull("truncation").putNull("padding");
        root.set("added_tokens", addedTokens());
        ObjectNode normalizer = splitting.normalizer();
        root.set("normalizer", normalizer == null ? root.nullNode() : normalizer);
        root.putObject("pre_tokenizer").put("type", "Sequence").set("pretokenizers", splitting.steps());
        root.putNull("post_processor");
        root.putObject("decoder")
                .put("type", "ByteLevel")
                .put("add_prefix_space", true)
                .put("trim_offsets", true)
                .put("use_regex", true);
        root.set("model", bpe(splitting.ignoresMerges()));
        if (!header.has(KEYS + "add_bos_token")) {
            config.root().put("add_bos_token", splitting.addsBegin());
        }
        return JsonTokenizer.of(Json.text(root), header.source(), config);
    }

    private ArrayNode addedTokens() {
        ArrayNode added = Json.object().arrayNode();
        for (int id = 0; id < tokens.size(); id++) {
            int type = type(id);
            if (type == CONTROL || type == USER_DEFINED || type == UNKNOWN) {
                added.addObject()
                        .put("id", id)
                        .put("content", tokens.get(id))
                        .put("single_word", false)
                        .put("lstrip", false)
                        .put("rstrip", false)
                        .put("normalized", false)
                        .put("special", type != USER_DEFINED);
            }
        }
        return added;
    }

    private ObjectNode bpe(boolean ignoresMerges) {
        List<String> merges =
                header.strings(KEYS + "merges").orElseThrow(() -> header.wrong(KEYS + "merges", "an array of merges"));
        ObjectNode bpe = Json.object().put("type", "BPE").putNull("dropout").putNull("unk_token");
        bpe.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", ignoresMerges);
        ObjectNode vocabulary = bpe.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        ArrayNode pairs = bpe.putArray("merges");
        for (String merge : merges) {
            int blank = merge.indexOf(' ', 1);
            if (blank < 0) {
                throw header.wrong(
                        KEYS + "merges", "two tokens and a blank between them in each; found \"" + merge + "\"");
            }
            pairs.addArray().add(merge.substring(0, blank)).add(merge.substring(blank + 1));
        }
        return bpe;
    }

    private Tokenizer pieces(TokenizerConfig config) {
        List<Number> scores =
                header.numbers(KEYS + "scores").orElseThrow(() -> header.wrong(KEYS + "scores", "an array of numbers"));
        if (scores.size() != tokens.size()) {
            throw header.wrong(KEYS + "scores", tokens.size() + " numbers, one for each token");
        }
        List<SentencePieceModel.Piece> pieces = new ArrayList<>();
        boolean hasBytes = false;
        for (int id = 0; id < tokens.size(); id++) {
            pieces.add(
                    new SentencePieceModel.Piece(tokens.get(id), scores.get(id).floatValue(), type(id)));
            hasBytes |= type(id) == BYTE;
        }
        boolean isPrefixed = header.bool(KEYS + "add_space_prefix").orElse(true);
        var model = new SentencePieceModel(header.file(), pieces, 2, hasBytes, "identity", isPrefixed, false);
        String json =
                new SentencePieceConverter(model, config, "take the model's safetensors version").json(header.file());
        return JsonTokenizer.of(json, header.source(), config);
    }
}
