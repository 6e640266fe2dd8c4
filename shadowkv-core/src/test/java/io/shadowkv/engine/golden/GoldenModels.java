package io.shadowkv.engine.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Logits and greedy continuations of every golden model against Hugging Face transformers (see the archive's
/// README). The same body for every backend.
public abstract class GoldenModels {
    @TempDir
    Path temporary;

    /// The backend under test; closed by the test.
    protected abstract Backend open();

    /// Which inputs this backend is fast enough for.
    protected abstract List<String> inputs();

    static Stream<String> models() {
        return GoldenModel.names("models");
    }

    /// In float arithmetic over the exact weights every family agrees to float rounding, and greedy ids are the
    /// same.
    @ParameterizedTest
    @MethodSource("models")
    void agreesInFloat(String model) {
        golden(model).check(open(), DType.F32, inputs());
    }

    /// With keys and values in bf16, no further off than twice a plain bf16 forward pass.
    @ParameterizedTest
    @MethodSource("models")
    void agreesInTheCheckpointsType(String model) {
        golden(model).check(open(), null, inputs());
    }

    /// `config.json` as transformers 5 writes it gives the same model.
    @ParameterizedTest
    @MethodSource("models")
    void readsTheNewerConfiguration(String model) throws IOException {
        Path source = folder(model);
        Path newer = source.resolve("config.transformers5.json");
        if (!Files.exists(newer)) {
            assertThat(model)
                    .as("only the remote-code layout has no newer spelling")
                    .startsWith("tiny-chatglm");
            return;
        }
        GoldenModel.checkNewerConfiguration(source, newer, temporary.resolve(model), open());
    }

    private static GoldenModel golden(String model) {
        String expectations = model.startsWith("tiny-chatglm") ? "tiny-glm-bf16" : model;
        return new GoldenModel(folder(model), folder(expectations).resolve("golden"));
    }

    private static Path folder(String model) {
        return Fixtures.golden("models").resolve("models").resolve(model);
    }
}
