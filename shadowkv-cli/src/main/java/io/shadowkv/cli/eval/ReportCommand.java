package io.shadowkv.cli.eval;

import io.shadowkv.cli.process.NamedFailure;
import io.shadowkv.eval.report.Report;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `report`: writes the report of a folder of answers as a page, as Markdown and as figures.
@Command(
        name = "report",
        description = {
            "Writes report.html, report.md and every figure as .svg and .png into a folder of answers.",
            "Reads every answers*.jsonl and run*.json in the folder and in its subfolders, so that runs with other"
                    + " backends or lengths share a report. The answers do not change; a run may be in progress."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv report results/needle-32k",
            "  shadowkv report results --json            (several runs, one folder per run)"
        })
public final class ReportCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "The folder with the answers of `shadowkv eval`.")
    private Path folder;

    @Option(names = "--json", description = "Print the names of the written files as JSON.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private ReportCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Report.Written written = NamedFailure.within(folder, () -> Report.write(folder));
        if (json) {
            ObjectNode object = JsonMapper.shared().createObjectNode().put("answers", written.answers());
            ArrayNode files = object.putArray("files");
            written.files().forEach(file -> files.add(file.toString()));
            ArrayNode notes = object.putArray("notes");
            written.notes().forEach(notes::add);
            out.println(object.toPrettyString());
        } else {
            written.notes().forEach(note -> out.println("note: " + note));
            out.printf(
                    "%d answers, %d files; open %s%n",
                    written.answers(), written.files().size(), written.files().getFirst());
        }
        out.flush();
        return 0;
    }
}
