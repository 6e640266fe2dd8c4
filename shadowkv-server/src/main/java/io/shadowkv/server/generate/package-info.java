/// Runs the generations of one request and merges their events.
///
/// In: engine requests. Out: events with the index of their choice. Next stop: the engine.
@NullMarked
package io.shadowkv.server.generate;

import org.jspecify.annotations.NullMarked;
