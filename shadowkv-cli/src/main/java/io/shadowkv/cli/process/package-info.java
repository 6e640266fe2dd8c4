/// What all commands share: the process's surroundings, streams, failures, interruption and progress.
///
/// The only room that reads the environment and system properties. Called by every command.
@NullMarked
package io.shadowkv.cli.process;

import org.jspecify.annotations.NullMarked;
