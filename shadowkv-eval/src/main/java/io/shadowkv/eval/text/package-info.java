/// The sources of samples: published files, long texts, prompts with placeholders.
///
/// In: files, plain or compressed. Out: rows by number ([io.shadowkv.eval.text.JsonLines],
/// [io.shadowkv.eval.text.JsonArray]), read on demand; running text as one string or in sentences;
/// the text of a prompt, cut in the middle if it is too long. Called by the suites; next stop: the
/// disk.
@NullMarked
package io.shadowkv.eval.text;

import org.jspecify.annotations.NullMarked;
