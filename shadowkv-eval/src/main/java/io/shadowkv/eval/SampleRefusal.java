package io.shadowkv.eval;

/// Thrown when a sample cannot be asked of any examiner, for example because its text is longer
/// than the model's context. Nothing of its batch was asked yet; the other samples of the batch can
/// be.
public final class SampleRefusal extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final transient Item item;

    public SampleRefusal(Item item, String message) {
        super(message);
        this.item = item;
    }

    public Item item() {
        return item;
    }
}
