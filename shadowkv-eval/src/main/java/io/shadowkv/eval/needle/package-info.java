/// Needle-in-a-haystack samples as in RULER: the needles' form, their positions and the questions.
///
/// In: a [io.shadowkv.eval.needle.NeedleTask], running text, words for keys, a length in tokens.
/// Out: a [io.shadowkv.eval.needle.NeedleText], the sample with its needles and their depths, the
/// same for the same seed on any machine. Called by `io.shadowkv.eval.niah` and the demo.
/// `io.shadowkv.eval.ruler` fills its texts by the original's rules and uses the tasks, sentences
/// and random sampling of this package. Next stop: [io.shadowkv.eval.text].
@NullMarked
package io.shadowkv.eval.needle;

import org.jspecify.annotations.NullMarked;
