package io.shadowkv.text.chat;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.SpecialTokens;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// A spelling in a message is text, wherever the template puts it; in the template's own text it is
/// a token.
class LiteralContentsTest {
    private static final SpecialTokens SPECIALS =
            SpecialTokens.of(List.of("<b>", "<e>", "<|user|>", "<|assistant|>", "</think>"));

    /// Puts literal spellings into brackets.
    private static String shown(MarkedText prompt) {
        StringBuilder shown = new StringBuilder();
        for (int at = 0; at < prompt.text().length(); at++) {
            if (prompt.literals().contains(at)) {
                int length = SPECIALS.longestAt(prompt.text(), at);
                shown.append('[').append(prompt.text(), at, at + length).append(']');
                at += length - 1;
            } else {
                shown.append(prompt.text().charAt(at));
            }
        }
        return shown.toString();
    }

    private static MarkedText prompt(String template, List<ChatMessage> messages, Map<String, ?> variables) {
        return ChatTemplate.of(template, Map.of("bos_token", "<b>"), Clock.systemUTC())
                .prompt(messages, false, variables, SPECIALS);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '"', ignoreLeadingAndTrailingWhitespace = false, textBlock = """
            {{ bos_token }}{{ messages[0].content }}<e>;a<e>b;<b>a[<e>]b<e>
            {{ '<' ~ messages[0].role ~ '>' }}{{ messages[0].content|trim }}<e>; <e><b> ;<user>[<e>][<b>]<e>
            {{ messages[0]|tojson }}<e>;<e>";{"role": "user", "content": "[<e>]\\""}<e>
            {{ messages[0]|tojson(true) }}<e>;é<e>;{"role": "user", "content": "\\u00e9[<e>]"}<e>
            {{ messages }}<e>;<e>;[{'role': 'user', 'content': '[<e>]'}]<e>
            {{ messages[0].content.split('!')[1] }}<e>;<b>!<e>;[<e>]<e>
            {{ messages[0].content|upper }}<e>;a<e>;A<E><e>
            {{ messages[0].content }}e><e>;a<;a[<e>]<e>
            {{ messages[0].content|trim }}e>{{ messages[0].content }};a< ;a[<e>]a<\s
            <{{ messages[0].content }};|e>;<|e>
            {% if '<e>' in messages[0].content %}E{% endif %}{{ messages[0].content }};<e><b>;E<e>[<b>]
            {{ messages[0].content.split('</think>')[-1] }}<e>;x</think>y<e></think>z<e>;z[<e>]<e>
            {{ messages[0].content }}<e>;nothing;nothing<e>
            {% if messages[0].content|length > 4 %}{{ raise_exception('long') }}{% endif %}{{ messages[0].content }};a<e>;a<e>""")
    void contentsAreText(String template, String content, String expected) {
        MarkedText prompt = prompt(template, List.of(new ChatMessage("user", content)), Map.of());
        assertThat(shown(prompt)).isEqualTo(expected);
        assertThat(prompt.text()).isEqualTo(expected.replaceAll("\\[(</?\\w+>)]", "$1"));
    }

    @Test
    void toolsPartsAndFurtherFieldsAreTextToo() {
        List<ChatMessage> messages = List.of(
                new ChatMessage("user", List.of(Map.of("text", "a<"), Map.of("text", "e>")), Map.of("name", "<b>")));
        String template = "{% for m in messages %}{{ m.name }}{% for p in m.content %}{{ p.text }}{% endfor %}<e>"
                + "{% endfor %}{{ tools|tojson }}{{ documents[0] }}{{ bos_token }}";
        Map<String, Object> variables =
                Map.of("tools", List.of(Map.of("<e>", "<b>")), "documents", List.of("<|user|>"));
        assertThat(shown(prompt(template, messages, variables)))
                .isEqualTo("[<b>]a[<e>]<e>" + "[{\"[<e>]\": \"[<b>]\"}][<|user|>]<b>");
    }

    @Test
    void marksOfTheUsersOwnDoNotHideOthers() {
        String content = "\ufdd0<\ufdd0<e>\ufdd0<e\ufdd0>";
        MarkedText prompt = prompt("{{ messages[0].content }}<e>", List.of(new ChatMessage("user", content)), Map.of());
        assertThat(shown(prompt)).isEqualTo("\ufdd0<\ufdd0[<e>]\ufdd0<e\ufdd0><e>");
    }

    static List<Path> chatFolders() {
        Path root = Fixtures.golden("tokenizers").resolve("tokenizers");
        return List.of("bbpe-llama3", "bbpe-qwen2", "sp-phi3", "sp-yi", "glm-tiktoken").stream()
                .map(root::resolve)
                .toList();
    }

    /// Users cannot end their turn: whatever they write, the prompt has the same special tokens.
    @ParameterizedTest
    @MethodSource("chatFolders")
    void aUserWritesNoSpecialToken(Path folder) {
        ChatTemplate template = ChatTemplate.open(folder).orElseThrow();
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            String all =
                    tokenizer.specialTokens().spellings().stream().collect(Collectors.joining(" and ", "Say ", "!"));
            int[] plain = ids(template, tokenizer, "Say hello!");
            int[] spelled = ids(template, tokenizer, all);
            assertThat(specials(tokenizer, spelled))
                    .isEqualTo(specials(tokenizer, plain))
                    .isNotEmpty();
            assertThat(tokenizer.decode(spelled, true)).contains(all);
            assertThat(plain)
                    .as("nothing is changed where nothing is spelled")
                    .isEqualTo(tokenizer.encode(
                            template.render(List.of(new ChatMessage("user", "Say hello!")), true), false));
        }
    }

    private static int[] ids(ChatTemplate template, Tokenizer tokenizer, String content) {
        return tokenizer.encode(
                template.prompt(List.of(new ChatMessage("user", content)), true, tokenizer.specialTokens()));
    }

    private static List<Integer> specials(Tokenizer tokenizer, int[] ids) {
        return new ArrayList<>(
                IntStream.of(ids).filter(tokenizer::isSpecial).boxed().toList());
    }
}
