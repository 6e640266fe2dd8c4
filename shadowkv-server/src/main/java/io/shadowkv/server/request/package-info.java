/// Request bodies of OpenAI's API: reads, checks and defaults them.
///
/// In: JSON. Out: records. What the engine cannot do is refused in `NotSupported`.
@NullMarked
package io.shadowkv.server.request;

import org.jspecify.annotations.NullMarked;
