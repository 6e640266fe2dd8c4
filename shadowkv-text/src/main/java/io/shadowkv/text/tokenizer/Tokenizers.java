package io.shadowkv.text.tokenizer;

import io.shadowkv.text.TextFile;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerConfig;
import io.shadowkv.text.TokenizerException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Finds the tokenizer's files in a checkpoint folder and opens them as what they are.
public final class Tokenizers {
    private static final String CONVERT = "convert it once with Python: AutoTokenizer.from_pretrained(FOLDER)"
            + ".save_pretrained(FOLDER) of the transformers library writes a tokenizer.json";

    private Tokenizers() {}

    /// Opens the tokenizer of a checkpoint folder: `tokenizer.json` where there is one, else the original
    /// `tokenizer.model` (ranked byte pairs as GLM-4 ships them, or SentencePiece BPE as Yi and Llama-2 ship
    /// them), with what `tokenizer_config.json` and the other small files add to it.
    ///
    /// @throws TokenizerException if neither file is there, or one is malformed or of another kind
    public static Tokenizer open(Path folder) {
        Path json = folder.resolve("tokenizer.json");
        if (Files.isRegularFile(json)) {
            return JsonTokenizer.of(TextFile.utf8(json), json, TokenizerConfig.read(folder));
        }
        Path model = folder.resolve("tokenizer.model");
        if (!Files.isRegularFile(model)) {
            throw new TokenizerException(folder + ": has neither tokenizer.json nor tokenizer.model. Fetch one of them"
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
