package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tests the launcher script in a copy of the checkout without sources, with a JDK and a Maven that
/// only print their arguments.
class LauncherTest {
    @TempDir
    Path temporary;

    private Path root;
    private Path jdk;
    private Path tools;
    private int launches;

    @BeforeEach
    void makeCheckout() throws IOException {
        root = Files.createDirectories(temporary.resolve("check out"));
        Path script = Files.copy(Fixtures.repository().resolve("shadowkv"), root.resolve("shadowkv"));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(root.resolve("pom.xml"), "<project/>");
        for (String module : new String[] {"text", "core", "hub", "cpu", "cuda", "report", "eval", "server", "cli"}) {
            Path folder = Files.createDirectories(root.resolve("shadowkv-" + module));
            Files.writeString(folder.resolve("pom.xml"), "<project/>");
            Files.createDirectories(folder.resolve("src/main"));
        }
        jdk = makeJdk("the jdk", "25.0.3");
        tools = Files.createDirectories(temporary.resolve("tools"));
        program(tools.resolve("mvn"), """
                [ "$1" = --version ] && { echo 'Apache Maven 3.8.7'; exit 0; }
                echo "mvn in $(pwd): $*; JAVA_HOME=$JAVA_HOME"
                mkdir -p shadowkv-cli/target/lib
                """);
    }

    private Path makeJdk(String name, String version) throws IOException {
        Path home = temporary.resolve(name);
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
        program(home.resolve("bin/java"), """
                echo 'WARNING: Using incubator modules: jdk.incubator.vector' >&2
                echo 'a word of the JVM' >&2
                for argument; do echo "[$argument]"; done
                exit 7
                """);
        program(home.resolve("bin/javac"), "exit 1\n");
        return home;
    }

    private static void program(Path file, String body) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + body);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private record Result(int code, String out, String err) {}

    private Result launch(Path script, Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        var command = new ArrayList<String>();
        command.add(script.toString());
        command.addAll(List.of(arguments));
        // Each launch has its own files, because the filter of an earlier launch may still be
        // writing.
        launches++;
        Path out = temporary.resolve("out" + launches);
        Path err = temporary.resolve("err" + launches);
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(temporary.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().put("PATH", tools + ":/usr/bin:/bin");
        builder.environment().put("HOME", temporary.toString());
        builder.environment().put("JAVA_HOME", jdk.toString());
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Result(
                process.exitValue(),
                Files.readString(out, StandardCharsets.UTF_8),
                Files.readString(err, StandardCharsets.UTF_8));
    }

    private Path script() {
        return root.resolve("shadowkv");
    }

    @Test
    void buildsOnceThenRunsWithArgumentsAsTheyAre() throws Exception {
        Result first = launch(script(), Map.of(), "run", "a b", "", "$HOME *");
        assertThat(first.code()).isEqualTo(7);
        assertThat(first.err())
                .contains("shadowkv: building with Maven", "-pl shadowkv-cli -am package", "JAVA_HOME=" + jdk);
        assertThat(first.out()).endsWith("[-m]\n[io.shadowkv.cli/io.shadowkv.cli.Main]\n[run]\n[a b]\n[]\n[$HOME *]\n");
        assertThat(first.out())
                .contains(
                        "[-p]\n[" + root.toRealPath() + "/shadowkv-cli/target/lib]\n",
                        "[-Dshadowkv.home=" + root.toRealPath() + "]");

        Result second = launch(script(), Map.of(), "--help");
        assertThat(second.err()).doesNotContain("mvn", "building");
    }

    @Test
    void keepsTheIncubatorWarningBackAndNothingElse() throws Exception {
        launch(script(), Map.of());
        Result result = launch(script(), Map.of());
        // The filter may run longer than a program that does not restore standard error.
        Path err = temporary.resolve("err" + launches);
        for (int i = 0; i < 250 && !Files.readString(err).contains("JVM"); i++) {
            Thread.sleep(20);
        }
        assertThat(err).hasContent("a word of the JVM");
        assertThat(result.code()).isEqualTo(7);
    }

    @Test
    void buildsAgainWhenASourceIsNewer() throws Exception {
        launch(script(), Map.of());
        Path source = Files.writeString(root.resolve("shadowkv-core/src/main/New.java"), "class New {}");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
        assertThat(launch(script(), Map.of()).err()).contains("building with Maven");
    }

    @Test
    void runsThroughALinkFromAnotherFolder() throws Exception {
        Path link = Files.createSymbolicLink(temporary.resolve("skv"), Path.of("check out/shadowkv"));
        Path second = Files.createSymbolicLink(tools.resolve("again"), link);
        assertThat(launch(second, Map.of(), "x").out()).contains("[-Dshadowkv.home=" + root.toRealPath() + "]");
    }

    @Test
    void saysWhereItLookedForAJdk() throws Exception {
        Path old = makeJdk("old jdk", "17.0.15");
        Path isolated = temporary.resolve("isolated");
        Files.createDirectories(isolated);
        // A copy of the script that looks for installed JDKs in an empty folder.
        String text = Files.readString(script()).replace("/usr/lib/jvm", isolated.toString());
        Files.writeString(script(), text);
        Path bare = Files.createDirectories(temporary.resolve("bare"));
        for (String tool : new String[] {"sed", "dirname", "readlink"}) {
            program(bare.resolve(tool), "PATH=/usr/bin:/bin; exec " + tool + " \"$@\"\n");
        }
        Map<String, String> environment = new HashMap<>();
        environment.put("PATH", bare.toString());
        environment.put("JAVA_HOME", old.toString());
        Result result = launch(script(), environment, "demo");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err())
                .contains(
                        "needs a JDK 25 or newer",
                        "JAVA_HOME: " + old + " is a JDK 17",
                        "java on PATH: none",
                        "SDKMAN");
    }

    @Test
    void passesOverAnOldJavaHome() throws Exception {
        Path old = makeJdk("old jdk", "17.0.15");
        Files.writeString(script(), Files.readString(script()).replace("/usr/lib/jvm/*", "'" + temporary + "'/*jdk*"));
        Result result = launch(script(), Map.of("JAVA_HOME", old.toString()), "x");
        assertThat(result.code()).isEqualTo(7);
        assertThat(result.err()).contains("JAVA_HOME=" + jdk);
    }

    @Test
    void saysThatMavenIsMissingOrOld() throws Exception {
        program(tools.resolve("mvn"), "echo 'Apache Maven 3.6.3'\n");
        Result old = launch(script(), Map.of(), "x");
        assertThat(old.code()).isEqualTo(1);
        assertThat(old.err()).isEqualTo("shadowkv: needs Maven 3.8 or newer to build; mvn on PATH is Maven 3.6.\n");
    }

    @Test
    void leavesNoStampAfterAFailedBuild() throws Exception {
        program(tools.resolve("mvn"), """
                [ "$1" = --version ] && { echo 'Apache Maven 3.9.16'; exit 0; }
                echo 'BUILD FAILURE'; exit 1
                """);
        for (int i = 0; i < 2; i++) {
            Result result = launch(script(), Map.of(), "x");
            assertThat(result.code()).isEqualTo(1);
            assertThat(result.err()).contains("BUILD FAILURE", "the build failed");
        }
    }

    @Test
    void testRunsTheWholeVerification() throws Exception {
        Result result = launch(script(), Map.of(), "test", "-pl", "shadowkv-core");
        assertThat(result.code()).isZero();
        assertThat(result.out())
                .isEqualTo("mvn in " + root.toRealPath()
                        + ": -B verify -Dshadowkv.commit=unknown -Dstyle.color=never -pl shadowkv-core; JAVA_HOME="
                        + jdk
                        + "\n");
    }

    /// As in Maven, a module without the test passes only with the property.
    @Test
    void testOfOneClassPassesIfSomeModuleHasIt() throws Exception {
        program(tools.resolve("mvn"), """
                [ "$1" = --version ] && { echo 'Apache Maven 3.8.7'; exit 0; }
                case "$*" in *-Dsurefire.failIfNoSpecifiedTests=false*) ;; *) exit 9 ;; esac
                # Files have a clock of their own, which ticks every few milliseconds.
                sleep 0.1
                case "$*" in
                    *-Dtest=Broken*) exit 1 ;;
                    *-Dtest=Right*) mkdir -p shadowkv-cpu/target/surefire-reports
                        echo '<testsuite/>' > shadowkv-cpu/target/surefire-reports/TEST-Right.xml ;;
                esac
                """);
        Result right = launch(script(), Map.of(), "test", "-Dtest=Right");
        assertThat(right.err()).isEmpty();
        assertThat(right.code()).isZero();
        assertThat(launch(script(), Map.of(), "test", "-Dtest=Broken").code()).isEqualTo(1);
        // Results of an earlier run must not be used.
        Result nowhere = launch(script(), Map.of(), "test", "-Dtest=Nowhere");
        assertThat(nowhere.code()).isEqualTo(1);
        assertThat(nowhere.err()).contains("no test matches -Dtest=Nowhere.", "simple name of a test class");
    }

    @Test
    void tellsTheBuildWhichCommitItIs() throws Exception {
        program(tools.resolve("git"), """
                [ "$1 $2 $3" = "-C $EXPECTED_ROOT describe" ] && echo 0123456789ab-dirty
                """);
        Map<String, String> environment =
                Map.of("EXPECTED_ROOT", root.toRealPath().toString());
        // The history of a parent folder belongs to another project.
        assertThat(launch(script(), environment).err()).contains(" -Dshadowkv.commit=unknown ");
        Files.createDirectory(root.resolve(".git"));
        Files.delete(root.resolve("shadowkv-cli/target/launcher.stamp"));
        assertThat(launch(script(), environment).err()).contains(" -Dshadowkv.commit=0123456789ab-dirty ");
        program(tools.resolve("git"), "exit 128\n");
        assertThat(launch(script(), environment, "test").out()).contains(" -Dshadowkv.commit=unknown ");
    }

    /// Maven's terminal library resets the colour at the end, even if it printed none.
    @Test
    void buildsWithoutColourCodes() throws Exception {
        program(tools.resolve("mvn"), """
                [ "$1" = --version ] && { echo 'Apache Maven 3.8.7'; exit 0; }
                case "$*" in *-Dstyle.color=never*) ;; *) printf '\\033[1mcolour' ;; esac
                case $MAVEN_OPTS in *-Djansi.noreset=true*) ;; *) printf '\\033[0m' ;; esac
                mkdir -p shadowkv-cli/target/lib
                """);
        for (String command : new String[] {"x", "test"}) {
            Result result = launch(script(), Map.of(), command);
            assertThat(result.out() + result.err()).as(command).doesNotContain("\u001b");
        }
    }

    @Test
    void moreJarsStandOnTheModulePath() throws Exception {
        assertThat(launch(script(), Map.of("SHADOWKV_MODULE_PATH", "/a b/c.jar:/d.jar"), "tasks")
                        .out())
                .contains("[-p]\n[" + root.toRealPath() + "/shadowkv-cli/target/lib:/a b/c.jar:/d.jar]\n");
    }

    /// The contents of the archive of `dist/build.sh`: the same script without a pom.xml in its
    /// folder.
    @Test
    void aDistributionRunsOnItsOwnRuntime() throws Exception {
        Path home = Files.createDirectories(temporary.resolve("a distribution"));
        Path bin = Files.createDirectories(home.resolve("bin"));
        Files.move(script(), home.resolve("shadowkv"));
        Path link = Files.createSymbolicLink(bin.resolve("shadowkv"), Path.of("../shadowkv"));
        Result partial = launch(link, Map.of(), "x");
        assertThat(partial.code()).isEqualTo(1);
        assertThat(partial.err())
                .contains("neither a checkout", "nor a whole distribution", "Unpack the archive again");

        Files.createDirectories(home.resolve("lib"));
        Files.writeString(home.resolve("release"), "VERSION=1\nCOMMIT=0123456789ab (changed)\n");
        Files.createDirectories(home.resolve("runtime/bin"));
        program(
                home.resolve("runtime/bin/java"),
                "echo \"$SHADOWKV_COMMIT\"; for argument; do echo \"[$argument]\"; done\n");
        Result result = launch(link, Map.of("JAVA_HOME", "/nowhere"), "run", "a b");
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.out())
                .startsWith("0123456789ab (changed)\n")
                .contains("[-Dshadowkv.home=" + home.toRealPath() + "]\n", "[-p]\n[" + home.toRealPath() + "/lib]\n")
                .endsWith("[run]\n[a b]\n");

        Result tests = launch(link, Map.of(), "test");
        assertThat(tests.code()).isEqualTo(2);
        assertThat(tests.err()).contains("a distribution has no tests");
    }
}
