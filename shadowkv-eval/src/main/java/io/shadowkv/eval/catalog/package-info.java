/// All suites by name, and the tasks that a list of names refers to.
@NullMarked
package io.shadowkv.eval.catalog;

import org.jspecify.annotations.NullMarked;
