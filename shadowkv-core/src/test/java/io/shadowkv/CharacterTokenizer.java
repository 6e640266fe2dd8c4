package io.shadowkv;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// A `tokenizer.json` with one token for each printable ASCII character, two tokens that are halves of `é`, and
/// one special token: every longer string crosses token borders, and characters come in pieces.
public final class CharacterTokenizer {
    /// First byte of `é`.
    public static final int HALF = 95;
    /// Its second byte.
    public static final int OTHER_HALF = 96;
    /// `<end>`, special.
    public static final int END = 97;
    public static final int VOCABULARY = 98;

    private CharacterTokenizer() {}

    /// Ids of ASCII text: `!` is 0, the others follow, a space is 94.
    public static int[] ids(String text) {
        return text.chars().map(c -> c == ' ' ? 94 : c - '!').toArray();
    }

    static void write(Path folder) throws IOException {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("version", "1.0");
        ObjectNode added = root.putArray("added_tokens").addObject();
        added.put("id", END).put("content", "<end>").put("special", true).put("normalized", false);
        added.put("single_word", false).put("lstrip", false).put("rstrip", false);
        byteLevel(root.putObject("pre_tokenizer"));
        byteLevel(root.putObject("decoder"));
        ObjectNode model = root.putObject("model").put("type", "BPE");
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < 94; id++) {
            vocabulary.put(Character.toString((char) ('!' + id)), id);
        }
        // The byte-level alphabet's letters for the bytes 0x20, 0xC3 and 0xA9.
        vocabulary.put("\u0120", 94).put("\u00c3", HALF).put("\u00a9", OTHER_HALF);
        model.putArray("merges");
        Files.writeString(folder.resolve("tokenizer.json"), root.toString());
    }

    private static void byteLevel(ObjectNode node) {
        node.put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false);
    }
}
