/// `serve`: offers a model to clients of OpenAI's API.
///
/// In: options. Out: an HTTP server until the process is told to end.
@NullMarked
package io.shadowkv.cli.serve;

import org.jspecify.annotations.NullMarked;
