package io.shadowkv.op.timing;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.OperationKind;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Timing tells where time goes and changes nothing else.
class TimedBackendTest {
    private final Backend reference = new ReferenceBackend();
    private final TimedBackend timed = new TimedBackend(reference);
    private final List<String> replays = new ArrayList<>();
    private MemoryScope scope;
    private Tensor row;
    private Tensor matrix;
    private Tensor product;

    @BeforeEach
    void allocate() {
        scope = timed.newScope("a test");
        row = scope.allocate(DType.F32, 1, 8);
        matrix = scope.allocate(DType.F32, 5, 8);
        product = scope.allocate(DType.F32, 1, 5);
        timed.operations().dense().fillNormal(row, 1, 1);
        timed.operations().dense().fillNormal(matrix, 2, 1);
    }

    @AfterEach
    void free() {
        scope.close();
        timed.close();
        reference.close();
    }

    /// A default that is not handed on would hide what a backend does better.
    @ParameterizedTest
    @CsvSource({
        "io.shadowkv.op.Backend, io.shadowkv.op.timing.TimedBackend",
        "io.shadowkv.op.DenseOperations, io.shadowkv.op.timing.TimedDense",
        "io.shadowkv.op.AttentionOperations, io.shadowkv.op.timing.TimedAttention",
        "io.shadowkv.op.ShadowOperations, io.shadowkv.op.timing.TimedShadow",
        "io.shadowkv.op.SamplingOperations, io.shadowkv.op.timing.TimedSampling"
    })
    void everyMethodIsHandedOn(Class<?> contract, Class<?> timedOne) {
        for (Method method : contract.getDeclaredMethods()) {
            if (!method.isSynthetic() && !Modifier.isStatic(method.getModifiers())) {
                Method found = declared(timedOne, method);
                assertThat(found.getDeclaringClass().isInterface())
                        .as(method.toString())
                        .isFalse();
            }
        }
    }

    /// The method that runs: of the class, or of the class that it extends.
    private static Method declared(Class<?> type, Method method) {
        for (Class<?> at = type; at != null; at = at.getSuperclass()) {
            for (Method one : at.getDeclaredMethods()) {
                if (one.getName().equals(method.getName())
                        && Arrays.equals(one.getParameterTypes(), method.getParameterTypes())) {
                    return one;
                }
            }
        }
        return method;
    }

    @Test
    void theRoomsAreTimed() {
        assertThat(timed.operations().dense()).isInstanceOf(DenseOperations.class);
        assertThat(timed.operations().attention())
                .isInstanceOf(AttentionOperations.class)
                .isNotSameAs(reference.operations().attention());
        assertThat(timed.operations().shadow())
                .isInstanceOf(ShadowOperations.class)
                .isNotSameAs(reference.operations().shadow());
        assertThat(timed.operations().sampling())
                .isInstanceOf(SamplingOperations.class)
                .isNotSameAs(reference.operations().sampling());
    }

    @Test
    void onlyWhatRunsMeanwhileCounts() {
        DenseOperations dense = timed.operations().dense();
        dense.linear(row, matrix, null, product);
        float[] untimed = timed.download(product);
        timed.startTiming();
        dense.linear(row, matrix, null, product);
        dense.add(row, row);
        Map<OperationKind, Long> nanos = timed.stopTiming();
        assertThat(nanos)
                .containsOnlyKeys(OperationKind.LINEARS, OperationKind.ROWS)
                .allSatisfy((part, taken) -> assertThat(taken).isPositive());
        assertThat(timed.download(product)).isEqualTo(untimed);
        dense.add(row, row);
        assertThat(timed.stopTiming()).isEmpty();
    }

    @Test
    void workBesideTheMainQueueIsIndexing() {
        timed.startTiming();
        timed.aside(() -> timed.operations().dense().linear(row, matrix, null, product))
                .join();
        assertThat(timed.stopTiming()).containsOnlyKeys(OperationKind.INDEX);
    }

    /// A recording has no places to look in.
    @Test
    void timedStepsAreNotReplayed() {
        TimedBackend recording = new TimedBackend(replaying());
        recording.replay("a", () -> replays.add("run"));
        recording.startTiming();
        recording.replay("a", () -> replays.add("run"));
        recording.stopTiming();
        recording.replay("b", () -> replays.add("run"));
        assertThat(replays).containsExactly("replay a", "run", "replay b");
        recording.close();
    }

    private Backend replaying() {
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("replay")) {
                        replays.add("replay " + arguments[0]);
                        return null;
                    }
                    try {
                        return method.invoke(reference, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
