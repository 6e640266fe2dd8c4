package io.shadowkv.eval.run;

import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.PromptText;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.SampleRefusal;
import io.shadowkv.text.Tokenizer;
import java.util.Map;

/// Makes the samples of a run and their prompts. Any thread may ask.
///
/// @param tasks by name
/// @param format wraps questions
/// @param tokenizer the model's
/// @param contextTokens the model's context
record SampleMaker(Map<String, EvalTask> tasks, PromptFormat format, Tokenizer tokenizer, int contextTokens) {
    SampleMaker {
        tasks = Map.copyOf(tasks);
    }

    /// Makes a sample that is not asked.
    ///
    /// @throws SampleRefusal if the sample could not be asked
    Preparation.Prepared make(Item item) {
        return make(item, GenerationListener.SILENT, new Cancellation());
    }

    /// @param listener hears of the reading of the prompt
    /// @throws SampleRefusal if the sample cannot be asked
    /// @throws IllegalArgumentException if no task of the name was opened
    Preparation.Prepared make(Item item, GenerationListener listener, Cancellation cancellation) {
        Sample sample = sample(item);
        var text = new PromptText(sample.wrapping(), format, tokenizer);
        return new Preparation.Prepared(sample, SampleDialogue.of(sample, text, contextTokens, listener, cancellation));
    }

    private Sample sample(Item item) {
        EvalTask task = tasks.get(item.task());
        if (task == null) {
            throw new IllegalArgumentException(
                    "no task \"" + item.task() + "\" was opened; there are " + tasks.keySet());
        }
        try {
            return task.sample(item.index());
        } catch (SampleRefusal e) {
            throw e;
        } catch (IllegalArgumentException e) {
            // A row that is damaged, a question longer than the length: the others can be asked.
            throw new SampleRefusal(item, String.valueOf(e.getMessage()));
        }
    }
}
