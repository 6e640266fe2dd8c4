package io.shadowkv.eval.worker;

/// A worker's first message: what it answers with.
///
/// @param protocol version of the messages
/// @param model the model's name
/// @param backend name of the backend
/// @param kvType type of keys and values
public record Ready(int protocol, String model, String backend, String kvType) {
    /// The version of the messages in this build.
    public static final int PROTOCOL = 2;

    public Ready(String model, String backend, String kvType) {
        this(PROTOCOL, model, backend, kvType);
    }
}
