package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.ffi.Nvrtc;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Compiles each kernel once for each set of sizes, and keeps the cubins in a [KernelCache]. The
/// name of a file there has the hash of sources, constants, architecture and compiler. Thread-safe.
public final class Kernels {
    private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([^\"]+)\"");

    private final CudaContext context;
    private final Nvrtc compiler;
    private final String compilerVersion;
    private final KernelCache cache;
    private final Map<KernelSource, Kernel> loaded = new ConcurrentHashMap<>();

    /// @param folder keeps cubins; null compiles in every process
    Kernels(CudaContext context, Nvrtc compiler, @Nullable Path folder) {
        this.context = context;
        this.compiler = compiler;
        this.cache = KernelCache.open(folder);
        int[] version = compiler.nvrtcVersion();
        this.compilerVersion = version[0] + "." + version[1];
    }

    /// Returns a kernel. The first call for it loads it, and compiles it (0.1 to 0.5 s) if the
    /// cache has no cubin.
    ///
    /// @throws CudaException if it does not compile
    public Kernel get(KernelSource source) {
        return loaded.computeIfAbsent(source, this::load);
    }

    private Kernel load(KernelSource source) {
        String text = resource(source.file());
        List<Nvrtc.Header> headers = headersOf(text);
        List<String> options = options(source);
        context.makeCurrent();
        return cache.load(
                hash(source, text, headers, options),
                () -> compiler.compile(source.file(), text, headers, options),
                cubin -> load(source, cubin));
    }

    private Kernel load(KernelSource source, byte[] cubin) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocateFrom(ValueLayout.JAVA_BYTE, cubin);
            long module = context.driver().cuModuleLoadData(image);
            return new Kernel(source, context, context.driver().cuModuleGetFunction(module, source.function()));
        }
    }

    private List<String> options(KernelSource source) {
        List<String> options = new ArrayList<>();
        options.add("--gpu-architecture=" + context.architecture());
        options.add("--std=c++17");
        options.add("-default-device");
        for (String define : source.defines()) {
            options.add("-D" + define);
        }
        return options;
    }

    /// All headers that a source includes, directly or through other headers.
    private static List<Nvrtc.Header> headersOf(String text) {
        Map<String, Nvrtc.Header> found = new LinkedHashMap<>();
        collect(text, found);
        return List.copyOf(found.values());
    }

    private static void collect(String text, Map<String, Nvrtc.Header> found) {
        INCLUDE.matcher(text).results().map(match -> match.group(1)).forEach(name -> {
            if (!found.containsKey(name)) {
                Nvrtc.Header header = new Nvrtc.Header(name, resource(name));
                found.put(name, header);
                collect(header.text(), found);
            }
        });
    }

    private String hash(KernelSource source, String text, List<Nvrtc.Header> headers, List<String> options) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((source + compilerVersion + options + text).getBytes(StandardCharsets.UTF_8));
            for (Nvrtc.Header header : headers) {
                digest.update(header.text().getBytes(StandardCharsets.UTF_8));
            }
            return source.function() + "-" + HexFormat.of().formatHex(digest.digest(), 0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static String resource(String name) {
        try (InputStream stream = Kernels.class.getResourceAsStream("/io/shadowkv/cuda/kernels/" + name)) {
            if (stream == null) {
                throw new IllegalArgumentException("there is no kernel source " + name);
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CudaException("kernel source " + name + " cannot be read from the jar: " + e.getMessage(), e);
        }
    }
}
