package io.shadowkv.op;

/// All operations of a backend, by room.
public interface Operations {
    DenseOperations dense();

    AttentionOperations attention();

    ShadowOperations shadow();
}
