/// The HTTP server: OpenAI's API for one engine.
///
/// In: requests of HTTP clients. Out: JSON and event streams. Called by the command `serve`. Next
/// stop: `endpoint`.
@NullMarked
package io.shadowkv.server;

import org.jspecify.annotations.NullMarked;
