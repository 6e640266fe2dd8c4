/// What samples are made of: published files, long texts, prompts with places.
///
/// In: files, plain or packed. Out: rows by number ([io.shadowkv.eval.text.JsonLines],
/// [io.shadowkv.eval.text.JsonArray]), of which none is held; running text as one string or in sentences;
/// the words of a prompt, cut in the middle where they are too long. Called by the suites; next stop: the
/// disk.
@NullMarked
package io.shadowkv.eval.text;

import org.jspecify.annotations.NullMarked;
