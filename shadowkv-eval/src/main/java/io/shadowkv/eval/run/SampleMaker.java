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

/// Makes the samples of a run and their prompts. Thread-safe.
///
/// @param tasks by name
/// @param format adds the template to questions
/// @param tokenizer the model's
/// @param contextTokens the model's context
record SampleMaker(Map<String, EvalTask> tasks, PromptFormat format, Tokenizer tokenizer, int contextTokens) {
    SampleMaker {
        tasks = Map.copyOf(tasks);
    }

    /// Makes a sample for a comparison without asking it.
    ///
    /// @throws SampleRefusal if the sample could not be asked
    Preparation.Prepared make(Item item) {
        return make(item, GenerationListener.SILENT, new Cancellation());
    }

    /// Makes a sample.
    ///
    /// @param listener receives the progress of the prefill
    /// @throws SampleRefusal if the sample cannot be asked
    /// @throws IllegalArgumentException if no task of that name was opened
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
            // For example a damaged row, or a question longer than the context: other samples can
            // be asked.
            throw new SampleRefusal(item, String.valueOf(e.getMessage()));
        }
    }
}
