package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.quarkus.security.PermissionsAllowed;
import jakarta.annotation.security.PermitAll;
import jakarta.ws.rs.OPTIONS;
import jakarta.ws.rs.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No operation of the contract is without a permission, and only OPTIONS needs none. */
class DeclaredPermissionsTest {

    @Test
    void everyOperationDeclaresItsPermission() {
        var classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.countersign");
        List<JavaMethod> operations = classes.stream()
                .filter(JavaClass::isInterface)
                .filter(api -> api.isAnnotatedWith(Path.class))
                .flatMap(api -> api.getMethods().stream())
                .toList();
        assertThat(operations).hasSizeGreaterThan(8);
        assertThat(operations).allSatisfy(operation -> {
            JavaMethod implementation = implementations(operation).findFirst().orElseThrow();
            if (operation.isAnnotatedWith(OPTIONS.class)) {
                assertThat(implementation.isAnnotatedWith(PermitAll.class))
                        .as(implementation.getFullName())
                        .isTrue();
            } else {
                assertThat(implementation.isAnnotatedWith(PermissionsAllowed.class))
                        .as(implementation.getFullName())
                        .isTrue();
            }
        });
    }

    private static Stream<JavaMethod> implementations(JavaMethod operation) {
        return operation.getOwner().getAllSubclasses().stream()
                .map(type -> type.getMethod(
                        operation.getName(),
                        operation.getRawParameterTypes().stream()
                                .map(JavaClass::getName)
                                .toArray(String[]::new)));
    }
}
