package io.shadowkv.text.tokenizer;

import io.shadowkv.text.Json;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// How a byte-level BPE tokenizer splits a text before it merges. A GGUF file gives only a name
/// (`tokenizer.ggml.pre`). Each name here has the normalizer, pattern and `ignore_merges` of the
/// model's own `tokenizer.json`. Other names are refused: another split gives other tokens.
enum GgufPreTokenizer {
    LLAMA3(List.of("llama-bpe", "llama3", "llama-v3"), true, true) {
        @Override
        ArrayNode steps() {
            return split(CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}" + REST);
        }
    },
    QWEN2(List.of("qwen2", "deepseek-r1-qwen"), false, false) {
        @Override
        ArrayNode steps() {
            return split(CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" + REST);
        }

        @Override
        ObjectNode normalizer() {
            return Json.object().put("type", "NFC");
        }
    },
    /// Mistral Nemo and later models of Mistral.
    TEKKEN(List.of("tekken"), true, true) {
        @Override
        ArrayNode steps() {
            return split("[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
                    + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
                    + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");
        }
    },
    GPT2(List.of("gpt-2"), false, false) {
        @Override
        ArrayNode steps() {
            return byteLevel(Json.object().arrayNode(), true);
        }
    },
    /// GPT-2's split, with each digit apart.
    DIGITS(List.of("smollm", "refact", "starcoder", "command-r"), false, false) {
        @Override
        ArrayNode steps() {
            ArrayNode steps = Json.object().arrayNode();
            steps.addObject().put("type", "Digits").put("individual_digits", true);
            return byteLevel(steps, true);
        }
    };

    private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private static final String REST = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private final List<String> names;
    private final boolean ignoresMerges;
    private final boolean addsBegin;

    /// @param names values of `tokenizer.ggml.pre`
    /// @param ignoresMerges true if a split that is a token needs no merges
    /// @param addsBegin true if texts begin with the begin token where the file does not say
    GgufPreTokenizer(List<String> names, boolean ignoresMerges, boolean addsBegin) {
        this.names = names;
        this.ignoresMerges = ignoresMerges;
        this.addsBegin = addsBegin;
    }

    static Optional<GgufPreTokenizer> named(String name) {
        return Arrays.stream(values())
                .filter(known -> known.names.contains(name))
                .findFirst();
    }

    static String knownNames() {
        return Arrays.stream(values()).flatMap(known -> known.names.stream()).collect(Collectors.joining(", "));
    }

    boolean ignoresMerges() {
        return ignoresMerges;
    }

    boolean addsBegin() {
        return addsBegin;
    }

    /// The steps of the `pre_tokenizer`.
    abstract ArrayNode steps();

    /// The `normalizer`, or null.
    @org.jspecify.annotations.Nullable
    ObjectNode normalizer() {
        return null;
    }

    private static ArrayNode split(String pattern) {
        ArrayNode steps = Json.object().arrayNode();
        steps.addObject()
                .put("type", "Split")
                .put("behavior", "Isolated")
                .put("invert", false)
                .putObject("pattern")
                .put("Regex", pattern);
        return byteLevel(steps, false);
    }

    private static ArrayNode byteLevel(ArrayNode steps, boolean splits) {
        steps.addObject()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", splits);
        return steps;
    }
}
