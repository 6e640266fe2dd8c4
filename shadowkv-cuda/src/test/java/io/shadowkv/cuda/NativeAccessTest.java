package io.shadowkv.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.ChildJvm;
import io.shadowkv.op.BackendProvider.BackendOptions;
import org.junit.jupiter.api.Test;

/// Tests the reason that a JVM without native access reports.
class NativeAccessTest {
    private static final String DENIED = "--illegal-native-access=deny";
    private static final String REASON = "this JVM does not allow the class path to call native code. Add"
            + " --enable-native-access=ALL-UNNAMED to the options of the JVM";

    /// Prints whether the backend can run, and why.
    static final class Program {
        private Program() {}

        public static void main(String[] arguments) {
            var availability = new CudaBackendProvider().availability(BackendOptions.DEFAULT);
            System.out.println("usable: " + availability.usable() + ", " + availability.reason());
        }
    }

    private static String reason(String... flags) {
        ChildJvm.Ended ended = ChildJvm.with(flags).run(Program.class);
        assertThat(ended.status()).as(ended.output()).isZero();
        return ended.output();
    }

    @Test
    void isToldTheOptionThatIsMissing() {
        assertThat(reason(DENIED)).contains("usable: false, " + REASON).doesNotContain("Exception", "Error");
    }

    @Test
    void isNotToldSoWhereAccessIsGranted() {
        assertThat(reason(DENIED, "--enable-native-access=ALL-UNNAMED"))
                .contains("usable: ")
                .doesNotContain("native");
    }
}
