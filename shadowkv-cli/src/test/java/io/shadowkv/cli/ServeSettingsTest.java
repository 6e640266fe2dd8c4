package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Settings of `serve` that come from a file and from the environment.
class ServeSettingsTest {
    @TempDir
    Path folder;

    private Path file(String json) throws IOException {
        return Files.writeString(folder.resolve("serve.json"), json);
    }

    private static String line(Shell.Result result, String key) {
        return result.out()
                .lines()
                .filter(line -> line.startsWith(key + " "))
                .findFirst()
                .orElseThrow()
                .replaceAll(" +", " ");
    }

    @Test
    void aFlagPrecedesAVariableAVariableTheFileAndTheFileTheDefault() throws IOException {
        Path file = file("""
                {
                  // where to listen
                  "port": 1, "host": "127.0.0.2", "max-body": "4M", "max-waiting": 7,
                  "served-name": ["a", "b"], "devices": [0, 1], "no-access-log": true, "model": "other"
                }
                """);
        Shell.Result shown = new Shell()
                .with("SHADOWKV_PORT", "2")
                .with("SHADOWKV_HOST", "127.0.0.3")
                .with("SHADOWKV_DEVICES", "2,3")
                .with("SHADOWKV_MAX_BATCH", "3")
                .run("serve", "--config", file, "needle-32k", "--show-config", "--port", "3", "--served-name", "c")
                .succeeded();
        assertThat(line(shown, "port")).isEqualTo("port 3 flag");
        assertThat(line(shown, "served-name")).isEqualTo("served-name c flag");
        assertThat(line(shown, "model")).isEqualTo("model needle-32k flag");
        assertThat(line(shown, "host")).isEqualTo("host 127.0.0.3 SHADOWKV_HOST");
        assertThat(line(shown, "devices")).isEqualTo("devices 2,3 SHADOWKV_DEVICES");
        assertThat(line(shown, "max-batch")).isEqualTo("max-batch 3 SHADOWKV_MAX_BATCH");
        assertThat(line(shown, "max-body")).isEqualTo("max-body 4M " + file);
        assertThat(line(shown, "max-waiting")).isEqualTo("max-waiting 7 " + file);
        assertThat(line(shown, "no-access-log")).isEqualTo("no-access-log true " + file);
        assertThat(line(shown, "kept-prompts")).isEqualTo("kept-prompts 64 default");
        assertThat(line(shown, "document-folder")).isEqualTo("document-folder - default");
    }

    @Test
    void theEnvironmentNamesTheFile() throws IOException {
        Path file = file("{\"served-name\": [\"a\", \"b\"], \"model\": \"needle-32k\"}");
        Shell.Result shown = new Shell()
                .with("SHADOWKV_CONFIG", file.toString())
                .run("serve", "--show-config")
                .succeeded();
        assertThat(line(shown, "served-name")).isEqualTo("served-name a,b " + file);
        assertThat(line(shown, "model")).isEqualTo("model needle-32k " + file);
    }

    /// Keys that a lower source gives would open a server that a flag gives other keys.
    @Test
    void keysComeFromOneSourceAndAreNotShown() throws IOException {
        Path keys = Files.writeString(folder.resolve("keys"), "secret-1");
        Path file = file("{\"api-key\": [\"secret-2\", \"secret-3\"]}");
        Shell.Result flag = new Shell()
                .with("SHADOWKV_API_KEY", "secret-4")
                .run("serve", "--config", file, "--api-key-file", keys, "--show-config")
                .succeeded();
        assertThat(line(flag, "api-key")).isEqualTo("api-key - default");
        assertThat(line(flag, "api-key-file")).isEqualTo("api-key-file " + keys + " flag");
        Shell.Result variable = new Shell()
                .with("SHADOWKV_API_KEY", "secret-4")
                .run("serve", "--config", file, "--show-config")
                .succeeded();
        assertThat(line(variable, "api-key")).isEqualTo("api-key 1 key SHADOWKV_API_KEY");
        Shell.Result both = shadowkv("serve", "--config", file, "--show-config").succeeded();
        assertThat(line(both, "api-key")).isEqualTo("api-key 2 keys " + file);
        assertThat(flag + "" + variable + both).doesNotContain("secret-");
    }

    /// `--random` on the command line takes the place of the file's model.
    @Test
    void aFlagReplacesWhatExcludesIt() throws IOException {
        Shell.Result shown = shadowkv(
                        "serve", "--config", file("{\"model\": \"x\"}"), "--random", "llama-3.1-8b", "--show-config")
                .succeeded();
        assertThat(line(shown, "random")).isEqualTo("random llama-3.1-8b flag");
        assertThat(line(shown, "model")).isEqualTo("model - default");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"prot\": 1} | \"prot\" is not a setting of serve; there are",
                "{\"help\": true} | \"help\" is not a setting of serve",
                "{\"port\": \"9000\"} | \"port\" is a text; expected a whole number",
                "{\"port\": 1.5} | \"port\" is a number with a fraction; expected a whole number",
                "{\"port\": [1]} | \"port\" is a list; expected a whole number",
                "{\"no-access-log\": \"yes\"} | \"no-access-log\" is a text; expected true or false",
                "{\"devices\": [0, \"x\"]} | \"devices\" is a text; expected a whole number, or a list of them",
                "{\"host\": null} | \"host\" is null; expected a text or a number",
                "{\"api-key\": {\"a\": \"secret\"}} | \"api-key\" is an object; expected a text",
                "[1] | expected a JSON object such as {\"port\": 8080}; found a list",
                "{\"port\": 1, \"port\": 2} | not a JSON object at line 1, column",
                "{\"api-key\": secret} | not a JSON object at line 1, column",
                "{\"max-body\": \"32X\"} | is not a size; expected",
                "{\"port\": 99999} | port is 99999; expected 0 (any free port) to 65535; settings that are not flags: port"
            })
    void aSettingThatCannotBeMeantIsRefused(String json, String message) throws IOException {
        Path file = file(json);
        Shell.Result result = shadowkv("serve", "--config", file);
        result.refused(2, message, file.toString());
        assertThat(result.err()).doesNotContain("secret");
    }

    @Test
    void aFileThatIsNotThereIsRefused() {
        shadowkv("serve", "--config", folder.resolve("none.json"))
                .refused(2, folder.resolve("none.json") + ": no such file. Check the name given with --config");
        new Shell().with("SHADOWKV_CONFIG", folder.toString()).run("serve").refused(2, folder + ": is a folder");
    }

    @Test
    void variablesAreCheckedToo() {
        new Shell()
                .with("SHADOWKV_MAX_BATCH", "many")
                .run("serve")
                .refused(2, "SHADOWKV_MAX_BATCH of the environment is \"many\"; expected a whole number");
        new Shell()
                .with("SHADOWKV_PORT", "tcp://10.0.0.1:80")
                .run("serve")
                .refused(2, "SHADOWKV_PORT", "Kubernetes", "enableServiceLinks: false");
        new Shell()
                .with("SHADOWKV_MAX_BODY", "32X")
                .run("serve")
                .refused(2, "'32X' is not a size", "(from SHADOWKV_MAX_BODY)");
        new Shell()
                .with("SHADOWKV_API_KEY", "")
                .run("serve", "needle-32k", "--port", "0")
                .refused(2, "SHADOWKV_API_KEY of the environment is empty");
        shadowkv("serve", "needle-32k", "--port", "0", "--api-key", "").refused(2, "--api-key is empty");
        assertThat(new Shell()
                        .with("SHADOWKV_MAX_BATCH", "many")
                        .run("serve", "--max-batch", "2", "--show-config")
                        .succeeded()
                        .out())
                .contains("max-batch");
    }

    @Test
    void helpDoesNotReadTheFile() {
        assertThat(shadowkv("serve", "--config", "none.json", "--help")
                        .succeeded()
                        .out())
                .contains("--show-config", "SHADOWKV_MAX_BATCH=4", "takes\nprecedence over a variable");
    }
}
