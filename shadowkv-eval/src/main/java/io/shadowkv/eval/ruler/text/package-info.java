/// RULER's texts: the generators of the tasks, the wording of each version, and the search for a
/// text's size.
@NullMarked
package io.shadowkv.eval.ruler.text;

import org.jspecify.annotations.NullMarked;
