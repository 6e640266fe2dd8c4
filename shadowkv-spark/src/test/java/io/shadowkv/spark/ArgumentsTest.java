package io.shadowkv.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ArgumentsTest {
    @Test
    void optionsFollowTheFiles() {
        assertThat(Arguments.parse(List.of("job", "log", "--batches-per-task", "3", "--batch", "2")))
                .isEqualTo(new Arguments(Path.of("job"), Path.of("log"), new ClusterRun.Options(2, 3, "gpu")));
        assertThat(Arguments.parse(List.of("job", "log", "--resource", "tpu")).options())
                .isEqualTo(new ClusterRun.Options(1, 8, "tpu"));
    }

    @Test
    void namesTheWrongArgument() {
        assertThatThrownBy(() -> Arguments.parse(List.of("job"))).hasMessageStartingWith("usage: ");
        assertThatThrownBy(() -> Arguments.parse(List.of("job", "log", "--bach", "2")))
                .hasMessageContaining("no option --bach");
        assertThatThrownBy(() -> Arguments.parse(List.of("job", "log", "--batch", "two")))
                .hasMessageContaining("--batch takes a number, not \"two\"");
        assertThatThrownBy(() -> Arguments.parse(List.of("job", "log", "--batch", "0")))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
