/// Calibration: what each layer's selection holds of full attention on a text, and the budgets of
/// layers that a goal asks for.
///
/// In: a model's folder, a text and ShadowKV's parameters. Out: a table with a row per layer, and
/// JSON. `CalibrateCommand` reads the options, `engine.study` measures, and `CalibrateTable` and
/// `CalibrateJson` show the result.
@NullMarked
package io.shadowkv.cli.calibrate;

import org.jspecify.annotations.NullMarked;
