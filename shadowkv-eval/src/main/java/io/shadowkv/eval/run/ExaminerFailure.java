package io.shadowkv.eval.run;

/// The process that was to answer is gone or does not answer; the items it had are unanswered.
public final class ExaminerFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ExaminerFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
