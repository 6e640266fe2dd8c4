package io.shadowkv.cli.run;

import io.shadowkv.engine.Completion;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.chat.ChatMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The messages of a chat, and the token ids that each new turn adds to those the model has read
/// and written.
///
/// A chat template renders whole conversations. A turn adds the difference between the rendered
/// conversation with it and the text that the model already has: the end of the model's own answer
/// (such as `<|eot_id|>`) and the new message.
final class ChatTurns {
    private final Engine engine;
    private final List<ChatMessage> messages = new ArrayList<>();
    private int answered;
    private int lastId = -1;

    ChatTurns(Engine engine, @Nullable String system) {
        this.engine = engine;
        if (system != null) {
            messages.add(new ChatMessage("system", system));
        }
    }

    /// Adds a message of the user. Returns the ids that follow those the model has, or nothing if
    /// the template changes earlier turns (some templates remove earlier reasoning); the whole
    /// conversation must then be read again.
    Optional<int[]> ask(String text) {
        int before = answered;
        messages.add(new ChatMessage("user", text));
        if (before == 0) {
            return Optional.of(whole());
        }
        String held = engine.chatTemplate().render(messages.subList(0, before - 1), true) + answer(before);
        MarkedText all =
                engine.chatTemplate().prompt(messages, true, engine.tokenizer().specialTokens());
        return Optional.of(all)
                .filter(whole -> whole.text().startsWith(held))
                .map(whole -> withoutLast(engine.tokenizer().encode(whole.from(held.length()))));
    }

    /// Ids of the whole conversation.
    int[] whole() {
        return engine.encodeChat(messages);
    }

    /// Adds the model's answer.
    void answered(Completion completion) {
        messages.add(new ChatMessage("assistant", completion.text()));
        answered = messages.size();
        int[] ids = completion.ids();
        boolean isSpecial = ids.length > 0 && engine.tokenizer().isSpecial(ids[ids.length - 1]);
        boolean endsItself = completion.finish() == Completion.FinishReason.END_OF_SEQUENCE && ids.length > 0;
        // An answer that ends with a stop string for the end of a turn contains its ids too.
        lastId = endsItself || isSpecial ? ids[ids.length - 1] : -1;
    }

    /// Removes the last question, which could not be answered.
    void withdraw() {
        messages.removeLast();
    }

    private String answer(int count) {
        return String.valueOf(messages.get(count - 1).content());
    }

    /// Removes an end-of-turn token that the model wrote itself, because the template writes it
    /// again.
    private int[] withoutLast(int[] ids) {
        return ids.length > 0 && ids[0] == lastId ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }
}
