package io.shadowkv.cli.model;

import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Backends.Candidate;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

/// `backends`: lists the backends, and why each can or cannot be used.
@Command(
        name = "backends",
        description = "Lists the backends, and why each can or cannot be used on this machine.",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  shadowkv backends", "  shadowkv backends --json"})
public final class BackendsCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "Print a JSON array.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private BackendsCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        List<Candidate> rows = Backends.all(BackendOptions.DEFAULT).stream().toList();
        if (json) {
            ArrayNode array = JsonMapper.shared().createArrayNode();
            rows.forEach(row -> array.addObject()
                    .put("name", row.name())
                    .put("usable", row.availability().usable())
                    .put("reason", row.availability().reason()));
            out.println(array.toPrettyString());
        } else {
            rows.forEach(row -> out.printf(
                    "%-10s  %-6s  %s%n",
                    row.name(),
                    row.availability().usable() ? "usable" : "-",
                    row.availability().reason()));
        }
        out.flush();
        return 0;
    }
}
