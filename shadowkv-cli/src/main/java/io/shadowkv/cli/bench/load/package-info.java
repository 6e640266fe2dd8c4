/// The load generator of `bench serve`, independent of how requests are sent.
///
/// In: a trace of requests, arrival times or a number of clients, and a target. Out: an
/// [io.shadowkv.cli.bench.load.AnswerRecord] for each request, and the
/// [io.shadowkv.cli.bench.load.LoadSummary] of all of them. `cli.bench.serve` implements the targets
/// and shows the results.
@NullMarked
package io.shadowkv.cli.bench.load;

import org.jspecify.annotations.NullMarked;
