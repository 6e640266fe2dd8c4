package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `serve`, from its first line to its end.
class ServeCommandTest {
    @TempDir
    Path folder;

    /// A server that runs on a thread of its own until it is cancelled.
    private static final class Running {
        private final Shell shell;
        private final CompletableFuture<Shell.Result> result;
        private final String announcement;
        private final String url;

        Running(Object... options) throws IOException {
            this(new Shell(), options);
        }

        Running(Shell shell, Object... options) throws IOException {
            this.shell = shell;
            PipedInputStream source = new PipedInputStream();
            shell.printingTo(new PipedOutputStream(source));
            Object[] arguments = new Object[options.length + 3];
            arguments[0] = "serve";
            arguments[1] = "--port";
            arguments[2] = 0;
            System.arraycopy(options, 0, arguments, 3, options.length);
            result = CompletableFuture.supplyAsync(() -> shell.run(arguments));
            String line = new BufferedReader(new InputStreamReader(source, StandardCharsets.UTF_8)).readLine();
            Matcher matcher = Pattern.compile(
                            "serving [\\w.-]+ at (http://127\\.0\\.0\\.1:\\d+)/v1 \\(context [\\d,]+ tokens.*\\)")
                    .matcher(line);
            assertThat(matcher.matches()).as(line).isTrue();
            announcement = line;
            url = matcher.group(1);
        }

        Shell.Result end() throws Exception {
            shell.cancelled();
            return result.get(60, TimeUnit.SECONDS).succeeded();
        }
    }

    /// Runs a line of shell as a user would.
    private String sh(String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sh", "-c", command)
                .directory(Fixtures.repository().toFile())
                .redirectError(folder.resolve("errors").toFile())
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as(Files.readString(folder.resolve("errors")))
                .isZero();
        return output;
    }

    /// Runs every block of shell in the README's section about the server, in its order.
    @Test
    void theReadmesRequestsAreAnswered() throws Exception {
        String readme = Files.readString(Fixtures.repository().resolve("README.md"));
        String section = readme.substring(readme.indexOf("\n## An HTTP server\n"));
        section = section.substring(0, section.indexOf("\n## ", 1));
        List<String> blocks = Pattern.compile("```sh\n(.*?)```", Pattern.DOTALL)
                .matcher(section)
                .results()
                .map(block -> block.group(1))
                .toList();
        assertThat(blocks)
                .hasSize(2)
                .allSatisfy(block -> assertThat(block).startsWith("curl ").contains("http://127.0.0.1:8080/v1/"));
        Running server = new Running();
        List<String> answers = new ArrayList<>();
        for (String block : blocks) {
            answers.add(sh("set -e\n" + block.replace("http://127.0.0.1:8080", server.url)));
        }
        assertThat(answers.get(0)).contains("\"content\":\"", "is 4071523.", "\"finish_reason\":\"stop\"");
        assertThat(answers.get(1))
                .containsPattern("\"id\":\"report\".*\"object\":\"document\"")
                .contains("\"object\":\"chat.completion\"", "4071523")
                .containsPattern("\"cached_tokens\":[1-9]");
        String log = server.end().err();
        assertThat(log)
                .contains(
                        "POST /v1/chat/completions 200",
                        "POST /v1/documents 200",
                        "generated=",
                        "ending: no further requests; 0 running")
                .doesNotContain("4071523", "magic");
    }

    @Test
    void keysComeFromAFile() throws Exception {
        Path keys = Files.writeString(folder.resolve("keys"), "one\n\n two \n");
        Running server = new Running("--api-key-file", keys, "--no-access-log", "--served-name", "needle-32k");
        String models = "curl --silent --output " + folder.resolve("out") + " --write-out '%{http_code}' " + server.url
                + "/v1/models";
        assertThat(sh(models)).isEqualTo("401");
        assertThat(sh(models + " --header 'Authorization: Bearer two'")).isEqualTo("200");
        assertThat(server.end().err()).doesNotContain("GET");
    }

    /// The first lines say what was not on the command line.
    @Test
    void settingsComeFromAFileAndTheEnvironment() throws Exception {
        Path config = Files.writeString(
                folder.resolve("serve.json"), "{\"port\": 1, \"served-name\": \"other\", \"api-key\": \"secret\"}");
        Running server = new Running(
                new Shell()
                        .with("SHADOWKV_SERVED_NAME", "mine")
                        .with("SHADOWKV_MAX_BATHC", "3")
                        .with("SHADOWKV_COMMIT", "abc"),
                "--config",
                config);
        assertThat(server.announcement).startsWith("serving mine at ");
        assertThat(sh("curl --silent --header 'Authorization: Bearer secret' " + server.url + "/v1/models"))
                .contains("\"mine\"");
        assertThat(server.end().err())
                .startsWith("settings that are not flags: served-name (SHADOWKV_SERVED_NAME), api-key (" + config
                        + ")\nignored: SHADOWKV_MAX_BATHC of the environment is not a setting of serve\n")
                .doesNotContain("secret");
    }

    @Test
    void aPortInUseIsAFailureWithAdvice() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            shadowkv("serve", "--port", taken.getLocalPort())
                    .refused(1, "cannot listen on 127.0.0.1:" + taken.getLocalPort(), "Choose another --port");
        }
    }
}
