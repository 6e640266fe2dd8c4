package io.shadowkv.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.ChildJvm;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.op.BackendException;
import io.shadowkv.op.BackendProvider.BackendOptions;
import org.junit.jupiter.api.Test;

/// `auto` opens a backend that computes as fast as the machine can, or says what is missing.
class AutoBackendTest {
    @Test
    void withoutTheVectorModuleTheFlagIsNamed() {
        ChildJvm.Ended ended = ChildJvm.with().run(Opening.class);
        assertThat(ended.status()).as(ended.output()).isZero();
        assertThat(ended.output())
                .contains("cpu: this JVM runs without the module jdk.incubator.vector; start it with --add-modules")
                .doesNotContain("opened");
    }

    @Test
    void withoutTheArtifactItsNameIsGiven() {
        ChildJvm.Ended ended = ChildJvm.with("--add-modules", "jdk.incubator.vector")
                .without(entry -> entry.contains("cpu.main") || entry.contains("shadowkv-cpu/target/classes"))
                .run(Opening.class);
        assertThat(ended.status()).as(ended.output()).isZero();
        assertThat(ended.output())
                .contains("cpu: the artifact shadowkv-cpu is not on the class path")
                .doesNotContain("opened");
    }

    /// Prints what `auto` opens, or why it opens nothing.
    static final class Opening {
        private Opening() {}

        public static void main(String[] arguments) {
            try (var backend = Backends.open("auto", BackendOptions.DEFAULT).backend()) {
                System.out.println("opened " + backend.name());
            } catch (BackendException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
