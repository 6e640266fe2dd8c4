/// The sections of the evaluation report, one in each class: tables and figures made from answers.
@NullMarked
package io.shadowkv.eval.report.section;

import org.jspecify.annotations.NullMarked;
