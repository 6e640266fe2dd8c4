/// Writes answers: event streams and whole JSON bodies in the forms of OpenAI's API.
@NullMarked
package io.shadowkv.server.answer;

import org.jspecify.annotations.NullMarked;
