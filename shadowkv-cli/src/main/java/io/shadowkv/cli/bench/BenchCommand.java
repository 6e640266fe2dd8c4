package io.shadowkv.cli.bench;

import io.shadowkv.cli.bench.e2e.CpuCommand;
import io.shadowkv.cli.bench.e2e.E2eCommand;
import io.shadowkv.cli.bench.serve.ServeBenchCommand;
import io.shadowkv.cli.bench.sharing.SharingCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `bench`: the group of benchmark commands.
@Command(
        name = "bench",
        description = "Measures speed and memory.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "BENCHMARK",
        footer = {
            "",
            "Examples:",
            "  shadowkv bench e2e --model needle-32k --context 16k --batch 2",
            "  shadowkv bench e2e --random llama-3.1-8b --context 60k,122k --clone-prefill --hit-rate 0.6",
            "  shadowkv bench cpu --model model-Q8_0.gguf --context 512,4k --batch 1",
            "  shadowkv bench sharing --random llama-3.1-8b --context 122k --batch 20",
            "  shadowkv bench serve --url http://127.0.0.1:8080 --rate 1,2,4 --goal-ttft 500"
        },
        subcommands = {E2eCommand.class, CpuCommand.class, SharingCommand.class, ServeBenchCommand.class})
public final class BenchCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private BenchCommand() {}

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "no benchmark given; one of "
                        + String.join(", ", spec.subcommands().keySet()));
    }
}
