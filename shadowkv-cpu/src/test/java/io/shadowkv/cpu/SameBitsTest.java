package io.shadowkv.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.ChildJvm;
import io.shadowkv.cpu.vector.VectorWidth;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every JVM computes the same bits, before and after its compilers have replaced what it interprets, with any number
/// of threads: else a seed would give another text each time.
@Order(1)
class SameBitsTest {
    /// The first compiler knows no vectors and runs the same loops over lanes as the interpreter, only faster.
    private static final List<String> WITHOUT_VECTOR_INSTRUCTIONS = List.of("-XX:TieredStopAtLevel=1");

    /// Waits for the optimising compiler, so that the last runs are certainly its.
    private static final List<String> COMPILED = List.of("-Xbatch");

    @ParameterizedTest
    @ValueSource(ints = {0, 128})
    void aResultDoesNotDependOnTheCompiler(int bits) throws InterruptedException, ExecutionException {
        int width = Math.min(bits, VectorWidth.bits());
        Map<String, TreeSet<String>> results = new TreeMap<>();
        Future<String> first;
        Future<String> second;
        try (ExecutorService both = Executors.newFixedThreadPool(2)) {
            first = both.submit(() -> output(WITHOUT_VECTOR_INSTRUCTIONS, width, 1, 1));
            second = both.submit(() -> output(COMPILED, width, 10, 0));
        }
        collect(first.get(), results);
        collect(second.get(), results);
        assertThat(results).containsKeys("bf16", "f32");
        assertThat(results.entrySet())
                .allSatisfy(result -> assertThat(result.getValue())
                        .as("different results of " + result.getKey() + " with vectors of " + bits + " bits")
                        .hasSize(1));
    }

    private static String output(List<String> flags, int bits, int runs, int calls) {
        List<String> all = new ArrayList<>(flags);
        all.addAll(List.of("--add-modules", "jdk.incubator.vector"));
        ChildJvm.Ended ended = ChildJvm.with(all.toArray(String[]::new))
                .run(ResultBits.class, Integer.toString(bits), Integer.toString(runs), Integer.toString(calls));
        assertThat(ended.status()).as(ended.output()).isZero();
        return ended.output();
    }

    private static void collect(String output, Map<String, TreeSet<String>> results) {
        Stream.of(output.split("\n"))
                .filter(line -> !line.startsWith("WARNING"))
                .map(line -> line.split(" "))
                .forEach(words -> results.computeIfAbsent(words[0], name -> new TreeSet<>())
                        .add(words[1]));
    }
}
