/// The first impression: full attention and ShadowKV answer the same questions about the same text, side by side.
///
/// In: a model's folder and a length. Out: two columns of figures, a self-contained HTML page with plots, or
/// JSON. `DemoCommand` reads the options, `DemoRun` does the work and returns a `DemoResult`, which
/// `DemoTable`, `DemoJson` and `DemoReport` show. Here too is `needle`, the same tasks counted over many
/// samples.
@NullMarked
package io.shadowkv.cli.demo;

import org.jspecify.annotations.NullMarked;
