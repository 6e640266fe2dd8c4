package io.shadowkv.eval.ruler;

import io.shadowkv.eval.Suite;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.needle.Haystack;
import io.shadowkv.eval.needle.NeedleTask;
import io.shadowkv.eval.ruler.text.CweGenerator;
import io.shadowkv.eval.ruler.text.Essay;
import io.shadowkv.eval.ruler.text.Frame;
import io.shadowkv.eval.ruler.text.FweGenerator;
import io.shadowkv.eval.ruler.text.Generator;
import io.shadowkv.eval.ruler.text.NiahGenerator;
import io.shadowkv.eval.ruler.text.QaGenerator;
import io.shadowkv.eval.ruler.text.QaSet;
import io.shadowkv.eval.ruler.text.RulerKind;
import io.shadowkv.eval.ruler.text.RulerWords;
import io.shadowkv.eval.ruler.text.VtGenerator;
import io.shadowkv.eval.text.HaystackFile;
import java.nio.file.Path;
import java.util.List;

/// RULER (arXiv 2404.06654): 13 tasks of any length, generated from a seed.
///
/// qa_1 and qa_2 read `ruler/squad.json` and `ruler/hotpotqa.json` of the data folder.
public final class RulerSuite implements Suite {
    static final String NAME = "ruler";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public List<String> tasks() {
        return RulerKind.ALL.stream().map(RulerKind::name).toList();
    }

    @Override
    public RulerTask open(String task, TaskContext context) {
        RulerKind kind = RulerKind.named(task);
        Frame frame = Frame.of(kind, context);
        long seed = context.seed();
        Path folder = context.options().dataFolder().resolve(NAME);
        Generator generator = switch (kind.family()) {
            case NIAH -> niah(NeedleTask.named(task), frame, context);
            case VT -> new VtGenerator(frame, seed);
            case CWE -> new CweGenerator(frame, RulerWords.of(context), seed);
            case FWE -> new FweGenerator(frame, seed);
            case QA ->
                new QaGenerator(
                        frame,
                        task.equals("qa_1")
                                ? QaSet.squad(folder.resolve("squad.json"))
                                : QaSet.hotpot(folder.resolve("hotpotqa.json")),
                        seed);
        };
        return new RulerTask(kind, context, generator).checkFits();
    }

    private static NiahGenerator niah(NeedleTask task, Frame frame, TaskContext context) {
        Essay essay = task.haystack() == Haystack.ESSAY
                ? new Essay(HaystackFile.read(context.options().haystack()))
                : null;
        return new NiahGenerator(task, frame, RulerWords.of(context), essay, context.seed());
    }
}
