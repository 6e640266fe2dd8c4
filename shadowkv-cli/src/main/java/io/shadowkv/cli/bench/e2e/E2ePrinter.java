package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cli.option.RunLog;
import io.shadowkv.cli.process.Machine;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Receives results one by one: logs each at once, prints a table when a length is complete, and
/// prints JSON at the end.
final class E2ePrinter {
    private final PrintWriter out;
    private final boolean json;
    private final RunLog log;
    private final Machine machine;
    private final List<E2eResult> results = new ArrayList<>();
    private final List<ObjectNode> runs = new ArrayList<>();
    private final List<E2eResult> waiting = new ArrayList<>();
    private final List<E2eFailure> failures = new ArrayList<>();
    private @Nullable E2eTable table;

    E2ePrinter(PrintWriter out, boolean json, RunLog log, Machine machine) {
        this.out = out;
        this.json = json;
        this.log = log;
        this.machine = machine;
    }

    /// Receives a result and the conditions of its measurement, which are the same for all results.
    void measured(E2eSetup circumstances, E2eResult result) {
        ObjectNode run = E2eJson.run(circumstances, machine, result);
        log.append(run);
        runs.add(run);
        results.add(result);
        if (table == null) {
            table = new E2eTable(circumstances, out);
            if (!json) {
                table.head();
            }
        }
        if (!waiting.isEmpty() && waiting.getFirst().contextTokens() != result.contextTokens()) {
            printWaiting();
        }
        waiting.add(result);
    }

    /// Records a run that failed.
    void failed(E2eFailure failure) {
        failures.add(failure);
    }

    /// The runs that failed so far.
    List<E2eFailure> failures() {
        return List.copyOf(failures);
    }

    /// Ends the output; there are no more results. Prints nothing if no run has one.
    void end() {
        if (json && !runs.isEmpty()) {
            out.println(E2eJson.all(runs, results, failures).toPrettyString());
        }
        printWaiting();
        out.flush();
    }

    private void printWaiting() {
        if (!json && table != null && !waiting.isEmpty()) {
            int tokens = waiting.getFirst().contextTokens();
            table.print(
                    waiting,
                    failures.stream()
                            .filter(failure -> failure.contextTokens() == tokens)
                            .toList());
        }
        waiting.clear();
    }
}
