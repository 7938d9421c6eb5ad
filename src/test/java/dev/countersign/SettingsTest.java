package dev.countersign;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.LiteralTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithParentName;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.junit.jupiter.api.Test;

/** The settings in docs/operations.md are what the code reads, and say what its javadoc says. */
class SettingsTest {

    private static final Path PAGE = Path.of("docs", "operations.md");
    private static final String BEGIN = "<!-- Generated from the javadoc of the code: begin -->\n";
    private static final String END = "<!-- Generated: end -->\n";
    private static final String WRITE = "countersign.settings.write";

    private static final List<JavaClass> CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.countersign").stream()
                    .sorted(Comparator.comparing(JavaClass::getName))
                    .toList();

    /** Javadoc by class, and by class and method. */
    private final Map<String, String> javadoc = new LinkedHashMap<>();

    @Test
    void pageHasWhatTheCodeSays() throws IOException {
        String page = Files.readString(PAGE);
        assertThat(page).containsOnlyOnce(BEGIN).containsOnlyOnce(END);
        String before = page.substring(0, page.indexOf(BEGIN) + BEGIN.length());
        String after = page.substring(page.indexOf(END));
        String generated = before + settings() + after;
        if (Boolean.getBoolean(WRITE)) {
            Files.writeString(PAGE, generated);
        } else {
            assertThat(page)
                    .as("%s is out of date. Write it with: ./mvnw test -Dtest=SettingsTest -D%s=true", PAGE, WRITE)
                    .isEqualTo(generated);
        }
    }

    @Test
    void javadocNamesTheBounds() throws IOException {
        for (JavaClass type : CLASSES) {
            if (type.isAnnotatedWith(ConfigMapping.class)) {
                readJavadoc(type);
                for (Method setting : inOrder(type.reflect())) {
                    bounds(setting)
                            .forEach(bound -> assertThat(sentence(key(setting)))
                                    .as(key(setting))
                                    .containsPattern("\\b" + bound + "\\b"));
                }
            }
        }
        assertThat(javadoc).hasSizeGreaterThan(20);
    }

    /** One that is injected alone has no javadoc to be generated from. */
    @Test
    void pageNamesEachSettingThatIsReadAlone() throws IOException {
        List<String> names = CLASSES.stream()
                .flatMap(type -> type.getConstructors().stream())
                .flatMap(constructor -> constructor.getParameters().stream())
                .flatMap(parameter -> parameter.tryGetAnnotationOfType(ConfigProperty.class).stream())
                .map(property -> property.name() + "` | `" + property.defaultValue())
                .filter(setting -> setting.startsWith("countersign."))
                .toList();
        assertThat(names).isNotEmpty();
        assertThat(Files.readString(PAGE))
                .contains(names.stream().map(setting -> "| `" + setting + "` |").toList());
    }

    private String settings() throws IOException {
        StringBuilder text = new StringBuilder();
        for (JavaClass type : CLASSES) {
            if (type.isAnnotatedWith(ConfigMapping.class)) {
                readJavadoc(type);
                Class<?> mapping = type.reflect();
                String prefix = mapping.getAnnotation(ConfigMapping.class).prefix();
                Map<String, String> rows = new LinkedHashMap<>();
                collect(mapping, prefix, rows);
                text.append("\n`%s.*`: %s\n\n| setting | default | what it does |\n|---|---|---|\n"
                        .formatted(prefix, sentence(mapping.getSimpleName())));
                rows.forEach((setting, row) -> text.append("| `%s` | %s |\n".formatted(setting, row)));
            }
        }
        return text.append('\n').toString();
    }

    /** In the order of the source. */
    private void collect(Class<?> type, String prefix, Map<String, String> rows) {
        for (Method setting : inOrder(type)) {
            String name = setting.isAnnotationPresent(WithParentName.class)
                    ? prefix
                    : prefix + "." + kebab(setting.getName());
            Type value = setting.getGenericReturnType();
            if (value instanceof ParameterizedType map && map.getRawType() == Map.class) {
                name += setting.getName().equals("byName") ? ".<name>" : ".<id>";
                Class<?> each = (Class<?>) map.getActualTypeArguments()[1];
                if (each.isInterface()) {
                    rows.put(name, " | " + sentence(key(setting)));
                    collect(each, name, rows);
                } else {
                    rows.put(name, "not set | " + sentence(key(setting)));
                }
            } else {
                String standard = Optional.ofNullable(setting.getAnnotation(WithDefault.class))
                        .map(given -> "`" + given.value() + "`")
                        .orElse("not set");
                rows.put(name, standard + " | " + sentence(key(setting)));
            }
        }
    }

    private List<Method> inOrder(Class<?> type) {
        return javadoc.keySet().stream()
                .filter(key -> key.startsWith(type.getSimpleName() + "."))
                .map(key -> key.substring(key.indexOf('.') + 1))
                .flatMap(name -> Stream.of(type.getDeclaredMethods())
                        .filter(method ->
                                !method.isSynthetic() && method.getName().equals(name)))
                .toList();
    }

    /** The number in each, whatever its unit is. */
    private static Stream<String> bounds(Method setting) {
        return Stream.of(setting.getAnnotations())
                .flatMap(annotation -> switch (annotation) {
                    case Min min -> Stream.of(min.value());
                    case Max max -> Stream.of(max.value());
                    case DurationMin min -> Stream.of(min.hours() + min.minutes() + min.seconds());
                    case DurationMax max -> Stream.of(max.hours() + max.minutes() + max.seconds());
                    default -> Stream.<Long>empty();
                })
                .map(String::valueOf);
    }

    private static String key(Method setting) {
        return setting.getDeclaringClass().getSimpleName() + "." + setting.getName();
    }

    private String sentence(String key) {
        return Objects.requireNonNull(javadoc.get(key), () -> "no javadoc of " + key);
    }

    private void readJavadoc(JavaClass type) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        Path source = Path.of("src", "main", "java").resolve(type.getName().replace('.', '/') + ".java");
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask)
                    compiler.getTask(null, files, null, List.of("-proc:none"), null, files.getJavaFileObjects(source));
            DocTrees comments = DocTrees.instance(task);
            for (CompilationUnitTree unit : task.parse()) {
                new Comments(comments).scan(unit, null);
            }
        }
    }

    private static String kebab(String camel) {
        return camel.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    /** Notes the comment of each type and method, and its code as Markdown's. */
    private final class Comments extends TreePathScanner<Void, String> {

        private final DocTrees comments;

        Comments(DocTrees comments) {
            this.comments = comments;
        }

        @Override
        public Void visitClass(ClassTree type, String outer) {
            note(type.getSimpleName().toString());
            return super.visitClass(type, type.getSimpleName().toString());
        }

        @Override
        public Void visitMethod(MethodTree method, String type) {
            note(type + "." + method.getName());
            return null;
        }

        private void note(String key) {
            TreePath path = getCurrentPath();
            DocCommentTree comment = comments.getDocCommentTree(path);
            assertThat(comment).as("the javadoc of " + key).isNotNull();
            javadoc.put(
                    key,
                    comment.getFullBody().stream()
                            .map(Comments::markdown)
                            .collect(joining())
                            .replaceAll("\\s+", " ")
                            .strip());
        }

        private static String markdown(DocTree part) {
            return part instanceof LiteralTree literal ? "`" + literal.getBody().getBody() + "`" : part.toString();
        }
    }
}
