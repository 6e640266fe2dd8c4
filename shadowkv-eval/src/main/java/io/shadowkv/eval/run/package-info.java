/// An evaluation run: the plan, the examiners that answer it, and the log to which answers are
/// appended.
@NullMarked
package io.shadowkv.eval.run;

import org.jspecify.annotations.NullMarked;
