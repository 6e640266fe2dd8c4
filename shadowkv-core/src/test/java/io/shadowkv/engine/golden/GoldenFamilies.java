package io.shadowkv.engine.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Logits and greedy continuations of a tiny model of each further family against transformers. The same body
/// for every backend.
public abstract class GoldenFamilies {
    private static final List<String> INPUTS = List.of("n17", "n150");

    @TempDir
    Path temporary;

    /// The backend under test; closed by the test.
    protected abstract Backend open();

    static Stream<String> models() {
        return GoldenModel.names("families");
    }

    /// In float arithmetic, to float rounding, with equal greedy ids.
    @ParameterizedTest
    @MethodSource("models")
    void agreesInFloat(String model) {
        golden(model, DType.F32).check(open(), DType.F32, INPUTS);
    }

    /// As a BF16 checkpoint, no further off than twice a plain bf16 forward pass.
    @ParameterizedTest
    @MethodSource("models")
    void agreesInBf16(String model) {
        golden(model, DType.BF16).check(open(), null, INPUTS);
    }

    /// `config.json` as transformers 5 writes it gives the same model.
    @ParameterizedTest
    @MethodSource("models")
    void readsTheNewerConfiguration(String model) throws IOException {
        Path source = FamilyModels.write(model, DType.BF16, temporary.resolve("classic"));
        assertThat(source).isDirectory();
        Path newer = source.resolve("config.transformers5.json");
        GoldenModel.checkNewerConfiguration(source, newer, temporary.resolve("newer"), open());
    }

    private GoldenModel golden(String model, DType type) {
        Path folder = FamilyModels.write(model, type, temporary.resolve(model));
        return new GoldenModel(folder, FamilyModels.archived(model).resolve("golden"));
    }
}
