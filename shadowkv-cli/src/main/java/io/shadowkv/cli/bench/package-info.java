/// Benchmarks of whole runs: `bench e2e`, the efficiency table of the paper (arXiv 2410.21465,
/// table 3) for any checkpoint or for random weights of a known shape.
///
/// In: a model, lengths, a batch. Out: a table, JSON, and one line in a log per run. `E2eCommand`
/// reads the options, and `E2eRun` does the work and returns `E2eResult`s, which `E2eTable` and
/// `E2eJson` print. `StepBytes` computes the minimum bytes of a step, `Ceilings` measures how fast
/// this machine moves them.
@NullMarked
package io.shadowkv.cli.bench;

import org.jspecify.annotations.NullMarked;
