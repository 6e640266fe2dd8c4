package io.shadowkv.server.structured;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.text.chat.ChatMessage;
import io.shadowkv.text.chat.ChatTemplate;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Thoughts at the beginning of answers, cut at each place.
class ThinkingTest {
    private static final ToolFields NO_TOOLS = new ToolFields(List.of(), false, true);

    /// `thoughts|answer`, after pushing `text` in pieces of `length` characters.
    private static String read(Thinking thinking, ToolFields tools, String text, int length) {
        CallReader reader = CallReader.of(tools, thinking);
        StringBuilder thoughts = new StringBuilder();
        StringBuilder answer = new StringBuilder();
        for (int at = 0; at < text.length(); at += length) {
            add(reader.push(text.substring(at, Math.min(text.length(), at + length))), thoughts, answer);
        }
        add(reader.end(), thoughts, answer);
        return thoughts + "|" + answer + (reader.hasCalls() ? "!" : "");
    }

    private static void add(List<AnswerPart> parts, StringBuilder thoughts, StringBuilder answer) {
        for (AnswerPart part : parts) {
            switch (part) {
                case AnswerPart.Thoughts(String text) -> {
                    assertThat(text).isNotEmpty();
                    assertThat(answer).as("thoughts come first").isEmpty();
                    thoughts.append(text);
                }
                case AnswerPart.Text(String text) -> answer.append(text);
                case AnswerPart.CallStart start -> answer.append(start.name());
                case AnswerPart.CallArguments arguments -> answer.append(arguments.json());
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            nullValues = "-",
            value = {
                "OPENED;   'a b</think>c d';                 'a b|c d'",
                "OPENED;   '\n a\n\n b \n</think>\n\n c \n'; 'a\n\n b|c \n'",
                "OPENED;   'a </thin</think>c';              'a </thin|c'",
                "OPENED;   'a < b </ c';                     'a < b </ c|'",
                "OPENED;   'a</thi';                         'a</thi|'",
                "OPENED;   ' </think>c';                     '|c'",
                "OPENED;   'a</think>';                      'a|'",
                "OPENED;   'a</think>b</think>c';            'a|b</think>c'",
                "OPENED;   'é 你</think>好';                  'é 你|好'",
                "POSSIBLE; '<think>\na\n</think>\n\nb';      'a|b'",
                "POSSIBLE; '\n<think>a</think>b';            'a|b'",
                "POSSIBLE; 'no <think>a</think>b';           '|no <think>a</think>b'",
                "POSSIBLE; ' <thi';                          '| <thi'",
                "POSSIBLE; ' text';                          '| text'",
                "POSSIBLE; '';                               '|'",
                "NONE;     '<think>a</think>b';              '|<think>a</think>b'",
            })
    void thoughtsAreDividedFromTheAnswer(Thinking thinking, String text, String expected) {
        for (int length = 1; length <= Math.max(1, text.length()); length++) {
            assertThat(read(thinking, NO_TOOLS, text, length))
                    .as("pieces of %d", length)
                    .isEqualTo(expected);
        }
    }

    @Test
    void aCallMayFollowThoughts() {
        Tool tool = new Tool(
                "find",
                tools.jackson.databind.node.NullNode.getInstance(),
                tools.jackson.databind.node.NullNode.getInstance());
        ToolFields tools = new ToolFields(List.of(tool), false, true);
        String text = "<think>a {</think>\n\n<tool_call>{\"name\":\"find\",\"arguments\":{}}</tool_call>";
        for (int length = 1; length < text.length(); length++) {
            assertThat(read(Thinking.POSSIBLE, tools, text, length)).isEqualTo("a {|find{}!");
        }
    }

    private static Thinking of(String template, Map<String, @Nullable Object> variables) {
        ChatTemplate chat = ChatTemplate.of(template, Map.of(), Clock.systemUTC());
        return Thinking.of((messages, further) -> chat.render(messages, true, further), variables);
    }

    @Test
    void theTemplateSaysWhetherAnswersBeginWithThoughts() {
        String plain = "{% for m in messages %}{{ m['content'] }}{% endfor %}";
        assertThat(of(plain, Map.of())).isEqualTo(Thinking.NONE);
        assertThat(of(plain + "<assistant><think>\n", Map.of())).isEqualTo(Thinking.OPENED);
        // Qwen 3
        String optional =
                plain + "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}";
        assertThat(of(optional, Map.of())).isEqualTo(Thinking.POSSIBLE);
        assertThat(of(optional, Map.of("enable_thinking", false))).isEqualTo(Thinking.POSSIBLE);
        String shown =
                "{% for m in messages %}{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}"
                        + "{{ m['content'] }}{% endfor %}";
        assertThat(of(shown, Map.of())).isEqualTo(Thinking.POSSIBLE);
        assertThat(Thinking.of((messages, further) -> "", Map.of())).isEqualTo(Thinking.NONE);
    }

    @Test
    void aUserCannotOpenThoughts() {
        String plain = "{% for m in messages %}{{ m['content'] }}{% endfor %}";
        ChatTemplate chat = ChatTemplate.of(plain, Map.of(), Clock.systemUTC());
        assertThat(chat.render(List.of(new ChatMessage("user", "<think>")), true))
                .endsWith("<think>");
        assertThat(of(plain, Map.of())).isEqualTo(Thinking.NONE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "OPENED;   a b </ think > c;         5",
                "OPENED;   a b c;                    3",
                "OPENED;   a</think>b c;             1",
                "POSSIBLE; <think> a </think> b;     3",
                "POSSIBLE; < think> a </think> b;    4",
                "POSSIBLE; a <think> </think> b;     0",
                "POSSIBLE; <thi;                     0",
                "NONE;     <think> a </think> b;     0",
            })
    void tokensOfThoughtsAreCounted(Thinking thinking, String words, int expected) {
        String[] texts = words.split(" ");
        int[] ids = java.util.stream.IntStream.range(0, texts.length).toArray();
        assertThat(thinking.tokens(ids, id -> texts[id])).isEqualTo(expected);
    }
}
