package io.shadowkv.eval;

import io.shadowkv.text.Tokenizer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What tasks are made for.
///
/// @param tokenizer the model's, for counting and cutting
/// @param format wraps questions; a prompt has as many tokens as it says
/// @param contextTokens tokens that prompt and answer may have together; also where files are cut
/// @param seed of generated samples
/// @param options where texts and files lie, and which version of a task is meant
/// @param endOfSequence the token with which the model ends a text, as its vocabulary writes it;
///     empty if it has none
public record TaskContext(
        Tokenizer tokenizer, PromptFormat format, int contextTokens, long seed, Options options, String endOfSequence) {
    /// For a model without an end of sequence.
    public TaskContext(Tokenizer tokenizer, PromptFormat format, int contextTokens, long seed, Options options) {
        this(tokenizer, format, contextTokens, seed, options, "");
    }

    /// How the samples of published files are chosen, worded and cut.
    ///
    /// @param minTokens samples whose prompt has no more tokens, wrapping apart, are left out where
    ///     a suite can (LongBench); 0 for all
    /// @param prompts whose prompts are asked, where there are several
    /// @param cut where prompts that are too long are cut, where a suite can choose (LongBench,
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

    /// Where texts and files lie, and which version and samples are meant.
    ///
    /// @param rulerVersion `nvidia` or `shadowkv`: whose wording and filling
    /// @param haystack file of the running text (plain, or RULER's JSON with a field `text`; `.gz` too),
    ///     null for the bundled one
    /// @param dataFolder folder of published files, one folder a suite: `longbench/hotpotqa.jsonl`
    /// @param rulerFiles folder of RULER's own files: `vt/validation.jsonl`
    /// @param files how samples of published files are chosen, worded and cut
    public record Options(
            String rulerVersion, @Nullable Path haystack, Path dataFolder, Path rulerFiles, FileRules files) {
        /// Options for all samples, RULER's files beside the other suites'.
        public Options(String rulerVersion, @Nullable Path haystack, Path dataFolder) {
            this(rulerVersion, haystack, dataFolder, dataFolder.resolve("ruler-file"), FileRules.USUAL);
        }

        /// The same for other samples of published files, or otherwise worded or cut.
        public Options withFiles(FileRules rules) {
            return new Options(rulerVersion, haystack, dataFolder, rulerFiles, rules);
        }

        /// The same with RULER's files elsewhere.
        public Options withRulerFiles(Path folder) {
            return new Options(rulerVersion, haystack, dataFolder, folder, files);
        }
    }
}
