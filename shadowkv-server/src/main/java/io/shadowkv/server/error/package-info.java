/// Refusals and failures as HTTP status, headers and the JSON error body of OpenAI's API.
@NullMarked
package io.shadowkv.server.error;

import org.jspecify.annotations.NullMarked;
