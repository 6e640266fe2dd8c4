package io.shadowkv.engine.laws;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendMemoryException;
import io.shadowkv.op.ForwardingBackend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// A backend that knows who holds memory: every scope with where it was made. Fails on a scope used after its
/// end.
final class CheckedBackend extends ForwardingBackend {
    private final Set<CheckedScope> open = Collections.synchronizedSet(new LinkedHashSet<>());
    private volatile long largestTensor;
    private volatile long allocations;
    private volatile long failAt = Long.MAX_VALUE;
    private volatile boolean isUndivided;
    private volatile String refused = "nothing";
    private volatile String stubborn = "nothing";

    CheckedBackend(Backend backend) {
        super(backend);
    }

    /// Fails with the purpose and the maker of every scope that is still open.
    void assertNothingHeld() {
        List<CheckedScope> held = List.copyOf(open);
        if (!held.isEmpty()) {
            AssertionError leak = new AssertionError(held.size() + " scopes were never closed: "
                    + held.stream().map(scope -> scope.purpose).toList());
            held.forEach(scope -> leak.addSuppressed(scope.made));
            throw leak;
        }
    }

    /// Prompts are read in turns with decode steps.
    void cannotBeDivided() {
        isUndivided = true;
    }

    @Override
    public boolean isDivisible() {
        return !isUndivided && super.isDivisible();
    }

    /// Purposes of the open scopes.
    List<String> purposes() {
        return List.copyOf(open).stream().map(scope -> scope.purpose).toList();
    }

    /// Bytes that all open scopes hold.
    long heldBytes() {
        return List.copyOf(open).stream()
                .mapToLong(scope -> scope.bytes(Place.DEVICE) + scope.bytes(Place.HOST))
                .sum();
    }

    /// Bytes in one place of the open scopes whose purpose contains a match of `purpose`.
    long bytes(Place place, String purpose) {
        return List.copyOf(open).stream()
                .filter(scope -> scope.purpose.matches("(?s).*" + purpose + ".*"))
                .mapToLong(scope -> scope.bytes(place))
                .sum();
    }

    /// Bytes of the largest tensor allocated so far.
    long largestTensor() {
        return largestTensor;
    }

    /// Tensors allocated so far.
    long allocations() {
        return allocations;
    }

    /// The memory is exhausted after so many allocations from now on; negative for never.
    void exhaustAfter(long more) {
        failAt = more < 0 ? Long.MAX_VALUE : allocations + more;
    }

    /// There is no memory for scopes whose purpose matches this regular expression.
    void refuse(String purpose) {
        refused = purpose;
    }

    /// Scopes whose purpose matches this regular expression report a failure when they are closed.
    void failToClose(String purpose) {
        stubborn = purpose;
    }

    @Override
    public MemoryScope newScope(String purpose) {
        return checked(purpose, super.newScope(purpose));
    }

    @Override
    public MemoryScope newScope(String purpose, long deviceBytes) {
        return checked(purpose, super.newScope(purpose, deviceBytes));
    }

    private MemoryScope checked(String purpose, MemoryScope made) {
        CheckedScope scope = new CheckedScope(purpose, made);
        open.add(scope);
        return scope;
    }

    private final class CheckedScope implements MemoryScope {
        private final String purpose;
        private final MemoryScope scope;
        private final Throwable made;

        CheckedScope(String purpose, MemoryScope scope) {
            this.purpose = purpose;
            this.scope = scope;
            this.made = new Throwable("\"" + purpose + "\" was made here");
        }

        @Override
        public Tensor allocate(Place place, DType dtype, int... extents) {
            if (!open.contains(this)) {
                throw new AssertionError("allocation from the closed scope \"" + purpose + "\"", made);
            }
            if (allocations >= failAt || purpose.matches(refused)) {
                throw new BackendMemoryException("no memory left for " + purpose);
            }
            Tensor tensor = scope.allocate(place, dtype, extents);
            largestTensor = Math.max(largestTensor, tensor.byteSize());
            allocations++;
            return tensor;
        }

        @Override
        public long bytes(Place place) {
            return scope.bytes(place);
        }

        @Override
        public void close() {
            open.remove(this);
            scope.close();
            if (purpose.matches(stubborn)) {
                throw new IllegalStateException("cannot close " + purpose);
            }
        }
    }
}
