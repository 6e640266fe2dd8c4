package io.shadowkv;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The architecture's import table, and what no library room may do.
class ImportRulesTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.shadowkv");

    /// A room, the rooms it looks into, and the libraries it uses beyond `java.base`.
    record Room(String name, List<String> rooms, List<String> libraries) {
        String[] allowed() {
            List<String> own = List.of("io.shadowkv." + name, "io.shadowkv." + name + ".(**)");
            List<String> always =
                    List.of("java.lang..", "java.util..", "java.io", "java.nio..", "java.math", "org.jspecify..");
            return Stream.of(own, inPackages(rooms), libraries, always)
                    .flatMap(List::stream)
                    .toArray(String[]::new);
        }

        private static List<String> inPackages(List<String> rooms) {
            return rooms.stream().map(room -> "io.shadowkv." + room).toList();
        }
    }

    /// ARCHITECTURE's table. `op.reference` stands inside `op`; the strategies stand inside `cache`.
    static List<Room> rooms() {
        return List.of(
                new Room("tensor", List.of(), List.of()),
                new Room("text", List.of(), List.of("tools.jackson..", "ai.djl..", "java.text..", "java.time..")),
                new Room(
                        "checkpoint",
                        List.of("tensor"),
                        List.of("tools.jackson..", "java.net..", "java.security", "java.time..")),
                new Room("op", List.of("tensor"), List.of("com.sun.management")),
                new Room("cache", List.of("tensor", "op"), List.of()),
                new Room("model", List.of("tensor", "op", "checkpoint", "cache"), List.of()),
                new Room("sampling", List.of("tensor"), List.of()),
                new Room(
                        "engine",
                        List.of("tensor", "text", "checkpoint", "op", "cache", "model", "sampling"),
                        List.of()));
    }

    @ParameterizedTest
    @MethodSource("rooms")
    void aRoomLooksOnlyWhereItMay(Room room) {
        classes()
                .that()
                .resideInAnyPackage("io.shadowkv." + room.name(), "io.shadowkv." + room.name() + ".(**)")
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(room.allowed()).or(arrays()))
                .check(CLASSES);
    }

    private static com.tngtech.archunit.base.DescribedPredicate<com.tngtech.archunit.core.domain.JavaClass> arrays() {
        return com.tngtech.archunit.base.DescribedPredicate.describe(
                "primitive", type -> type.getBaseComponentType().isPrimitive());
    }

    /// A new package must be entered into the table.
    @Test
    void everyPackageIsInTheTable() {
        List<String> known = rooms().stream().map(Room::name).toList();
        List<String> found = CLASSES.stream()
                .map(type -> type.getPackageName()
                        .replaceFirst("io\\.shadowkv\\.?", "")
                        .split("\\.")[0])
                .distinct()
                .toList();
        assertThat(found).containsExactlyInAnyOrderElementsOf(known);
    }

    /// The judge is for tests: nothing but a `ServiceLoader` finds it.
    @Test
    void nobodyNamesTheReferenceBackend() {
        noClasses()
                .that(resideOutsideOfPackages("io.shadowkv.op.reference"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.shadowkv.op.reference")
                .check(CLASSES);
    }

    /// Strategies are reached through the seam.
    @Test
    void onlyTheCacheKnowsItsStrategies() {
        noClasses()
                .that(resideOutsideOfPackages("io.shadowkv.cache.."))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.shadowkv.cache.full", "io.shadowkv.cache.shadow")
                .check(CLASSES);
    }

    @Test
    void noStaticCanBeReassigned() {
        fields().that().areStatic().should().beFinal().check(CLASSES);
    }

    @Test
    void noRoomReadsTheEnvironment() {
        noClasses()
                .should()
                .callMethod(System.class, "getenv")
                .orShould()
                .callMethod(System.class, "getenv", String.class)
                .orShould()
                .callMethod(System.class, "getProperty", String.class)
                .orShould()
                .callMethod(System.class, "getProperty", String.class, String.class)
                .orShould()
                .callMethod(System.class, "getProperties")
                .orShould()
                .callMethod(System.class, "setProperty", String.class, String.class)
                .orShould()
                .callMethod(Integer.class, "getInteger", String.class)
                .orShould()
                .callMethod(Boolean.class, "getBoolean", String.class)
                .check(CLASSES);
    }

    @Test
    void noRoomPrints() {
        noClasses()
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .orShould()
                .callMethod(Throwable.class, "printStackTrace")
                .check(CLASSES);
        assertThat(CLASSES).as("classes that the rules saw").hasSizeGreaterThan(100);
    }
}
