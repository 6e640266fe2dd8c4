/// The sections of the evaluation's report, one a class: tables and figures made of answers.
@NullMarked
package io.shadowkv.eval.report.section;

import org.jspecify.annotations.NullMarked;
