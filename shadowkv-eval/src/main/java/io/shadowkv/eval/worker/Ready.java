package io.shadowkv.eval.worker;

/// A worker's first line: who will answer.
///
/// @param protocol version of the messages
/// @param model the model's name
/// @param backend what computes
/// @param kvType type of keys and values
public record Ready(int protocol, String model, String backend, String kvType) {
    /// The messages that this version speaks.
    public static final int PROTOCOL = 2;

    public Ready(String model, String backend, String kvType) {
        this(PROTOCOL, model, backend, kvType);
    }
}
