package io.shadowkv;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.Location;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The packages of the project, the dependencies allowed for each, and the rules for library
/// packages (`docs/ARCHITECTURE.md`).
class ArchitectureTest {
    /// Each package of `io.shadowkv` and the packages that it may use. A new package must be added
    /// here.
    private static final String TABLE = """
            # shadowkv-text: text to token ids and back, conversations to prompts
            text.gguf:
            text: text.gguf
            text.tokenizer: text text.gguf
            text.jinja.runtime:
            text.jinja.syntax: text.jinja.runtime
            text.jinja.builtin: text.jinja.runtime
            text.jinja: text.jinja.builtin text.jinja.runtime text.jinja.syntax
            text.chat: text text.jinja text.jinja.runtime
            text.grammar.regex:
            text.grammar: text text.grammar.regex
            # shadowkv-hub: models and files of datasets from a hub
            hub:
            # shadowkv-report: pages, tables, plots
            report.plot:
            report.page: report.plot
            # shadowkv-core: from a checkpoint to tokens
            tensor:
            checkpoint: tensor text text.gguf
            op: tensor
            op.host: op tensor
            op.reference: op op.host tensor
            op.timing: op tensor
            cache.prefill: op tensor
            cache: cache.prefill op tensor
            cache.full: cache cache.prefill op tensor
            cache.shadow.index: cache op tensor
            cache.shadow: cache cache.prefill cache.shadow.index op tensor
            model.spec: checkpoint
            model: cache cache.prefill checkpoint model.spec op tensor
            sampling:
            engine: cache cache.prefill op sampling tensor
            engine.answer: cache.prefill engine sampling text
            engine.model: cache cache.prefill cache.full cache.shadow checkpoint engine engine.answer model model.spec op sampling \
                tensor text text.chat text.tokenizer
            engine.batch: cache cache.prefill engine engine.answer engine.model model model.spec op sampling tensor
            engine.study: cache cache.prefill engine engine.answer engine.batch engine.model model op sampling model.spec tensor
            engine.serve: cache cache.prefill checkpoint engine engine.batch engine.model engine.study model model.spec op sampling tensor text \
                text.chat
            # shadowkv-cpu: operations with the Vector API
            cpu.vector: op tensor
            cpu.linear: cpu.vector op op.host tensor
            cpu.attention: cpu.linear cpu.vector op tensor
            cpu.eigen: cpu.linear cpu.vector
            cpu.sampling: cpu.vector op tensor
            cpu.shadow: cpu.attention cpu.eigen cpu.linear cpu.vector op tensor op.host
            cpu: cpu.attention cpu.linear cpu.sampling cpu.shadow cpu.vector op op.host tensor
            # shadowkv-cuda: operations on an NVIDIA GPU
            cuda.ffi: op
            cuda.device: cuda.ffi op op.host tensor
            cuda.launch: cuda.device op tensor cuda.ffi
            cuda.linear: cuda.device cuda.ffi cuda.launch op tensor
            cuda.attention: cuda.device cuda.ffi cuda.launch op tensor
            cuda.sampling: cuda.device cuda.launch op tensor
            cuda.shadow: cuda.attention cuda.device cuda.ffi cuda.launch cuda.linear op tensor
            cuda: cuda.attention cuda.device cuda.ffi cuda.launch cuda.linear cuda.sampling cuda.shadow op tensor
            # shadowkv-eval: tasks whose answers are known, runs, reports
            eval: cache cache.prefill engine.serve text text.chat
            eval.text: eval text
            eval.metric: eval
            eval.needle: eval eval.metric eval.text
            eval.niah: eval eval.metric eval.needle eval.text text
            eval.ruler.text: eval eval.metric eval.needle eval.text text
            eval.ruler: eval eval.needle eval.ruler.text eval.text
            eval.longbench: eval eval.metric eval.text text
            eval.infinitebench: eval eval.metric eval.text
            eval.scbench: eval eval.infinitebench eval.metric eval.text text
            eval.catalog: eval eval.infinitebench eval.longbench eval.niah eval.ruler eval.scbench
            eval.run: cache cache.prefill engine engine.serve engine.study eval text
            eval.worker: eval eval.run
            eval.rows: engine engine.serve eval eval.run eval.worker sampling text.chat
            eval.statistics: eval eval.run report.page report.plot
            eval.report.section: eval eval.run eval.statistics report.page report.plot
            eval.report: eval eval.report.section eval.run eval.statistics report.page report.plot
            # shadowkv-server: OpenAI's HTTP API for one engine
            server.error: engine text text.chat
            server.json: server.error
            server.http: server.error
            server.structured: engine server.error server.json text.chat text.grammar
            server.request: checkpoint engine sampling server.error server.json server.structured text.chat
            server.model: cache checkpoint engine engine.serve model.spec op server.error server.structured tensor text \
                text.chat
            server.generate: engine engine.serve
            server.documents: checkpoint engine engine.serve model.spec server.error server.json server.model text text.chat
            server.metrics: cache.prefill engine server.generate
            server.answer: engine sampling server.error server.generate server.http server.json server.request \
                server.structured
            server.endpoint: engine engine.serve model.spec sampling server.answer server.documents server.error \
                server.generate server.http server.json server.metrics server.model server.request \
                server.structured text
            server.page: cache engine engine.serve op server.answer server.documents server.endpoint server.error \
                server.http server.json server.metrics server.model
            server: engine.serve server.documents server.endpoint server.error server.generate server.http \
                server.json server.metrics server.model server.page server.request server.structured text.grammar
            # shadowkv-cli: the command line
            cli.process: checkpoint engine eval.run hub op server text text.chat
            cli.option: cache cache.prefill cli.process engine engine.serve model.spec op tensor text.chat
            cli.run: cache cache.prefill checkpoint cli.option cli.process engine engine.serve eval.rows eval.worker sampling text.chat op \
                text
            cli.model: cache checkpoint cli.option cli.process engine engine.serve model.spec op tensor text \
                text.chat text.tokenizer
            cli.pull: checkpoint cli.option cli.process engine eval eval.infinitebench eval.longbench \
                eval.scbench hub
            cli.eval: cache cache.prefill checkpoint cli.option cli.process engine engine.serve eval eval.catalog eval.report \
                eval.run eval.statistics eval.worker model.spec op report.plot tensor text text.chat text.tokenizer
            cli.ruler: cli.process engine eval eval.catalog eval.ruler eval.ruler.text text text.chat text.tokenizer
            cli.demo: cache cache.prefill cli.option cli.process engine engine.serve eval eval.metric eval.needle eval.text \
                report.page report.plot model.spec op tensor
            cli.calibrate: cache cli.option cli.process engine engine.serve engine.study eval eval.needle eval.text \
                model.spec op tensor
            cli.minference: cache cache.prefill checkpoint cli.option cli.process engine engine.serve eval eval.needle \
                eval.text model.spec
            cli.bench.sharing: cache cli.option cli.process engine engine.serve model.spec op sampling tensor
            cli.bench.load: engine
            cli.bench.serve: cache cli.bench.load cli.option cli.process cli.serve engine engine.serve model.spec op \
                report.page report.plot server tensor
            cli.bench.e2e: cache cache.prefill checkpoint cli.option cli.process engine engine.serve engine.study \
                model.spec op op.timing report.plot tensor
            cli.bench: cli.bench.e2e cli.bench.serve cli.bench.sharing
            cli.serve: cache cli.option cli.process engine engine.serve op server tensor text.chat
            cli: cli.bench cli.calibrate cli.demo cli.eval cli.minference cli.model cli.process cli.pull cli.ruler cli.run cli.serve engine
            """;

    private static final JavaClasses CLASSES =
            new ClassFileImporter().withImportOption(ArchitectureTest::isMain).importPackages("io.shadowkv");

    private static boolean isMain(Location location) {
        return Stream.of("/test-classes/", "-tests.jar", ".test/").noneMatch(location::contains);
    }

    record Room(String name, List<String> uses) {
        String[] allowed() {
            return Stream.concat(Stream.of(name), uses.stream())
                    .map(room -> "io.shadowkv." + room)
                    .toArray(String[]::new);
        }
    }

    static List<Room> rooms() {
        return TABLE.lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.split(":"))
                .map(row -> new Room(
                        row[0],
                        row.length == 1 ? List.of() : List.of(row[1].strip().split(" +"))))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("rooms")
    void aPackageUsesOnlyWhatItMay(Room room) {
        classes()
                .that()
                .resideInAPackage("io.shadowkv." + room.name())
                .should()
                .onlyDependOnClassesThat(resideOutsideOfPackage("io.shadowkv..").or(resideInAnyPackage(room.allowed())))
                .check(CLASSES);
    }

    @Test
    void everyPackageIsInTheTable() {
        assertThat(CLASSES.stream().map(JavaClass::getPackageName).distinct())
                .containsExactlyInAnyOrderElementsOf(rooms().stream()
                        .map(room -> "io.shadowkv." + room.name())
                        .toList());
    }

    @Test
    void theDocumentHasTheSameTable() throws IOException {
        String tables = TABLE.lines()
                .map(line -> line.startsWith("# ")
                        ? "\n##" + line + "\n\n| package | may use |\n|---|---|\n"
                        : "| `" + line.replaceFirst(": *", "` | `").replaceAll("(?<=[a-z]) +(?=[a-z])", "`, `")
                                + "` |\n")
                .collect(Collectors.joining())
                .replace("` | `` |", "` | nothing |");
        assertThat(Files.readString(Fixtures.repository().resolve("docs/ARCHITECTURE.md")))
                .endsWith("\n## Packages\n" + tables);
    }

    @Test
    void packagesAreFreeOfCircles() {
        slices().matching("io.shadowkv.(**)").should().beFreeOfCycles().check(CLASSES);
    }

    /// The reference backend is for tests and is found only through a `ServiceLoader`.
    @Test
    void nothingNamesTheReferenceBackend() {
        noClasses()
                .that(resideOutsideOfPackages("io.shadowkv.op.reference"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.shadowkv.op.reference")
                .check(CLASSES);
    }

    /// Strategies are used through `cache`; one class maps a spec to its strategy.
    @Test
    void oneClassNamesTheStrategies() {
        noClasses()
                .that(resideOutsideOfPackage("io.shadowkv.cache.."))
                .and()
                .doNotHaveSimpleName("CacheStrategies")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.shadowkv.cache.full", "io.shadowkv.cache.shadow")
                .check(CLASSES);
    }

    @Test
    void noStaticCanBeReassigned() {
        fields().that().areStatic().should().beFinal().check(CLASSES);
    }

    /// Only the command line reads the environment of the process.
    @Test
    void noLibraryReadsTheEnvironment() {
        Set<String> reading =
                Set.of("getenv", "getProperty", "getProperties", "setProperty", "getInteger", "getBoolean", "getLong");
        noClasses()
                .that(resideOutsideOfPackage("io.shadowkv.cli.."))
                .should()
                .callMethodWhere(com.tngtech.archunit.base.DescribedPredicate.describe(
                        "reads the environment",
                        call -> reading.contains(call.getTarget().getName())
                                && (call.getTargetOwner().isEquivalentTo(System.class)
                                        || call.getTargetOwner().isEquivalentTo(Integer.class)
                                        || call.getTargetOwner().isEquivalentTo(Boolean.class)
                                        || call.getTargetOwner().isEquivalentTo(Long.class))))
                .check(CLASSES);
    }

    /// The worker writes its messages to standard output, so nothing else may print there.
    @Test
    void noLibraryPrints() {
        noClasses()
                .that(resideOutsideOfPackage("io.shadowkv.cli.."))
                .and()
                .doNotHaveSimpleName("WorkerLoop")
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .orShould()
                .callMethod(Throwable.class, "printStackTrace")
                .check(CLASSES);
        assertThat(CLASSES).as("classes that the rules saw").hasSizeGreaterThan(500);
    }

    @Test
    void filesAndPackagesStaySmall() throws IOException {
        Map<Path, Long> lines;
        try (Stream<Path> sources = Files.walk(Fixtures.repository())) {
            lines = sources.filter(path -> path.toString().contains("/src/main/java/"))
                    .filter(path -> path.toString().endsWith(".java"))
                    .collect(Collectors.toMap(path -> path, ArchitectureTest::lines));
        }
        assertThat(lines).hasSizeGreaterThan(500);
        assertThat(lines).allSatisfy((file, count) -> assertThat(count).isLessThanOrEqualTo(400));
        Map<Path, Long> perPackage =
                lines.keySet().stream().collect(Collectors.groupingBy(Path::getParent, Collectors.counting()));
        assertThat(perPackage)
                .allSatisfy((folder, count) -> assertThat(count).as("files").isLessThanOrEqualTo(20));
    }

    private static long lines(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.count();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
