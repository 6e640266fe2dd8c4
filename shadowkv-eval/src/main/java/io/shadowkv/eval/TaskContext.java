package io.shadowkv.eval;

import io.shadowkv.text.Tokenizer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The inputs from which a suite makes its tasks.
///
/// @param tokenizer the model's, for counting and cutting
/// @param format adds the template to questions; a prompt has as many tokens as it returns
/// @param contextTokens maximum length of prompt and answer together; also the limit for texts of
///     files
/// @param seed seed of generated samples
/// @param options locations of texts and files, and the version of a task
/// @param endOfSequence the token with which the model ends a text, as in its vocabulary; empty if
///     it has none
public record TaskContext(
        Tokenizer tokenizer, PromptFormat format, int contextTokens, long seed, Options options, String endOfSequence) {
    /// A context for a model without an end of sequence.
    public TaskContext(Tokenizer tokenizer, PromptFormat format, int contextTokens, long seed, Options options) {
        this(tokenizer, format, contextTokens, seed, options, "");
    }

    /// How the samples of published files are selected, worded and cut.
    ///
    /// @param minTokens samples whose prompt without template has at most this many tokens are left
    ///     out if the suite supports it (LongBench); 0 for all samples
    /// @param prompts source of the prompts, if there are several
    /// @param cut how prompts that are too long are cut, if the suite has a choice (LongBench,
    ///     LongBench v2)
    public record FileRules(int minTokens, PromptVersion prompts, PromptCut cut) {
        /// All samples, the official prompts, cut to the length.
        public static final FileRules USUAL = new FileRules(0, PromptVersion.OFFICIAL, PromptCut.TO_LENGTH);

        public FileRules {
            if (minTokens < 0) {
                throw new IllegalArgumentException(
                        "samples above %,d tokens were asked for; give 0 for all samples".formatted(minTokens));
            }
        }
    }

    /// Locations of texts and files, and which versions and samples to use.
    ///
    /// @param rulerVersion version of RULER's wording and sizes, `nvidia` or `shadowkv`
    /// @param haystack file of the running text (plain, or RULER's JSON with a field `text`; may be
    ///     compressed as `.gz`), null for the bundled one
    /// @param dataFolder folder of published files, with one folder for each suite:
    ///     `longbench/hotpotqa.jsonl`
    /// @param rulerFiles folder of RULER's own files: `vt/validation.jsonl`
    /// @param files how samples of published files are selected, worded and cut
    public record Options(
            String rulerVersion, @Nullable Path haystack, Path dataFolder, Path rulerFiles, FileRules files) {
        /// Options for all samples, with RULER's files in the data folder.
        public Options(String rulerVersion, @Nullable Path haystack, Path dataFolder) {
            this(rulerVersion, haystack, dataFolder, dataFolder.resolve("ruler-file"), FileRules.USUAL);
        }

        /// A copy with other rules for published files.
        public Options withFiles(FileRules rules) {
            return new Options(rulerVersion, haystack, dataFolder, rulerFiles, rules);
        }

        /// A copy with another folder for RULER's files.
        public Options withRulerFiles(Path folder) {
            return new Options(rulerVersion, haystack, dataFolder, folder, files);
        }
    }
}
