/// Regular expressions over the characters of JSON strings, as automata over bytes.
///
/// In: the `pattern` and `format` of a JSON schema. Out: a [io.shadowkv.text.grammar.regex.Dfa].
/// Called by `text.grammar`.
@NullMarked
package io.shadowkv.text.grammar.regex;

import org.jspecify.annotations.NullMarked;
