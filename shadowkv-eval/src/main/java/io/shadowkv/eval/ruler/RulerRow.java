package io.shadowkv.eval.ruler;

import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.ruler.text.Draft;
import io.shadowkv.eval.ruler.text.RulerKind;
import io.shadowkv.eval.ruler.text.RulerVersion;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// A sample with the properties that RULER's own files have for it.
public final class RulerRow {
    private final RulerKind kind;
    private final RulerVersion version;
    private final int index;
    private final Draft draft;
    private final int length;
    private final PromptFormat format;

    RulerRow(RulerKind kind, RulerVersion version, int index, Draft draft, int length, PromptFormat format) {
        this.kind = kind;
        this.version = version;
        this.index = index;
        this.draft = draft;
        this.length = length;
        this.format = format;
    }

    /// The prompt with its chat template, up to the beginning of the answer.
    public String input() {
        return draft.input();
    }

    public String answerPrefix() {
        return draft.prefix();
    }

    public List<String> outputs() {
        return draft.answers();
    }

    /// Tokens of the prompt and of the answer's maximum length, as the version counts them.
    public int length() {
        return length;
    }

    /// The row as a sample, labelled with its length and the depth of its first needle.
    public Sample sample() {
        var turn = new Sample.Turn(
                draft.user(),
                draft.question(),
                draft.prefix(),
                draft.answers(),
                kind.newTokens(),
                List.of(),
                kind.metrics());
        Map<String, String> labels = new TreeMap<>();
        labels.put("length", Integer.toString(length));
        if (draft.depth() >= 0) {
            labels.put("depth", Integer.toString(draft.depth()));
        }
        return new Sample(
                RulerSuite.NAME + "/" + kind.name(),
                index,
                List.of(turn),
                draft.wrapping(),
                Sample.History.CONVERSATION,
                labels);
    }

    /// The row as a line of the version's JSONL, without the line break.
    ///
    /// The older version keeps the beginning of the answer in the input. In NVIDIA's niah rows
    /// `index` is the position of the first answer in characters instead of the row's number,
    /// because the original uses one variable for both.
    public String json() {
        ObjectNode row = JsonMapper.shared().createObjectNode();
        boolean isNvidia = version == RulerVersion.NVIDIA;
        boolean isNeedle = isNvidia && kind.family() == RulerKind.Family.NIAH;
        int place = isNeedle ? input().indexOf(outputs().getFirst()) : -1;
        row.put("index", isNeedle ? input().codePointCount(0, place) : index);
        row.put("input", isNvidia ? input() : input() + answerPrefix());
        var outputs = row.putArray("outputs");
        outputs().forEach(outputs::add);
        row.put("length", length);
        if (isNvidia) {
            row.put("length_w_model_temp", length);
            row.put("answer_prefix", answerPrefix());
        }
        if (isNeedle) {
            row.put("token_position_answer", format.encode(input().substring(0, place)).length);
        }
        return row.toString();
    }
}
