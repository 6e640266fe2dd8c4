package io.shadowkv.engine;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/// Finds backends by `ServiceLoader` and opens the one that is asked for; never another one quietly.
public final class Backends {
    private Backends() {}

    /// All backends on the module or class path, usable or not, preferred first.
    public static List<BackendProvider> all(BackendOptions options) {
        return ServiceLoader.load(BackendProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .sorted(Comparator.comparingInt(
                        (BackendProvider provider) -> -provider.availability(options).priority()))
                .toList();
    }

    /// Opens a backend.
    ///
    /// @param name a backend's name, or `auto` for the preferred usable one
    /// @throws IllegalArgumentException if there is no backend of that name
    /// @throws IllegalStateException if it cannot run here; the message says why
    public static Choice open(String name, BackendOptions options) {
        List<BackendProvider> providers = all(options);
        if (name.equals("auto")) {
            return providers.stream()
                    .filter(provider -> provider.availability(options).usable())
                    .findFirst()
                    .map(provider -> choose(provider, options))
                    .orElseThrow(() -> new IllegalStateException("no backend can run here: " + reasons(providers, options)));
        }
        BackendProvider provider = providers.stream()
                .filter(candidate -> candidate.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no backend \"" + name + "\"; there are auto, "
                        + providers.stream().map(BackendProvider::name).collect(Collectors.joining(", "))));
        if (!provider.availability(options).usable()) {
            throw new IllegalStateException("backend " + name + " cannot run here: "
                    + provider.availability(options).reason());
        }
        return choose(provider, options);
    }

    private static Choice choose(BackendProvider provider, BackendOptions options) {
        return new Choice(provider.open(options), provider.availability(options).reason());
    }

    private static String reasons(List<BackendProvider> providers, BackendOptions options) {
        return providers.stream()
                .map(provider ->
                        provider.name() + " (" + provider.availability(options).reason() + ")")
                .collect(Collectors.joining(", "));
    }

    /// @param backend open; the caller closes it
    /// @param reason why it can run here
    public record Choice(Backend backend, String reason) {}
}
