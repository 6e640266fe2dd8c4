package io.shadowkv.op.timing;

import io.shadowkv.op.OperationKind;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.tensor.Tensor;

/// Times each operation on logits as sampling.
final class TimedSampling implements SamplingOperations {
    private final SamplingOperations sampling;
    private final Timer timer;

    TimedSampling(SamplingOperations sampling, Timer timer) {
        this.sampling = sampling;
        this.timer = timer;
    }

    @Override
    public void topLogits(Tensor logits, Tensor inverseTemperatures, Tensor values, Tensor ids, Tensor logSums) {
        timer.time(OperationKind.SAMPLE, () -> sampling.topLogits(logits, inverseTemperatures, values, ids, logSums));
    }

    @Override
    public void adjustLogits(Tensor logits, Tensor places, Tensor changes) {
        timer.time(OperationKind.SAMPLE, () -> sampling.adjustLogits(logits, places, changes));
    }

    @Override
    public void maskLogits(Tensor logits, Tensor bits, Tensor masked) {
        timer.time(OperationKind.SAMPLE, () -> sampling.maskLogits(logits, bits, masked));
    }
}
