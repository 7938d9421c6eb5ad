package dev.countersign;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithParentName;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The table of settings in docs/operations.md has every key that the code reads, and no other. */
class SettingsTest {

    @Test
    void pageNamesEverySettingWithItsDefault() throws IOException {
        List<String> rows = Files.readAllLines(Path.of("docs", "operations.md")).stream()
                .filter(line -> line.startsWith("| `countersign."))
                .map(line -> line.split("\\|", -1)[1].strip() + " " + line.split("\\|", -1)[2].strip())
                .toList();
        List<String> settings = new ArrayList<>(List.of("`countersign.request-timeout` `PT2S`"));
        for (JavaClass mapping : mappings()) {
            Class<?> type = mapping.reflect();
            collect(type, type.getAnnotation(ConfigMapping.class).prefix(), settings);
        }
        assertThat(rows).containsExactlyInAnyOrderElementsOf(settings);
    }

    private static Collection<JavaClass> mappings() {
        return new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.countersign").stream()
                        .filter(type -> type.isAnnotatedWith(ConfigMapping.class))
                        .toList();
    }

    private static void collect(Class<?> type, String prefix, List<String> settings) {
        for (Method setting : type.getDeclaredMethods()) {
            if (setting.isSynthetic()) {
                continue;
            }
            String name = setting.isAnnotationPresent(WithParentName.class)
                    ? prefix
                    : prefix + "." + kebab(setting.getName());
            Type value = setting.getGenericReturnType();
            if (value instanceof ParameterizedType map && map.getRawType() == Map.class) {
                String placeholder = setting.isAnnotationPresent(WithParentName.class) ? ".<name>" : ".<id>";
                Class<?> each = (Class<?>) map.getActualTypeArguments()[1];
                if (each.isInterface()) {
                    collect(each, name + placeholder, settings);
                } else {
                    settings.add("`" + name + placeholder + "` none");
                }
            } else {
                WithDefault standard = setting.getAnnotation(WithDefault.class);
                settings.add("`" + name + "` " + (standard == null ? "none" : "`" + standard.value() + "`"));
            }
        }
    }

    private static String kebab(String camel) {
        return camel.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }
}
