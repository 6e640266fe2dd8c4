package io.shadowkv.engine.serve;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendException;
import io.shadowkv.op.BackendProvider;
import io.shadowkv.op.BackendProvider.Availability;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Finds backends with `ServiceLoader` and opens the requested one. It never silently falls back to
/// another one.
public final class Backends {
    private Backends() {}

    /// A backend on the module or class path, and whether it can run here.
    public record Candidate(BackendProvider provider, Availability availability) {
        public String name() {
            return provider.name();
        }

        /// Name and reason, for messages.
        String why() {
            return name() + ": " + availability.reason();
        }
    }

    /// Returns all backends, usable or not, in order of preference.
    public static List<Candidate> all(BackendOptions options) {
        return ServiceLoader.load(BackendProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .map(provider -> new Candidate(provider, provider.availability(options)))
                .sorted(Comparator.comparingInt((Candidate candidate) ->
                                candidate.availability().priority())
                        .reversed())
                .toList();
    }

    /// Opens a backend.
    ///
    /// @param name a backend's name, or `auto` for the preferred usable one; `auto` never opens the
    ///     reference backend
    /// @throws IllegalArgumentException if there is no backend of that name
    /// @throws BackendException if it cannot run on this machine; the message says why and what is
    ///     missing
    public static Choice open(String name, BackendOptions options) {
        List<Candidate> candidates = all(options);
        if (name.equals("auto")) {
            return openPreferred(candidates, options);
        }
        Candidate candidate = candidates.stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no backend \"" + name + "\"; there are auto, "
                        + candidates.stream().map(Candidate::name).collect(Collectors.joining(", "))));
        if (!candidate.availability().usable()) {
            throw new BackendException("backend " + name + " cannot run here: "
                    + candidate.availability().reason());
        }
        return choose(candidate, options, List.of());
    }

    /// `auto` never chooses the reference backend: it works, but a hundred times slower than the
    /// machine allows.
    private static Choice openPreferred(List<Candidate> all, BackendOptions options) {
        List<Candidate> candidates = all.stream()
                .filter(candidate -> candidate.availability().priority() != Availability.ONLY_BY_NAME)
                .toList();
        List<String> passedOver = candidates.stream()
                .takeWhile(candidate -> !candidate.availability().usable())
                .map(Candidate::why)
                .toList();
        if (passedOver.size() < candidates.size()) {
            return choose(candidates.get(passedOver.size()), options, passedOver);
        }
        Stream<String> absent = Stream.of("cpu", "cuda")
                .filter(name -> candidates.stream().noneMatch(one -> one.name().equals(name)))
                .map(name -> name + ": the artifact shadowkv-" + name
                        + " is not on the class path or module path, or its entry in META-INF/services was lost");
        throw new BackendException("no backend can run here. "
                + Stream.concat(passedOver.stream(), absent).collect(Collectors.joining("; "))
                + ". Add what is missing; the backend \"reference\" is for checks and runs only by name");
    }

    private static Choice choose(Candidate candidate, BackendOptions options, List<String> passedOver) {
        return new Choice(
                candidate.provider().open(options), candidate.availability().reason(), passedOver);
    }

    /// @param backend the open backend; the caller must close it
    /// @param reason why it can run on this machine
    /// @param passedOver the backends of higher priority, each with the reason why it cannot run
    public record Choice(Backend backend, String reason, List<String> passedOver) {
        public Choice {
            passedOver = List.copyOf(passedOver);
        }
    }
}
