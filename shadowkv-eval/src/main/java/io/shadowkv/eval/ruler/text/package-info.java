/// RULER's texts: generators of each task, wording by version, and the search for a text's size.
@NullMarked
package io.shadowkv.eval.ruler.text;

import org.jspecify.annotations.NullMarked;
