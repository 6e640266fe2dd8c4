/// Operations on logits: the largest of a row, changes of single logits, masks.
@NullMarked
package io.shadowkv.cuda.sampling;

import org.jspecify.annotations.NullMarked;
