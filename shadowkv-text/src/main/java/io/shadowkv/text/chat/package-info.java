/// Conversations to prompts, by the template a checkpoint brings.
@NullMarked
package io.shadowkv.text.chat;

import org.jspecify.annotations.NullMarked;
