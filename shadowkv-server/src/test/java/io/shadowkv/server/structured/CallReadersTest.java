package io.shadowkv.server.structured;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.server.json.JsonBody;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The readers of calls, with texts in pieces of every length.
class CallReadersTest {
    private static final List<Tool> TOOLS = List.of(tool("get_weather"), tool("find"));

    private static Tool tool(String name) {
        return new Tool(name, JsonBody.object(), JsonBody.object());
    }

    private static ToolFields fields(boolean isRequired, boolean isParallel) {
        return new ToolFields(TOOLS, isRequired, isParallel);
    }

    /// Text and calls in the form `text|name(arguments)|…`.
    private static String read(CallReader reader, String text, int pieceLength) {
        List<AnswerPart> parts = new ArrayList<>();
        for (int i = 0; i < text.length(); i += pieceLength) {
            parts.addAll(reader.push(text.substring(i, Math.min(text.length(), i + pieceLength))));
        }
        parts.addAll(reader.end());
        StringBuilder read = new StringBuilder();
        int calls = 0;
        for (AnswerPart part : parts) {
            switch (part) {
                case AnswerPart.Text(String some) -> read.append(some);
                case AnswerPart.Thoughts thoughts -> throw new AssertionError(thoughts);
                case AnswerPart.CallStart start -> {
                    assertThat(start.index()).isEqualTo(calls++);
                    read.append('|').append(start.name()).append(':');
                }
                case AnswerPart.CallArguments(int index, String json) -> {
                    assertThat(index).isEqualTo(calls - 1);
                    read.append(json);
                }
            }
        }
        assertThat(reader.hasCalls()).isEqualTo(calls > 0);
        return read.toString();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '\'', textBlock = """
            {"name": "find", "arguments": {"a": "x, }: \\" y", "b": [1, {"c": 2}]}} ; |find:{"a":"x, }: \\" y","b":[1,{"c":2}]}
            {"name":"find","arguments":{}}                                          ; |find:{}
            {"name":"find","arguments":{"\\\\":"\\\\"}}                             ; |find:{"\\\\":"\\\\"}
            """)
    void aRequiredCallIsPassedOnWithoutBlanks(String text, String expected) {
        for (int length = 1; length <= text.length(); length++) {
            assertThat(read(CallReader.of(fields(true, true), Thinking.NONE), text, length))
                    .isEqualTo(expected);
        }
    }

    @Test
    void aCutCallIsNotComplete() {
        CallReader reader = CallReader.of(fields(true, true), Thinking.NONE);
        reader.push("{\"name\":\"find\",\"arguments\":{\"a\":1}");
        reader.end();
        assertThat(reader.hasCalls()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '\'', textBlock = """
            {"name": "find", "parameters": {"a": 1}}                            ; |find:{"a":1}
            <|python_tag|>{"name": "find", "parameters": {"a": "ü"}}            ; |find:{"a":"ü"}
            <tool_call>@{"name": "find", "arguments": {"a": 1}}@</tool_call>    ; |find:{"a":1}
            Let me see. <tool_call>@{"name": "find", "arguments": {}}@</tool_call>@<tool_call>@{"name": "get_weather", "arguments": {"b": []}}@</tool_call> ; Let me see. |find:{}|get_weather:{"b":[]}
            [TOOL_CALLS] [{"name": "find", "arguments": {}}, {"name": "find", "arguments": {"a": 2}}] ; |find:{}|find:{"a":2}
            [{"name": "find", "arguments": {}}]                                 ; |find:{}
            get_weather@{"city": "Bern"}                                        ; |get_weather:{"city":"Bern"}
            @get_weather@{"city": "Bern"}                                       ; |get_weather:{"city":"Bern"}
            The weather is fine.                                                ; The weather is fine.
            get_weather is a function                                           ; get_weather is a function
            {"name": "unknown", "parameters": {}}                               ; {"name": "unknown", "parameters": {}}
            {"name": "find", "parameters": 1}                                   ; {"name": "find", "parameters": 1}
            {"name": "find", "parameters": {"a"                                 ; {"name": "find", "parameters": {"a"
            <tool_call>{"name": "find", "arguments": {}}                        ; <tool_call>{"name": "find", "arguments": {}}
            <tool_call>{"name": "find", "arguments": {}}</tool_call> and more   ; <tool_call>{"name": "find", "arguments": {}}</tool_call> and more
            a < b <tool                                                         ; a < b <tool
            [1, 2]                                                              ; [1, 2]
            []                                                                  ; []
            """)
    void familiesAreReadByTheirForm(String written, String expected) {
        String text = written.replace('@', '\n');
        for (int length = 1; length <= text.length(); length++) {
            assertThat(read(CallReader.of(fields(false, true), Thinking.NONE), text, length))
                    .isEqualTo(expected);
        }
    }

    @Test
    void plainTextIsNotHeldBack() {
        CallReader reader = CallReader.of(fields(false, true), Thinking.NONE);
        assertThat(reader.push("The")).containsExactly(new AnswerPart.Text("The"));
        assertThat(reader.push(" sky <")).containsExactly(new AnswerPart.Text(" sky "));
        assertThat(reader.push("b>")).containsExactly(new AnswerPart.Text("<b>"));
    }

    @Test
    void withoutParallelCallsThereIsOne() {
        String text = "[{\"name\": \"find\", \"arguments\": {}}, {\"name\": \"find\", \"arguments\": {}}]";
        assertThat(read(CallReader.of(fields(false, false), Thinking.NONE), text, 5))
                .isEqualTo("|find:{}");
    }
}
