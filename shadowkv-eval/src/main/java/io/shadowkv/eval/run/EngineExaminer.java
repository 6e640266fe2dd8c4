package io.shadowkv.eval.run;

import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.study.ComparedAnswers;
import io.shadowkv.engine.study.ComparedStrategy;
import io.shadowkv.engine.study.Dialogue;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.PromptFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Answers with an engine of this process: every prompt is read once for all methods that read alike,
/// and under each method all prompts of a batch decode together. Other threads make the samples, including
/// those expected next, while the engine answers.
public final class EngineExaminer implements Examiner {
    private final Engine engine;
    private final EvalPlan plan;
    private final SampleMaker maker;
    private final boolean measuresDivergence;
    private final int massRows;
    private final Cancellation cancellation;
    private final Preparation<Preparation.Prepared> preparation;
    private Listener listener = _ -> {};

    /// Creates an examiner.
    ///
    /// @param engine is not closed by this object
    /// @param tasks the plan's tasks by name; used by several threads
    /// @param format adds the template to questions
    /// @param measuresDivergence whether to compare distributions with full attention's if the plan
    ///     has it
    /// @param cancellation ends an answer from outside
    public EngineExaminer(
            Engine engine,
            EvalPlan plan,
            Map<String, EvalTask> tasks,
            PromptFormat format,
            boolean measuresDivergence,
            Cancellation cancellation) {
        this(engine, plan, tasks, format, measuresDivergence, 0, cancellation);
    }

    /// Creates an examiner that also measures the kept mass of sparse prefill
    /// ([io.shadowkv.cache.prefill.LayerDensity#keptMass]).
    ///
    /// @param massRows number of rows of a prompt that are measured in each layer; 0 for none
    public EngineExaminer(
            Engine engine,
            EvalPlan plan,
            Map<String, EvalTask> tasks,
            PromptFormat format,
            boolean measuresDivergence,
            int massRows,
            Cancellation cancellation) {
        this.engine = engine;
        this.massRows = massRows;
        this.plan = plan;
        this.maker = new SampleMaker(tasks, format, engine.tokenizer(), engine.contextTokens());
        this.measuresDivergence = measuresDivergence && plan.methods().contains(Method.FULL);
        this.cancellation = cancellation;
        this.preparation = new Preparation<>(this::prepare);
    }

    @Override
    public void expect(List<Item> items) {
        preparation.expect(items);
    }

    @Override
    public List<AnswerRecord> examine(List<Item> items, Wanted wanted, Listener listener) {
        this.listener = listener;
        List<Preparation.Prepared> prepared = preparation.take(items);
        List<Dialogue> dialogues = new ArrayList<>();
        prepared.forEach(one -> dialogues.add(one.dialogue()));
        List<Method> methods = methods(items, wanted);
        List<ComparedStrategy> strategies = methods.stream()
                .map(method ->
                        new ComparedStrategy(method.spec(), method.prefillSpec().measuring(massRows)))
                .toList();
        List<List<ComparedAnswers>> compared =
                engine.compareStrategies(dialogues, strategies, measuresDivergence && strategies.size() > 1);
        List<AnswerRecord> answers = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            var asked = new AskedSample(
                    plan,
                    items.get(i),
                    prepared.get(i).sample(),
                    prepared.get(i).dialogue());
            asked.records(methods, compared.get(i)).stream()
                    .filter(answer -> wanted.isWanted(answer.key()))
                    .forEach(answers::add);
        }
        return answers;
    }

    private Preparation.Prepared prepare(Item item) {
        GenerationListener reading = new GenerationListener() {
            @Override
            public void reading(double done) {
                listener.reading(done);
            }
        };
        return maker.make(item, reading, cancellation);
    }

    /// The methods that some item wants, full attention first. Full attention is included even if
    /// it is not wanted when divergence is measured.
    private List<Method> methods(List<Item> items, Wanted wanted) {
        List<Method> some = new ArrayList<>();
        for (Method method : plan.methods()) {
            if (items.stream().anyMatch(item -> wanted.isWanted(plan.key(item, method)))) {
                some.add(method);
            }
        }
        if (measuresDivergence) {
            some.remove(Method.FULL);
            some.addFirst(Method.FULL);
        }
        return some;
    }

    /// Leaves the engine open, because it belongs to the caller.
    @Override
    public void close() {
        preparation.close();
    }
}
