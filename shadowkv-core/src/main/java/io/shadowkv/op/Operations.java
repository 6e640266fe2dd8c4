package io.shadowkv.op;

/// All operations of a backend, grouped by interface.
public interface Operations {
    DenseOperations dense();

    AttentionOperations attention();

    ShadowOperations shadow();

    SamplingOperations sampling();
}
