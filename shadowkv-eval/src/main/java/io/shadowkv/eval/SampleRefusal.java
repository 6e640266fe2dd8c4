package io.shadowkv.eval;

/// A sample cannot be asked, whoever is asked: its text is longer than the model's context. The others of its batch
/// can, and nothing was asked yet.
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
