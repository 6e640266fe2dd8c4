/// `serve`: offers a model to clients of OpenAI's API.
///
/// In: options, from the command line, the environment and a file ([Settings]). Out: an HTTP server until the process
/// is told to end.
@NullMarked
package io.shadowkv.cli.serve;

import org.jspecify.annotations.NullMarked;
