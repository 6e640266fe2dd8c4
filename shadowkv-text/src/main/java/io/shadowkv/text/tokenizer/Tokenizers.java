package io.shadowkv.text.tokenizer;

import io.shadowkv.text.TextFile;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerConfig;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.gguf.GgufHeader;
import java.nio.file.Files;
import java.nio.file.Path;

/// Finds the tokenizer files in a checkpoint folder and opens them according to their format.
public final class Tokenizers {
    private static final String CONVERT = "convert it once with Python: AutoTokenizer.from_pretrained(FOLDER)"
            + ".save_pretrained(FOLDER) of the transformers library writes a tokenizer.json";

    private Tokenizers() {}

    /// Opens the tokenizer of a GGUF file, or of a checkpoint folder: `tokenizer.json` if it exists, otherwise the
    /// original `tokenizer.model` (ranked byte pairs as in GLM-4, or SentencePiece BPE as in Yi and
    /// Llama-2), together with `tokenizer_config.json` and the other small files.
    ///
    /// @throws TokenizerException if neither file exists, or one is malformed or of an unsupported
    ///     kind
    public static Tokenizer open(Path folder) {
        if (GgufHeader.isGguf(folder)) {
            return GgufTokenizer.open(folder);
        }
        Path json = folder.resolve("tokenizer.json");
        if (Files.isRegularFile(json)) {
            return JsonTokenizer.of(TextFile.utf8(json), json, TokenizerConfig.read(folder));
        }
        Path model = folder.resolve("tokenizer.model");
        if (!Files.isRegularFile(model)) {
            throw new TokenizerException(
                    folder + ": has neither tokenizer.json nor tokenizer.model. Download one of them"
                            + " into the folder; if the model has a tokenizer of another kind, " + CONVERT);
        }
        byte[] bytes = TextFile.bytes(model);
        TokenizerConfig config = TokenizerConfig.read(folder);
        if (RankFile.isRankFile(bytes)) {
            return RankTokenizer.of(RankFile.read(bytes, model), config);
        }
        SentencePieceModel pieces = SentencePieceModel.read(bytes, model);
        return JsonTokenizer.of(new SentencePieceConverter(pieces, config, CONVERT).json(model), model, config);
    }
}
