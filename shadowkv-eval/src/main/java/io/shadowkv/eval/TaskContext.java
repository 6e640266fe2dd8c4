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
public record TaskContext(Tokenizer tokenizer, PromptFormat format, int contextTokens, long seed, Options options) {
    /// Where texts and files lie, and which version and samples are meant.
    ///
    /// @param rulerVersion `nvidia` or `shadowkv`: whose wording and filling
    /// @param haystack file of the running text (plain, or RULER's JSON with a field `text`; `.gz` too),
    ///     null for the bundled one
    /// @param dataFolder folder of published files, one folder a suite: `longbench/hotpotqa.jsonl`
    /// @param rulerFiles folder of RULER's own files: `vt/validation.jsonl`
    /// @param minTokens samples of files whose prompt has no more tokens, wrapping apart, are left out
    ///     where a suite can (LongBench); 0 for all
    public record Options(
            String rulerVersion, @Nullable Path haystack, Path dataFolder, Path rulerFiles, int minTokens) {
        public Options {
            if (minTokens < 0) {
                throw new IllegalArgumentException(
                        "samples above %,d tokens were asked for; give 0 for all samples".formatted(minTokens));
            }
        }

        /// Options for samples of any length, RULER's files beside the other suites'.
        public Options(String rulerVersion, @Nullable Path haystack, Path dataFolder) {
            this(rulerVersion, haystack, dataFolder, dataFolder.resolve("ruler-file"), 0);
        }

        /// The same for samples of files above so many tokens.
        public Options withMinTokens(int tokens) {
            return new Options(rulerVersion, haystack, dataFolder, rulerFiles, tokens);
        }

        /// The same with RULER's files elsewhere.
        public Options withRulerFiles(Path folder) {
            return new Options(rulerVersion, haystack, dataFolder, folder, minTokens);
        }
    }
}
