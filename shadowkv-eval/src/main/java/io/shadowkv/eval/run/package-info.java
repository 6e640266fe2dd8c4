/// One evaluation run: a plan, examiners that answer, and the log that every answer is appended to.
@NullMarked
package io.shadowkv.eval.run;

import org.jspecify.annotations.NullMarked;
