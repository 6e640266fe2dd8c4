package io.shadowkv.cuda.ffi;

import io.shadowkv.op.BackendException;

/// Thrown when a call of the driver or of one of NVIDIA's libraries fails. The message has the
/// call, its status, and what to do.
public final class CudaException extends BackendException {
    private static final long serialVersionUID = 1L;

    public CudaException(String message) {
        super(message);
    }

    public CudaException(String message, Throwable cause) {
        super(message, cause);
    }
}
