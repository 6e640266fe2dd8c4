package io.shadowkv.cuda.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.cuda.ffi.CudaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Tests compiled kernels on disk: damaged and foreign files, folders of other users, and several
/// writers. Random bytes serve as cubins.
class KernelCacheTest {
    private static final String NAME = "rmsNorm-0123456789ab";
    private static final byte[] CUBIN = bytes(1, 4000);

    @TempDir
    Path temporary;

    private final List<String> warnings = Collections.synchronizedList(new ArrayList<>());
    private int compilations;
    private Path folder;
    private Path file;

    @BeforeEach
    void nameFiles() {
        folder = temporary.resolve("cache/shadowkv/kernels");
        file = folder.resolve(NAME + ".cubin");
    }

    private static byte[] bytes(long seed, int count) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private KernelCache open() {
        return new KernelCache(folder, warnings::add);
    }

    /// Loads like a new process.
    private byte[] load() {
        return load(open());
    }

    private byte[] load(KernelCache cache) {
        return cache.load(NAME, this::compile, cubin -> cubin);
    }

    private byte[] compile() {
        compilations++;
        return CUBIN.clone();
    }

    @Test
    void compilesOnceAndReadsTheFileFromThenOn() throws IOException {
        assertThat(load()).isEqualTo(CUBIN);
        assertThat(load()).isEqualTo(CUBIN);

        assertThat(compilations).isEqualTo(1);
        assertThat(warnings).isEmpty();
        assertThat(names()).containsExactly(NAME + ".cubin");
        // Tools that read cubins find one at the start.
        assertThat(Arrays.copyOf(Files.readAllBytes(file), CUBIN.length)).isEqualTo(CUBIN);
    }

    @Test
    void makesAFolderThatIsItsOwnersOnly() throws IOException {
        load();

        assertThat(mode(folder)).isEqualTo("rwx------");
        assertThat(mode(folder.getParent())).isEqualTo("rwx------");
        assertThat(mode(file)).isEqualTo("rw-------");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 20, 47, 48, 2000, 4000, 4047})
    void compilesAgainWhatIsCutShort(int length) throws IOException {
        load();
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), length));

        assertIsMended(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1999, 3999, 4000, 4031, 4032, 4047})
    void compilesAgainWhereAByteIsWrong(int at) throws IOException {
        load();
        byte[] bytes = Files.readAllBytes(file);
        bytes[at] ^= 4;
        Files.write(file, bytes);

        assertIsMended(2);
    }

    @Test
    void compilesAgainWhatAnotherProgramWrote() throws IOException {
        load();
        for (byte[] foreign : List.of(CUBIN, "no kernel".getBytes(StandardCharsets.UTF_8), bytes(2, 9000))) {
            Files.write(file, foreign);
            warnings.clear();
            compilations = 0;
            assertIsMended(1);
        }
    }

    @Test
    void compilesAgainWhatHasAnotherKernelsName() throws IOException {
        open().load("softmax-0", () -> bytes(3, 100), cubin -> cubin);
        Files.move(folder.resolve("softmax-0.cubin"), file);

        assertIsMended(1);
    }

    private void assertIsMended(int expected) throws IOException {
        assertThat(load()).isEqualTo(CUBIN);
        assertThat(compilations).isEqualTo(expected);
        assertThat(warnings).singleElement().asString().contains(file.toString(), "is damaged", "compiling it again");
        assertThat(load()).isEqualTo(CUBIN);
        assertThat(compilations).isEqualTo(expected);
        assertThat(names()).contains(NAME + ".cubin").noneMatch(name -> name.endsWith(".tmp"));
    }

    @Test
    void compilesOnceMoreWhatTheDriverRefuses() {
        byte[] old = bytes(4, 500);
        open().load(NAME, () -> old, cubin -> cubin);
        byte[] loaded = open().load(NAME, this::compile, cubin -> {
            if (Arrays.equals(cubin, old)) {
                throw new CudaException("cuModuleLoadData failed with status 200");
            }
            return cubin;
        });

        assertThat(loaded).isEqualTo(CUBIN);
        assertThat(warnings)
                .containsExactly("the driver refuses the cached kernel " + file
                        + "; compiling it again (cuModuleLoadData failed with status 200)");
        assertThat(load()).isEqualTo(CUBIN);
        assertThat(compilations).isEqualTo(1);
    }

    @Test
    void doesNotKeepWhatTheDriverRefusesOnceItIsCompiled() throws IOException {
        assertThatThrownBy(() -> open().load(NAME, this::compile, cubin -> {
                    throw new CudaException("refused");
                }))
                .hasMessage("refused");

        assertThat(compilations).isEqualTo(1);
        assertThat(names()).isEmpty();
        assertThat(warnings).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxrwxr-x", "rwx-w----", "rwxr-xrwx", "rwx----w-"})
    void doesNotUseAFolderThatOthersMayWriteTo(String mode) throws IOException {
        load();
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString(mode));

        assertThat(load()).isEqualTo(CUBIN);
        assertThat(compilations).isEqualTo(2);
        assertThat(warnings)
                .singleElement()
                .asString()
                .contains("the kernel cache is not used", "other users may write to " + folder, mode, "chmod 700");
    }

    @Test
    void usesAFolderThatOthersMayRead() throws IOException {
        load();
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));

        assertThat(load()).isEqualTo(CUBIN);
        assertThat(compilations).isEqualTo(1);
        assertThat(warnings).isEmpty();
    }

    @Test
    void refusesAFolderOfAnotherUser() throws IOException {
        Files.createDirectories(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var owner = Files.getOwner(folder);

        assertThat(PrivateFolder.refusal(folder, owner)).isNull();
        assertThat(PrivateFolder.refusal(folder, null)).isNull();
        assertThat(PrivateFolder.refusal(folder, () -> "somebody"))
                .isEqualTo(folder + " belongs to the user " + owner.getName()
                        + ", not to somebody, who runs this program. Give another folder with --kernel-cache");
    }

    @Test
    void goesOnWithoutAFolderThatCannotBeMade() throws IOException {
        Files.writeString(temporary.resolve("cache"), "a file");
        KernelCache cache = open();

        assertThat(load(cache)).isEqualTo(CUBIN);
        assertThat(load(cache)).isEqualTo(CUBIN);
        assertThat(compilations).isEqualTo(2);
        assertThat(warnings).singleElement().asString().contains(folder.toString(), "cannot be used", "--kernel-cache");
    }

    @Test
    void goesOnWhereTheFolderIsAFile() throws IOException {
        Files.createDirectories(folder.getParent());
        Files.writeString(folder, "a file");

        assertThat(load()).isEqualTo(CUBIN);
        assertThat(warnings).singleElement().asString().contains(folder + " is not a folder");
    }

    @Test
    void goesOnWhereAFileCannotBeWritten() throws IOException {
        KernelCache cache = open();
        Files.createDirectories(file.resolve("in the way"));

        assertThat(load(cache)).isEqualTo(CUBIN);
        assertThat(load(cache)).isEqualTo(CUBIN);
        assertThat(warnings).hasSize(2);
        assertThat(warnings.get(0)).contains("cannot be read; compiling it again");
        assertThat(warnings.get(1)).contains("cannot be used, and kernels are compiled in every run");
        assertThat(names()).containsExactly(NAME + ".cubin");
    }

    @Test
    void keepsNothingWithoutAFolder() {
        var cache = new KernelCache(null, warnings::add);

        assertThat(load(cache)).isEqualTo(CUBIN);
        assertThat(load(cache)).isEqualTo(CUBIN);
        assertThat(compilations).isEqualTo(2);
        assertThat(warnings).isEmpty();
    }

    @Test
    void removesTemporaryFilesOfKilledProcesses() throws IOException {
        load();
        Path old = Files.createTempFile(folder, "kernel-", ".tmp");
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(7))));
        Path young = Files.createTempFile(folder, "kernel-", ".tmp");
        Path other = Files.createFile(folder.resolve("notes.tmp"));
        Files.setLastModifiedTime(other, FileTime.from(Instant.EPOCH));
        open();

        assertThat(names())
                .containsExactlyInAnyOrder(
                        NAME + ".cubin",
                        young.getFileName().toString(),
                        other.getFileName().toString());
    }

    @Test
    void survivesManyWritersAndReaders() throws Exception {
        int threads = 8;
        List<Future<?>> running = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            for (int thread = 0; thread < threads; thread++) {
                long seed = thread;
                running.add(pool.submit(() -> {
                    for (int i = 0; i < 100; i++) {
                        // Refuses what it reads, so that every round writes.
                        boolean[] isFirst = {true};
                        byte[] own = bytes(seed, 1 << 14);
                        open().load(NAME, () -> own, cubin -> {
                            assertThat(cubin).hasSize(1 << 14);
                            if (cubin != own && isFirst[0]) {
                                isFirst[0] = false;
                                throw new CudaException("refused");
                            }
                            return cubin;
                        });
                    }
                }));
            }
        }
        for (Future<?> future : running) {
            future.get();
        }

        assertThat(warnings).allMatch(warning -> warning.contains("(refused)"));
        assertThat(names()).containsExactly(NAME + ".cubin");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
