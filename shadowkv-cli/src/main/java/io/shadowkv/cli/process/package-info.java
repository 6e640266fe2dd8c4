/// What all commands share: the surroundings of the process, streams, failures, interruption and
/// progress.
///
/// The only package that reads environment variables and system properties. Called by every
/// command.
@NullMarked
package io.shadowkv.cli.process;

import org.jspecify.annotations.NullMarked;
