package io.shadowkv.cli.bench;

import io.shadowkv.cli.Machine;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Takes results as they come: to the log at once, to the terminal when a length is complete, as JSON at the end.
final class E2ePrinter {
    private final PrintWriter out;
    private final boolean json;
    private final RunLog log;
    private final Machine machine;
    private final List<E2eResult> results = new ArrayList<>();
    private final List<E2eResult> waiting = new ArrayList<>();
    private @Nullable E2eSetup setup;
    private @Nullable E2eTable table;

    E2ePrinter(PrintWriter out, boolean json, RunLog log, Machine machine) {
        this.out = out;
        this.json = json;
        this.log = log;
        this.machine = machine;
    }

    /// The next results are of these circumstances, the same for all of them.
    void measured(E2eSetup circumstances, E2eResult result) {
        log.append(E2eJson.run(circumstances, machine, result));
        results.add(result);
        setup = circumstances;
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

    /// There are no more results.
    void end() {
        if (json && setup != null) {
            out.println(E2eJson.of(setup, machine, results).toPrettyString());
        }
        printWaiting();
        out.flush();
    }

    private void printWaiting() {
        if (!json && table != null && !waiting.isEmpty()) {
            table.print(waiting);
        }
        waiting.clear();
    }
}
