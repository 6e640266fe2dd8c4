/// Commands that measure accuracy: `eval`, `sweep`, `tasks`, `report`, and the worker processes of
/// the first two.
///
/// In: options. Out: a folder with answers, the settings of the run, and a report. Next stop:
/// `io.shadowkv.eval`.
@NullMarked
package io.shadowkv.cli.eval;

import org.jspecify.annotations.NullMarked;
