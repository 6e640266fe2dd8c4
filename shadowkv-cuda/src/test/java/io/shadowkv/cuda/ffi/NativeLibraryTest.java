package io.shadowkv.cuda.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.cuda.ffi.NativeLibrary.LibraryMissingException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tests the search for libraries and functions, with the C library instead of NVIDIA's.
class NativeLibraryTest {
    private static final String MATHS = "libm.so.6";

    @TempDir
    Path folder;

    @Test
    void opensTheFirstNameThatIsThere() {
        NativeLibrary library = NativeLibrary.open(List.of("libnothing.so.13", MATHS), null);

        assertThat(library.file()).endsWith(MATHS);
        assertThat(library.has("cos")).isTrue();
        assertThat(library.has("cuInit")).isFalse();
    }

    @Test
    void namesAllItLookedForAndWhere() {
        List<String> names = List.of("libnothing.so.13", "libnothing.so.12");

        assertThatThrownBy(() -> NativeLibrary.open(names, null))
                .isInstanceOf(LibraryMissingException.class)
                .hasMessage("found no libnothing.so.13 or libnothing.so.12 in the usual folders or by the system's own"
                        + " search");
        assertThatThrownBy(() -> NativeLibrary.open(names, folder)).hasMessageEndingWith("in " + folder);
    }

    @Test
    void looksInAGivenFolderOnly() {
        assertThatThrownBy(() -> NativeLibrary.open(List.of(MATHS), folder))
                .isInstanceOf(LibraryMissingException.class)
                .hasMessage("found no " + MATHS + " in " + folder);
    }

    @Test
    void saysThatAFileIsNoLibrary() throws IOException {
        Path text = Files.writeString(folder.resolve(MATHS), "no library");

        assertThatThrownBy(() -> NativeLibrary.open(List.of(MATHS), folder))
                .isInstanceOf(LibraryMissingException.class)
                .hasMessageContaining(text + " could not be loaded");
    }

    @Test
    void namesAFunctionThatAnotherVersionLacks() {
        NativeLibrary library = NativeLibrary.open(List.of(MATHS), null);

        assertThatThrownBy(() -> library.function("cuInit", ValueLayout.JAVA_INT))
                .isInstanceOf(LibraryMissingException.class)
                .hasMessageContaining("has no function cuInit")
                .hasMessageContaining("needs another version");
    }

    @Test
    void namesTheModuleThatMustBeGrantedNativeAccess() {
        assertThat(NativeLibrary.nativeAccessDenied(Object.class.getModule()))
                .startsWith("this JVM does not allow the module java.base to call native code. Add"
                        + " --enable-native-access=java.base to the options of the JVM");
        assertThat(NativeLibrary.nativeAccessDenied(getClass().getClassLoader().getUnnamedModule()))
                .contains("the class path", "--enable-native-access=ALL-UNNAMED ");
    }
}
