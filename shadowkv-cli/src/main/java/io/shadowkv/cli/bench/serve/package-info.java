/// `bench serve`: measures a server under load, over HTTP or in this process.
///
/// In: a server's address, or a model and methods; a trace and a load. Out: tables, JSON lines and a
/// page. `ServeBenchCommand` reads the options, `ServeBenchRun` does the work with `cli.bench.load`,
/// and `LoadPrinter`, `LoadJson` and `LoadPage` show the `LoadResult`s.
@NullMarked
package io.shadowkv.cli.bench.serve;

import org.jspecify.annotations.NullMarked;
