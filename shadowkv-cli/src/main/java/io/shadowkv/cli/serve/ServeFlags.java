package io.shadowkv.cli.serve;

import io.shadowkv.cli.option.BatchFlags;
import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.option.ReadingFlags;
import io.shadowkv.cli.process.ByteSize;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.server.ServerLimits;
import io.shadowkv.server.ServerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Options of the HTTP server and of its limits; a mixin of `serve`.
final class ServeFlags {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "Address to listen on; 0.0.0.0 is every one. Default: ${DEFAULT-VALUE}.")
    private String host;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8080",
            description = "Port to listen on; 0 takes a free one. Default: ${DEFAULT-VALUE}.")
    private int port;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description = "Accept only requests with this bearer key; may be given several times. Default: every"
                    + " request is accepted.")
    private List<String> apiKeys = List.of();

    @Option(
            names = "--api-key-file",
            paramLabel = "FILE",
            description = "Read the keys from FILE, one a line, so that no list of processes shows them.")
    private @Nullable Path apiKeyFile;

    @Option(
            names = "--max-body",
            paramLabel = "SIZE",
            converter = ByteSize.Converter.class,
            defaultValue = "32M",
            description = "Refuse requests with a larger body. Default: ${DEFAULT-VALUE}.")
    private ByteSize maxBody;

    @Option(
            names = "--max-waiting",
            paramLabel = "N",
            defaultValue = "1024",
            description = "Refuse requests (429) while N of them wait. Default: ${DEFAULT-VALUE}.")
    private int maxWaiting;

    @Mixin
    private BatchFlags batch;

    @Mixin
    private ReadingFlags reading;

    @Option(
            names = "--max-per-key",
            paramLabel = "N",
            defaultValue = "0",
            description = "Requests of one API key at a time; 0 for no limit. Default: ${DEFAULT-VALUE}.")
    private int maxPerKey;

    @Option(
            names = "--max-n",
            paramLabel = "N",
            defaultValue = "16",
            description = "Answers that one request may ask for. Default: ${DEFAULT-VALUE}.")
    private int maxChoices;

    @Option(
            names = "--default-max-tokens",
            paramLabel = "N",
            defaultValue = "512",
            description =
                    "Length of an answer if neither the request nor the model says it. Default:" + " ${DEFAULT-VALUE}.")
    private int defaultMaxTokens;

    @Option(
            names = "--request-timeout",
            paramLabel = "SECONDS",
            defaultValue = "1800",
            description = "End a request after this time with what it has; 0 for no limit. Default: ${DEFAULT-VALUE}.")
    private int requestTimeout;

    @Option(
            names = "--document-folder",
            paramLabel = "DIR",
            description = "Folder in which clients may save documents. Default: none, they may not.")
    private @Nullable Path documentFolder;

    @Option(
            names = "--max-documents",
            paramLabel = "N",
            defaultValue = "256",
            description = "Documents that the server keeps. Default: ${DEFAULT-VALUE}.")
    private int maxDocuments;

    @Option(
            names = "--max-saved-documents",
            paramLabel = "N",
            defaultValue = "1024",
            description = "Documents in the folder of saved ones. Default: ${DEFAULT-VALUE}.")
    private int maxSavedDocuments;

    @Option(
            names = "--max-saved-bytes",
            paramLabel = "SIZE",
            converter = ByteSize.Converter.class,
            defaultValue = "256G",
            description = "Size of the files of saved documents. Default: ${DEFAULT-VALUE}.")
    private ByteSize maxSavedBytes;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    ServeFlags() {}

    /// @throws picocli.CommandLine.ParameterException if a value is out of range
    ServerOptions server() throws IOException {
        List<String> keys = keys();
        return CacheFlags.checked(command, () -> {
            ServerLimits limits = new ServerLimits(
                            maxBody.bytes(),
                            Duration.ofSeconds(requestTimeout),
                            maxPerKey,
                            maxChoices,
                            defaultMaxTokens)
                    .withDocuments(maxDocuments)
                    .withSaved(maxSavedDocuments, maxSavedBytes.bytes());
            return new ServerOptions(host, port, keys, limits, ServerOptions.DEFAULT.pingInterval())
                    .withDocumentFolder(documentFolder);
        });
    }

    /// @throws picocli.CommandLine.ParameterException if a value is out of range
    EngineOptions engine(EngineOptions plain) {
        return CacheFlags.checked(
                command, () -> reading.options(batch.options(plain)).withMaxWaiting(maxWaiting));
    }

    private List<String> keys() throws IOException {
        if (apiKeys.stream().anyMatch(String::isBlank)) {
            throw new ParameterException(
                    command.commandLine(),
                    "--api-key is empty; expected a key, or leave it out to accept every request");
        }
        List<String> keys = new ArrayList<>(apiKeys);
        if (apiKeyFile != null) {
            Files.readAllLines(apiKeyFile).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .forEach(keys::add);
        }
        return keys;
    }
}
