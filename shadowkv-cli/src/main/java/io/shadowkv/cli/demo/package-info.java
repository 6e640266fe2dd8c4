/// The demo: full attention and ShadowKV answer the same questions about the same text.
///
/// In: a model's folder and a length. Out: a table with a column per method, a self-contained HTML
/// page with plots, or JSON. `DemoCommand` reads the options, and `DemoRun` does the work and
/// returns a `DemoResult`, which `DemoTable`, `DemoJson` and `DemoReport` show.
@NullMarked
package io.shadowkv.cli.demo;

import org.jspecify.annotations.NullMarked;
