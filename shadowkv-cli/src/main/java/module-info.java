/// The command line, the only module that chooses a backend by name.
module io.shadowkv.cli {
    requires static org.jspecify;
    requires info.picocli;
    requires io.shadowkv.core;
    requires io.shadowkv.cpu;
    requires io.shadowkv.cuda;
    requires io.shadowkv.eval;
    requires io.shadowkv.hub;
    requires io.shadowkv.report;
    requires io.shadowkv.server;
    requires java.logging;
    requires java.net.http;
    requires tools.jackson.databind;

    opens io.shadowkv.cli to
            info.picocli;
    opens io.shadowkv.cli.bench to
            info.picocli;
    opens io.shadowkv.cli.bench.e2e to
            info.picocli;
    opens io.shadowkv.cli.bench.serve to
            info.picocli;
    opens io.shadowkv.cli.bench.sharing to
            info.picocli;
    opens io.shadowkv.cli.calibrate to
            info.picocli;
    opens io.shadowkv.cli.demo to
            info.picocli;
    opens io.shadowkv.cli.eval to
            info.picocli;
    opens io.shadowkv.cli.minference to
            info.picocli,
            tools.jackson.databind;
    opens io.shadowkv.cli.model to
            info.picocli;
    opens io.shadowkv.cli.option to
            info.picocli;
    opens io.shadowkv.cli.process to
            info.picocli;
    opens io.shadowkv.cli.pull to
            info.picocli;
    opens io.shadowkv.cli.run to
            info.picocli;
    opens io.shadowkv.cli.serve to
            info.picocli;
    opens io.shadowkv.cli.ruler to
            info.picocli,
            tools.jackson.databind;
}
