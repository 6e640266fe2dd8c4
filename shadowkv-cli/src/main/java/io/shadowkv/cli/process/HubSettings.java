package io.shadowkv.cli.process;

import io.shadowkv.hub.HubAccess;
import io.shadowkv.hub.HubProxies;
import io.shadowkv.hub.HubToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// The hub settings of the environment, in the same variables that huggingface_hub and curl read.
record HubSettings(Surroundings surroundings) {
    private static final String PUBLIC_HUB = "https://huggingface.co";
    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");

    /// @throws IllegalArgumentException if a variable has an invalid value
    HubAccess access() {
        String endpoint =
                surroundings.variable("HF_ENDPOINT").orElse(PUBLIC_HUB).strip();
        try {
            return new HubAccess(
                    new URI(endpoint), token().orElse(null), proxies(), isOn("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"));
        } catch (URISyntaxException e) {
            // Not the exception's message, which repeats a password that the address may contain.
            throw new IllegalArgumentException("HF_ENDPOINT is not an address (" + e.getReason() + " at character "
                    + (e.getIndex() + 1) + "); expected http(s)://HOST");
        }
    }

    /// The cache folder of models.
    Path cacheFolder() {
        return variable("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE").map(this::path).orElseGet(() -> home().resolve("hub"));
    }

    /// The folder in which the hub's own programs store everything.
    private Path home() {
        return surroundings
                .variable("HF_HOME")
                .map(this::path)
                .or(() -> surroundings
                        .variable("XDG_CACHE_HOME")
                        .map(value -> path(value).resolve("huggingface")))
                .orElseGet(() -> userHome().resolve(".cache").resolve("huggingface"));
    }

    /// The token of the environment; otherwise the one that logging in saved.
    private Optional<HubToken> token() {
        if (isOn("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
            return Optional.empty();
        }
        for (String name : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
            Optional<HubToken> token = surroundings.variable(name).flatMap(value -> HubToken.of(value, name));
            if (token.isPresent()) {
                return token;
            }
        }
        Path file = surroundings.variable("HF_TOKEN_PATH").map(this::path).orElseGet(() -> home().resolve("token"));
        try {
            return Files.isRegularFile(file) ? HubToken.of(Files.readString(file), file.toString()) : Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(new IOException(
                    "the saved token in " + file + " cannot be read; check the file, or set HF_TOKEN", e));
        }
    }

    private HubProxies proxies() {
        String all = variable("all_proxy", "ALL_PROXY").orElse("");
        String http = variable("http_proxy", "HTTP_PROXY").orElse(all);
        String https = variable("https_proxy", "HTTPS_PROXY").orElse(all);
        try {
            return HubProxies.of(http, https, variable("no_proxy", "NO_PROXY").orElse(""));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: " + e.getMessage(), e);
        }
    }

    private Optional<String> variable(String... names) {
        return Stream.of(names)
                .flatMap(name -> surroundings.variable(name).stream())
                .findFirst();
    }

    private boolean isOn(String... names) {
        return variable(names)
                .filter(value -> TRUE.contains(value.strip().toUpperCase(Locale.ROOT)))
                .isPresent();
    }

    private Path path(String value) {
        return value.equals("~") || value.startsWith("~/")
                ? userHome().resolve(value.substring(Math.min(2, value.length())))
                : Path.of(value);
    }

    private static Path userHome() {
        return Path.of(System.getProperty("user.home", ""));
    }
}
