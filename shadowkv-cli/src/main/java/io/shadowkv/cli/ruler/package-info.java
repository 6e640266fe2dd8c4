/// `ruler build`: writes RULER's tasks as files in RULER's own format, for any model's tokenizer
/// and template.
///
/// In: a model's name, a length, tasks. Out: `DIR/<task>/validation.jsonl`, which `eval` and
/// NVIDIA's scripts read. `RulerBuildCommand` reads the options, `RulerBuild` writes; next stop:
/// `io.shadowkv.eval.ruler`.
@NullMarked
package io.shadowkv.cli.ruler;

import org.jspecify.annotations.NullMarked;
