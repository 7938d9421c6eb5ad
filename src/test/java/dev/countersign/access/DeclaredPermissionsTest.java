package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.quarkus.security.PermissionsAllowed;
import jakarta.annotation.security.PermitAll;
import jakarta.ws.rs.OPTIONS;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each operation asks for the permissions that the contract names, and only OPTIONS needs none. */
class DeclaredPermissionsTest {

    @Test
    void everyOperationDeclaresItsPermission() throws IOException {
        Map<String, Set<String>> contract = inTheContract();
        var classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.countersign");
        List<JavaMethod> operations = classes.stream()
                .filter(JavaClass::isInterface)
                .filter(api -> api.isAnnotatedWith(jakarta.ws.rs.Path.class))
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
                assertThat(asked(implementation))
                        .as(implementation.getFullName())
                        .isEqualTo(contract.get(operation.getName()));
            }
        });
    }

    /** What a list shows has a check of its own, and needs the permission to administer. */
    private static Set<String> asked(JavaMethod implementation) {
        return Arrays.stream(implementation
                        .getAnnotationOfType(PermissionsAllowed.class)
                        .value())
                .map(name -> name.equals("list") ? "admin" : name)
                .collect(Collectors.toSet());
    }

    /** By the name of the operation's method. */
    private static Map<String, Set<String>> inTheContract() throws IOException {
        Map<String, Set<String>> permissions = new TreeMap<>();
        new YAMLMapper()
                .readTree(Path.of("openapi.yaml").toFile())
                .findParents("x-countersign-permission")
                .forEach(operation -> {
                    Set<String> names = new TreeSet<>();
                    operation.get("x-countersign-permission").forEach(name -> names.add(name.asText()));
                    String id = operation.get("operationId").asText();
                    permissions.put(id.substring(0, 1).toLowerCase(Locale.ROOT) + id.substring(1), names);
                });
        return permissions;
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
