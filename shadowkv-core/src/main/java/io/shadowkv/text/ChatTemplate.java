package io.shadowkv.text;
import java.nio.file.Path;
import java.util.List;
public final class ChatTemplate {
    public static ChatTemplate open(Path folder) { return new ChatTemplate(); }
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt) { return ""; }
}
