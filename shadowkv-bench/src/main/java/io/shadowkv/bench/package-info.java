/// Measures the speed of kernels and compares it with the ceilings of the machine.
///
/// In: a backend. Out: a table, and a line of JSON for each measurement in `docs/bench`. Started
/// from the command line.
@NullMarked
package io.shadowkv.bench;

import org.jspecify.annotations.NullMarked;
