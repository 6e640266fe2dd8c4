package io.shadowkv.eval.run;

/// Thrown when an answering process has ended or does not respond; its items are unanswered.
public final class ExaminerFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ExaminerFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
