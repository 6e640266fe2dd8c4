package io.shadowkv.cli.eval;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.HeadShape;
import io.shadowkv.cache.prefill.PrefillAttention;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.EngineExaminer;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.Examiner;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Answers with an engine of this process.
final class OwnExaminer implements Examiners {
    private final EvalModel model;
    private final Backend backend;
    private final Engine engine;
    private final boolean measuresDivergence;
    private final int massRows;
    private final Cancellation cancellation;

    /// @param batch samples that decode together
    /// @param massRows number of rows whose kept mass is measured; 0 for none
    /// @param err receives the choice of the backend
    OwnExaminer(
            EvalModel model,
            EngineFlags flags,
            int batch,
            boolean measuresDivergence,
            int massRows,
            Cancellation cancellation,
            PrintWriter err) {
        this.model = model;
        this.measuresDivergence = measuresDivergence;
        this.massRows = massRows;
        this.cancellation = cancellation;
        Backends.Choice choice = flags.openBackend(err);
        this.backend = choice.backend();
        try {
            this.engine = Engine.open(
                    model.folder(),
                    backend,
                    flags.options(new KvCacheSpec.Full()).withMaxBatch(batch));
            engine.notes().forEach(note -> err.println("note: " + note));
        } catch (RuntimeException e) {
            backend.close();
            throw e;
        }
    }

    @Override
    public String backend() {
        return backend.name();
    }

    @Override
    public List<Supplier<Examiner>> seats(EvalPlan plan, Map<String, EvalTask> tasks, Consumer<String> errors) {
        // A method that this backend or model does not have is refused before the first sample is read.
        plan.methods().forEach(this::check);
        return List.of(() ->
                new EngineExaminer(engine, plan, tasks, model.format(), measuresDivergence, massRows, cancellation));
    }

    private void check(Method method) {
        engine.plan(method.spec(), engine.contextTokens(), 1);
        DecoderSpec spec = engine.spec();
        HeadShape heads = new HeadShape(spec.layers(), spec.queryHeads(), spec.kvHeads(), spec.headDim());
        PrefillAttention.of(method.prefillSpec(), heads, backend);
    }

    @Override
    public void close() {
        engine.close();
        backend.close();
    }
}
