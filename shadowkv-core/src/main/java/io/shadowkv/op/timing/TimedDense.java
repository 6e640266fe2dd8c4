package io.shadowkv.op.timing;

import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.OperationKind;
import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Times each dense operation under its kind. Default methods are forwarded too, because a backend
/// may override them.
final class TimedDense implements DenseOperations {
    private final DenseOperations dense;
    private final Timer timer;

    TimedDense(DenseOperations dense, Timer timer) {
        this.dense = dense;
        this.timer = timer;
    }

    @Override
    public void embed(Tensor ids, Weight table, Tensor out) {
        timer.time(OperationKind.ROWS, () -> dense.embed(ids, table, out));
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double epsilon, Tensor out) {
        timer.time(OperationKind.ROWS, () -> dense.rmsNorm(x, weight, epsilon, out));
    }

    @Override
    public void linear(Tensor x, Weight weight, @Nullable Tensor bias, Tensor out) {
        timer.time(OperationKind.LINEARS, () -> dense.linear(x, weight, bias, out));
    }

    @Override
    public void linears(Tensor x, List<? extends Weight> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        timer.time(OperationKind.LINEARS, () -> dense.linears(x, weights, biases, outs));
    }

    @Override
    public void addLinear(Tensor x, Weight weight, @Nullable Tensor bias, Tensor scratch, Tensor target) {
        timer.time(OperationKind.LINEARS, () -> dense.addLinear(x, weight, bias, scratch, target));
    }

    @Override
    public void argmax(Tensor logits, Tensor ids) {
        timer.time(OperationKind.SAMPLE, () -> dense.argmax(logits, ids));
    }

    @Override
    public void fillNormal(Tensor target, long seed, double deviation) {
        timer.time(OperationKind.ROWS, () -> dense.fillNormal(target, seed, deviation));
    }

    @Override
    public void add(Tensor target, Tensor source) {
        timer.time(OperationKind.ROWS, () -> dense.add(target, source));
    }

    @Override
    public void scale(Tensor x, double factor) {
        timer.time(OperationKind.ROWS, () -> dense.scale(x, factor));
    }

    @Override
    public void scaleRows(Tensor x, Tensor at, Tensor factors) {
        timer.time(OperationKind.ROWS, () -> dense.scaleRows(x, at, factors));
    }

    @Override
    public void addRows(Tensor target, Tensor at, Tensor source) {
        timer.time(OperationKind.ROWS, () -> dense.addRows(target, at, source));
    }

    @Override
    public void chooseExperts(Tensor logits, boolean isNormalised, Tensor ids, Tensor shares) {
        timer.time(OperationKind.ROWS, () -> dense.chooseExperts(logits, isNormalised, ids, shares));
    }

    @Override
    public void gatedSilu(Tensor gate, Tensor up) {
        timer.time(OperationKind.ROWS, () -> dense.gatedSilu(gate, up));
    }

    @Override
    public void gatedLinear(
            Tensor x, List<? extends Weight> weights, List<@Nullable Tensor> biases, Tensor gate, Tensor up) {
        timer.time(OperationKind.LINEARS, () -> dense.gatedLinear(x, weights, biases, gate, up));
    }

    @Override
    public void rotate(Tensor x, Tensor positions, Rotary rotary) {
        timer.time(OperationKind.ROWS, () -> dense.rotate(x, positions, rotary));
    }

    @Override
    public void rotate(Tensor queries, Tensor keys, Tensor positions, Rotary rotary) {
        timer.time(OperationKind.ROWS, () -> dense.rotate(queries, keys, positions, rotary));
    }

    @Override
    public void copy(Tensor source, Tensor target) {
        timer.time(OperationKind.ROWS, () -> dense.copy(source, target));
    }
}
