/// Benchmarks of whole runs: `bench e2e`, the efficiency table of the paper (arXiv 2410.21465,
/// table 3) for any checkpoint or for random weights of a known shape, and `bench cpu`, which
/// measures the same on the CPU in rounds.
///
/// In: a model, lengths, a batch. Out: a table, JSON, and one line in a log per run. The commands
/// read the options, `E2eRun` and `CpuRounds` do the work and return `E2eResult`s, which
/// `E2eTable`, `CpuPrinter` and `E2eJson` print. `StepBytes` computes the minimum bytes of a step,
/// `Ceilings` measures how fast this machine moves them.
@NullMarked
package io.shadowkv.cli.bench.e2e;

import org.jspecify.annotations.NullMarked;
