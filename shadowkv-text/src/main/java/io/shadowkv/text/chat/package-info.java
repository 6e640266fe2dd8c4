/// Renders conversations as prompts with the checkpoint's template.
@NullMarked
package io.shadowkv.text.chat;

import org.jspecify.annotations.NullMarked;
