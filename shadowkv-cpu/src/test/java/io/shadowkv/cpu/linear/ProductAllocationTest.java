package io.shadowkv.cpu.linear;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.ChildJvm;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Kernels must keep their vectors in registers in every JVM. Vectors that become objects show as
/// allocations, whatever else the machine does.
///
/// In the child JVM, C2 may not guess the class of a vector (`PerMethodTrapLimit=0`). In other JVMs
/// it stops guessing after 100 wrong guesses, so that the same fault appears now and then. Methods
/// are compiled before they go on (`-Xbatch`), so that the number of products before the
/// measurement is enough on every machine.
@Order(1)
final class ProductAllocationTest {
    /// A product allocates some 4 KiB for slices of rows and arrays of sums. A kernel that creates
    /// vectors as objects allocates more than 80 bytes for each block of each row: 40 KiB. It was
    /// 310 KiB for Q4_K and 650 KiB for Q6_K before the rules of [BlockDots].
    private static final long MOST_BYTES = 24 * 1024;

    @ParameterizedTest
    @CsvSource({
        "0, 1, 120, Q4_0 Q8_0 Q4_K Q5_K Q6_K",
        "256, 1, 120, Q5_K Q4_0 Q6_K Q8_0 Q4_K",
        "128, 1, 120, Q8_0 Q4_K Q4_0 Q6_K Q5_K",
        "0, 8, 60, Q4_K Q6_K Q4_0 Q5_K Q8_0",
    })
    void productsCreateNoObjects(int bits, int rows, int before, String formats) {
        String[] arguments = Stream.concat(
                        Stream.of(Integer.toString(bits), Integer.toString(rows), Integer.toString(before)),
                        Stream.of(formats.split(" ")))
                .toArray(String[]::new);

        var ended = ChildJvm.with("--add-modules=jdk.incubator.vector", "-Xbatch", "-XX:PerMethodTrapLimit=0")
                .run(ProductAllocationsMain.class, arguments);

        assertThat(ended.status()).as(ended.output()).isZero();
        List<String> lines =
                ended.output().lines().filter(line -> line.startsWith("Q")).toList();
        assertThat(lines).as(ended.output()).hasSize(5).allSatisfy(line -> {
            String[] parts = line.split(" ");
            assertThat(Long.parseLong(parts[1])).as(line).isLessThan(MOST_BYTES);
        });
    }
}
