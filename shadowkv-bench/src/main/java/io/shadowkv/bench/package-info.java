/// Speed of kernels, beside what the machine can do at all.
///
/// In: a backend. Out: a table, and a line of JSON for each measurement in `docs/bench`. Called from the
/// command line; nothing calls on from here.
@NullMarked
package io.shadowkv.bench;

import org.jspecify.annotations.NullMarked;
