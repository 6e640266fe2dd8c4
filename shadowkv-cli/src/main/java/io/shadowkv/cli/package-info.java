/// The command line: the only module that chooses a backend by name, reads the environment and
/// writes to the terminal.
///
/// In: arguments, standard input, environment variables. Out: text or JSON on standard output;
/// progress and statistics on standard error; an exit code. Called by the launcher `./shadowkv`.
/// Next stop: `io.shadowkv.engine`.
@NullMarked
package io.shadowkv.cli;

import org.jspecify.annotations.NullMarked;
