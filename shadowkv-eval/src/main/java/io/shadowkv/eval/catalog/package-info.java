/// All suites under their names, and the tasks that a list of names means.
@NullMarked
package io.shadowkv.eval.catalog;

import org.jspecify.annotations.NullMarked;
