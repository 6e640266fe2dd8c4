/// The part of the Jinja template language that chat templates use.
///
/// In: a template's source and its variables. Out: the rendered text, or a `JinjaException` with
/// the line. Called by `text` ([io.shadowkv.text.chat.ChatTemplate]). Next stop: none; a template
/// reads only its variables.
@NullMarked
package io.shadowkv.text.jinja;

import org.jspecify.annotations.NullMarked;
