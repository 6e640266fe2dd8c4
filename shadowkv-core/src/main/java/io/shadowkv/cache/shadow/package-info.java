/// ShadowKV (arXiv 2410.21465): low-rank plain keys and landmarks in device memory, values in host memory,
/// and at every decode step only the chunks that the query needs.
///
/// In: keys and values of a prompt, then one token a step. Out: attention over local | outliers | selected |
/// generated. Called through `cache`. Next stop: `io.shadowkv.model`.
@NullMarked
package io.shadowkv.cache.shadow;

import org.jspecify.annotations.NullMarked;
