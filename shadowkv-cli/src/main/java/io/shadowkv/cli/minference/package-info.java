/// `minference search`: makes a pattern file for MInference's prefill of a model that has none.
///
/// In: a model and texts. Out: a file that `--minference` reads, and a table.
/// `MinferenceSearchCommand` reads the options, `PatternSearchRun` reads the texts and keeps what it
/// measured in a `SearchFile`, so that an interrupted search resumes; next stop:
/// `io.shadowkv.cache.prefill.PatternTrials`.
@NullMarked
package io.shadowkv.cli.minference;

import org.jspecify.annotations.NullMarked;
