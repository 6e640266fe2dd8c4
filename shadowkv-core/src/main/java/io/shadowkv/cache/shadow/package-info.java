/// ShadowKV (arXiv 2410.21465): keeps low-rank plain keys and landmarks in device memory and values
/// in host memory, and fetches in every decode step only the chunks that the query needs.
///
/// In: keys and values of a prompt, then one token per step. Out: attention over local | outliers |
/// selected | generated. Called through `cache`. Next stop: `io.shadowkv.model`.
@NullMarked
package io.shadowkv.cache.shadow;

import org.jspecify.annotations.NullMarked;
