/// Counts and measures, under the names that dashboards of vLLM know.
@NullMarked
package io.shadowkv.server.metrics;

import org.jspecify.annotations.NullMarked;
