package dev.countersign;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Imports run one way: from the features to what they stand on. */
class ArchitectureTest {

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.countersign");

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.countersign.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void whatTheFeaturesStandOnDoesNotKnowThem() {
        noClasses()
                .that()
                .resideInAnyPackage("..access..", "..limit..", "..error..", "..http..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("..challenge..", "..app..")
                .check(CLASSES);
    }

    @Test
    void featuresDoNotKnowEachOther() {
        slices().matching("dev.countersign.(challenge|app)..")
                .should()
                .notDependOnEachOther()
                .check(CLASSES);
    }

    @Test
    void nothingKnowsAResource() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .haveSimpleNameEndingWith("Resource")
                .check(CLASSES);
    }

    /** It looks its classes up by names that depend on a cache's settings: a native image has only some of them. */
    @Test
    void nothingKeepsACacheOfCaffeine() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("com.github.benmanes..")
                .check(CLASSES);
    }

    @Test
    void secretsAreComparedInConstantTime() {
        noClasses()
                .should()
                .callMethod(Arrays.class, "equals", byte[].class, byte[].class)
                .check(CLASSES);
        noClasses()
                .that()
                .haveSimpleName("ChallengeCode")
                .should()
                .callMethod(String.class, "equals", Object.class)
                .orShould()
                .callMethod(Objects.class, "equals", Object.class, Object.class)
                .check(CLASSES);
        for (String comparing : List.of("ChallengeCode", "RedeemAttempt", "KeyCheck", "SigV4Verifier")) {
            classes()
                    .that()
                    .haveSimpleName(comparing)
                    .should()
                    .callMethod(MessageDigest.class, "isEqual", byte[].class, byte[].class)
                    .check(CLASSES);
        }
    }
}
