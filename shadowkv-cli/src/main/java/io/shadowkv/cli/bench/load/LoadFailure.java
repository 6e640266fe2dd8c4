package io.shadowkv.cli.bench.load;

/// A request that was not answered as it should be.
public final class LoadFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String kind;

    /// @param kind groups equal failures, such as `HTTP 429 queue_full`
    public LoadFailure(String kind, String message) {
        super(message);
        this.kind = kind;
    }

    public LoadFailure(String kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public String kind() {
        return kind;
    }
}
