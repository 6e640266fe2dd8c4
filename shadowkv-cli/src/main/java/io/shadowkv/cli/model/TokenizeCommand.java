package io.shadowkv.cli.model;

import io.shadowkv.cli.process.PastedTemplate;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.TextSource;
import io.shadowkv.cli.process.UserFile;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.chat.ChatMessage;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `tokenize`: converts text to token ids and back, with a model's tokenizer and chat template.
@Command(
        name = "tokenize",
        description = "Shows a text's tokens, or the text of token ids.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv tokenize needle-32k \"The needle is here.\"",
            "  shadowkv tokenize ./model --file book.txt --ids > ids.json",
            "  shadowkv tokenize ./model --decode 1,15,7",
            "  shadowkv tokenize ./model --chat messages.json   ([{\"role\": \"user\", \"content\": \"Hello\"}])"
        })
public final class TokenizeCommand implements Callable<Integer> {
    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model.")
    private String model;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "TEXT",
            description = "The text. Default: --file or standard input.")
    private @Nullable String text;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "Read the text from FILE; - is standard input.")
    private @Nullable Path file;

    @Option(names = "--ids", description = "Print only a JSON array of ids, as input for `logits --ids`.")
    private boolean idsOnly;

    @Option(names = "--decode", paramLabel = "IDS", description = "Print the text of these ids, such as 1,15,7.")
    private @Nullable String decode;

    @Option(
            names = "--chat",
            paramLabel = "FILE.json",
            description = "Tokenize a conversation through the chat template.")
    private @Nullable Path chat;

    @Option(names = "--no-special", description = "Do not add or show special tokens.")
    private boolean noSpecial;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private TokenizeCommand() {}

    @Override
    public Integer call() throws IOException {
        boolean hasText = text != null || file != null;
        if ((decode != null ? 1 : 0) + (chat != null ? 1 : 0) + (hasText ? 1 : 0) > 1) {
            throw new ParameterException(spec.commandLine(), "only one of a text, --decode and --chat can be given");
        }
        Path folder = root.models().resolve(model);
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            if (decode != null) {
                decode(tokenizer, TokenIds.parse(decode));
            } else if (chat != null) {
                ChatTemplate template = ChatTemplate.open(folder)
                        .orElseThrow(() -> new IllegalArgumentException(
                                model + ": the model has no chat template; tokenize the text itself"));
                MarkedText prompt = template.prompt(messages(chat), true, tokenizer.specialTokens());
                print(tokenizer, prompt.text(), tokenizer.encode(prompt));
            } else {
                String source = TextSource.read(spec, text, file, root.surroundings());
                if (!noSpecial) {
                    PastedTemplate.noteRaw(source, tokenizer, spec.commandLine().getErr());
                }
                print(tokenizer, source, tokenizer.encode(source, !noSpecial));
            }
        }
        return 0;
    }

    private void decode(Tokenizer tokenizer, int[] ids) {
        TokenIds.check(ids, tokenizer.vocabularySize(), "--decode");
        String decoded = tokenizer.decode(ids, noSpecial);
        if (json) {
            print(tokenizer, decoded, ids);
            return;
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(decoded);
        out.flush();
    }

    private void print(Tokenizer tokenizer, String source, int[] ids) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            ObjectNode object = JsonMapper.shared().createObjectNode();
            object.put("text", source);
            var idArray = object.putArray("ids");
            var tokenArray = object.putArray("tokens");
            for (int id : ids) {
                idArray.add(id);
                tokenArray.add(tokenizer.token(id));
            }
            out.println(object);
        } else if (idsOnly) {
            out.println(Arrays.toString(ids));
        } else {
            for (int id : ids) {
                String piece = tokenizer.decode(new int[] {id}, false);
                out.printf(
                        "%8d  %-24s %s%n",
                        id, tokenizer.token(id), JsonMapper.shared().writeValueAsString(piece));
            }
        }
        out.flush();
    }

    private static List<ChatMessage> messages(Path source) throws IOException {
        List<Map<String, @Nullable Object>> objects;
        try {
            objects = JsonMapper.shared().readValue(UserFile.bytes(source), new TypeReference<>() {});
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    source + ": " + e.getOriginalMessage()
                            + "; expected a JSON array of messages such as [{\"role\": \"user\", \"content\": \"Hello\"}]",
                    e);
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (Map<String, @Nullable Object> object : objects) {
            messages.add(ChatMessage.of(object));
        }
        return messages;
    }
}
