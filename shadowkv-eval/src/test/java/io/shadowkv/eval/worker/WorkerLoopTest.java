package io.shadowkv.eval.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.FakeExaminer;
import io.shadowkv.eval.run.OpenItem;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

final class WorkerLoopTest {
    private static final EvalPlan PLAN = FakeExaminer.plan(3);
    private static final Ready READY = new Ready("fake", "none", "bf16");
    private static final Item ITEM = new Item("a/x", 1);
    private static final String ASK =
            "{\"ask\":[{\"item\":{\"task\":\"a/x\",\"index\":1},\"methods\":[{\"name\":\"full\",\"shadow\":null,"
                    + "\"prefill\":null}]}]}\n";

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private List<String> serve(String in, FakeExaminer examiner) throws IOException {
        new WorkerLoop(new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)), out).serve(READY, examiner);
        return out.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void theMessagesAreTheDocumentedOnes() throws IOException {
        List<String> said = serve(ASK + ASK, new FakeExaminer(PLAN));
        assertThat(said).hasSize(5);
        assertThat(said.getFirst())
                .isEqualTo("{\"ready\":{\"protocol\":2,\"model\":\"fake\",\"backend\":\"none\",\"kv_type\":\"bf16\"}}");
        assertThat(said.get(1)).isEqualTo("{\"reading\":1.0}");
        assertThat(said.get(2))
                .startsWith("{\"answers\":[{\"key\":{\"model\":\"fake\",")
                .isEqualTo(said.get(4));
        assertThat(WorkerMessages.line(new WorkerMessages.Ask(List.of(new OpenItem(ITEM, List.of(Method.FULL)))))
                        + "\n")
                .isEqualTo(ASK);
        assertThat(WorkerMessages.parse(said.get(2)))
                .isEqualTo(new WorkerMessages.Answers(new FakeExaminer(PLAN)
                        .examine(List.of(ITEM), key -> key.method().equals(Method.FULL), _ -> {})));
    }

    @Test
    void reportsAFailureAndContinues() throws IOException {
        var failing = new FakeExaminer(PLAN, _ -> {
            throw new IllegalStateException();
        });
        assertThat(serve(ASK + ASK, failing))
                .hasSize(3)
                .contains(
                        "{\"error\":{\"message\":\"java.lang.IllegalStateException\",\"is_mistake\":false,\"refused\":null}}");
    }

    @Test
    void aMalformedRequestEndsTheLoop() {
        assertThatThrownBy(() -> serve("hello\n", new FakeExaminer(PLAN)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("\"hello\", which is not a message");
        assertThatThrownBy(() -> serve("{\"reading\":1}\n", new FakeExaminer(PLAN)))
                .hasMessage("a worker received \"reading\"; it accepts only \"ask\"");
        assertThatThrownBy(() -> serve("{\"sing\":1}\n", new FakeExaminer(PLAN)))
                .hasMessageContaining("unknown kind \"sing\"");
        assertThatThrownBy(() -> serve("[1]\n", new FakeExaminer(PLAN))).hasMessageContaining("not a message");
    }

    @Test
    void aBrokenPipeEndsTheLoop() throws IOException {
        OutputStream broken = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("broken pipe");
            }
        };
        var loop = new WorkerLoop(new ByteArrayInputStream(ASK.getBytes(StandardCharsets.UTF_8)), broken);
        loop.serve(READY, new FakeExaminer(PLAN));
        assertThat(loop.isOver()).isTrue();
    }
}
