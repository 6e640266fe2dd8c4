package io.shadowkv;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Another JVM, for what flags or class paths decide, or what must be the same in every JVM.
///
/// @param flags of the JVM
/// @param classPath what it is started with
public record ChildJvm(List<String> flags, String classPath) {
    /// One with this JVM's class path.
    public static ChildJvm with(String... flags) {
        return new ChildJvm(List.of(flags), classPathHere());
    }

    /// JUnit's console loads tests through a loader of its own, which the system property does not know.
    private static String classPathHere() {
        if (ChildJvm.class.getClassLoader() instanceof URLClassLoader loader) {
            return Arrays.stream(loader.getURLs())
                    .map(url -> Path.of(URI.create(url.toString())).toString())
                    .collect(Collectors.joining(File.pathSeparator));
        }
        return System.getProperty("java.class.path");
    }

    /// The same without the entries of the class path that a test takes out, and with others before the rest.
    public ChildJvm without(Predicate<String> entry, Path... first) {
        String rest = Arrays.stream(classPath.split(File.pathSeparator))
                .filter(entry.negate())
                .collect(Collectors.joining(File.pathSeparator));
        String path = Stream.concat(Arrays.stream(first).map(Path::toString), Stream.of(rest))
                .collect(Collectors.joining(File.pathSeparator));
        return new ChildJvm(flags, path);
    }

    /// The command that runs a program.
    public List<String> command(Class<?> program, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.addAll(List.of("-XX:+UseSerialGC", "-Xmx512m", "-cp", classPath, program.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    /// Runs a program until it ends.
    public Ended run(Class<?> program, String... arguments) {
        try {
            Process process = new ProcessBuilder(command(program, arguments))
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Ended(process.waitFor(), output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted while a JVM ran", e);
        }
    }

    /// @param output both streams
    public record Ended(int status, String output) {}
}
