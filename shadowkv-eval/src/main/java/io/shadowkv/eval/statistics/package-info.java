/// Means, confidence intervals and paired differences over answers.
@NullMarked
package io.shadowkv.eval.statistics;

import org.jspecify.annotations.NullMarked;
