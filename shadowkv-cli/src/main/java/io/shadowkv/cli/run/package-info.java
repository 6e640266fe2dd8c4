/// `run`: answers one prompt, or starts a chat.
///
/// In: a prompt and sampling options. Out: the answer on standard output.
@NullMarked
package io.shadowkv.cli.run;

import org.jspecify.annotations.NullMarked;
