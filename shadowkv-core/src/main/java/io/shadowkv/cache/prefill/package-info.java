/// How the rows of a prompt attend to the keys before them: exactly, or to some of the keys.
///
/// In: the choice of the options ([PrefillSpec]), and the keys, values and queries of one layer at a
/// time. Out: attention of the rows, and how dense it was. The prompt caches of every strategy call
/// it. Next stop: [BlockAttention], which needs nothing but the prompt, and [MinferenceAttention],
/// which needs a pattern for each head; both fill the lists of one operation,
/// [io.shadowkv.op.AttentionOperations#prefillSelected]. [KeptMass] measures what the lists hold;
/// [TrialAttention] does it for the candidates of a search for patterns ([PatternTrials]).
@NullMarked
package io.shadowkv.cache.prefill;

import org.jspecify.annotations.NullMarked;
