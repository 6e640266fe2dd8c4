package io.shadowkv.eval;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Which package of the evaluation looks into which.
class ImportRulesTest {
    private static final String ROOT = "io.shadowkv.eval";
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    /// A package and the packages of this project that it looks into, beside its own.
    record Room(String name, List<String> rooms) {
        String[] allowed() {
            return Stream.concat(Stream.of(name), rooms.stream())
                    .map(room -> "io.shadowkv." + room)
                    .toArray(String[]::new);
        }
    }

    /// Suites know the seams and what samples are made of; neither the engine, nor who asks, nor who
    /// reports.
    static List<Room> rooms() {
        return List.of(
                new Room("eval.plot", List.of()),
                new Room("eval.text", List.of("eval", "text")),
                new Room("eval.metric", List.of("eval")),
                new Room("eval.needle", List.of("eval", "eval.metric", "eval.text")),
                new Room("eval.ruler", List.of("eval", "eval.metric", "eval.needle", "eval.text", "text")),
                new Room("eval.niah", List.of("eval", "eval.metric", "eval.needle", "eval.text", "text")),
                new Room("eval.longbench", List.of("eval", "eval.metric", "eval.text", "text")),
                new Room("eval.infinitebench", List.of("eval", "eval.metric", "eval.text")),
                new Room("eval.scbench", List.of("eval", "eval.infinitebench", "eval.metric", "eval.text", "text")),
                new Room("eval.report", List.of("eval", "eval.plot")),
                new Room("eval.worker", List.of("eval")));
    }

    @ParameterizedTest
    @MethodSource("rooms")
    void aPackageLooksOnlyWhereItMay(Room room) {
        classes()
                .that()
                .resideInAPackage("io.shadowkv." + room.name())
                .should()
                .onlyDependOnClassesThat(resideOutsideOfPackage("io.shadowkv..").or(resideInAnyPackage(room.allowed())))
                .check(CLASSES);
    }

    /// A new package must be entered into the table.
    @Test
    void everyPackageIsInTheTable() {
        List<String> known = Stream.concat(Stream.of("eval"), rooms().stream().map(Room::name))
                .map(room -> "io.shadowkv." + room)
                .toList();
        assertThat(CLASSES.stream().map(JavaClass::getPackageName).distinct())
                .containsExactlyInAnyOrderElementsOf(known);
    }

    @Test
    void onlyTheCatalogLooksIntoSubPackages() {
        noClasses()
                .that(resideInAPackage(ROOT).and(isNone(TaskCatalog.class)))
                .should()
                .dependOnClassesThat(resideInAPackage(ROOT + ".*"))
                .check(CLASSES);
    }

    @Test
    void fewClassesKnowTheEngine() {
        noClasses()
                .that(isNone(
                        EngineExaminer.class,
                        SampleMaker.class,
                        SampleDialogue.class,
                        AskedSample.class,
                        PromptFormat.class))
                .should()
                .dependOnClassesThat(resideInAPackage("io.shadowkv.engine.."))
                .check(CLASSES);
    }

    /// Classes that are none of these, nor stand inside one.
    private static DescribedPredicate<JavaClass> isNone(Class<?>... types) {
        return describe(
                "are none of " + Arrays.toString(types),
                found -> Arrays.stream(types)
                        .map(Class::getName)
                        .noneMatch(name ->
                                found.getName().equals(name) || found.getName().startsWith(name + "$")));
    }

    @Test
    void noStaticCanBeReassigned() {
        fields().that().areStatic().should().beFinal().check(CLASSES);
    }

    @Test
    void nothingReadsTheEnvironment() {
        Set<String> reading = Set.of("getenv", "getProperty", "getProperties", "setProperty");
        noClasses()
                .should()
                .callMethodWhere(describe(
                        "reads the environment",
                        call -> call.getTargetOwner().isEquivalentTo(System.class) && reading.contains(call.getName())))
                .check(CLASSES);
        assertThat(CLASSES).as("classes that the rules saw").hasSizeGreaterThan(150);
    }
}
