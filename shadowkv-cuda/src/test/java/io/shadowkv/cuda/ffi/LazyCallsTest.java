package io.shadowkv.cuda.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Tests arguments and results of native calls, with the C library instead of NVIDIA's.
class LazyCallsTest {
    private static final NativeLibrary LIBRARY = NativeLibrary.open(List.of("libc.so.6"), null);

    private final LazyCalls calls = new LazyCalls(LIBRARY);

    @Test
    void passesArgumentsAndReturnsTheStatus() {
        assertThat(calls.status("abs", -7)).isEqualTo(7);
        assertThat(calls.status("toupper", (byte) 'q')).isEqualTo('Q');
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment first = arena.allocateFrom("abc");
            assertThat(calls.status("strncmp", first, arena.allocateFrom("abd"), 2L))
                    .isZero();
            assertThat(calls.status("strncmp", first, arena.allocateFrom("abd"), 3L))
                    .isNegative();
        }
    }

    @Test
    void returnsALongThatIsWritten() {
        long aligned = calls.out("posix_memalign", 4096L, 64L);
        assertThat(aligned).isPositive();
        assertThat(aligned % 4096).isZero();
        MemorySegment memory = MemorySegment.ofAddress(aligned).reinterpret(64);
        memory.set(ValueLayout.JAVA_LONG, 0, 5);
        assertThat(memory.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(5);
    }

    @Test
    void returnsAnIntThatIsWritten() {
        int key = calls.outInt("pthread_key_create", MemorySegment.NULL);
        assertThat(calls.outInt("pthread_key_create", MemorySegment.NULL)).isNotEqualTo(key);
        calls.call("pthread_key_delete", key);
        assertThatThrownBy(() -> calls.call("pthread_key_delete", key)).isInstanceOf(CudaException.class);
    }

    @Test
    void saysWhatFailedAndWhy() {
        assertThatThrownBy(() -> calls.call("posix_memalign", MemorySegment.NULL, 3L, 64L))
                .isInstanceOf(CudaException.class)
                .hasMessageStartingWith("posix_memalign failed with status 22 in ")
                .hasMessageContaining("libc.so.6")
                .hasMessageContaining("Check that");
        assertThatThrownBy(() -> new LazyCalls(LIBRARY, status -> "(meaning of " + status + "). Do this").check("f", 9))
                .hasMessage("f failed with status 9 (meaning of 9). Do this");
        assertThatThrownBy(() -> calls.call("abs", 1.0)).isInstanceOf(IllegalArgumentException.class);
    }
}
