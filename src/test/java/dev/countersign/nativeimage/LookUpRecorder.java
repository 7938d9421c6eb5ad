package dev.countersign.nativeimage;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.ResourceBundle;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Writes down look-ups that found something: kind, name, caller, and the class initialisers that they were made in. */
public final class LookUpRecorder {

    static final String FILE = "look-ups.file";

    private static final StackWalker STACK = StackWalker.getInstance();
    private static final Set<String> WRITTEN = ConcurrentHashMap.newKeySet();
    private static final ThreadLocal<Boolean> BUSY = ThreadLocal.withInitial(() -> false);

    private LookUpRecorder() {}

    /**
     * A look-up has been made.
     *
     * @param arguments the receiver, if any, and then the arguments
     */
    public static void record(@Nullable Object result, Object[] arguments, String target, String caller) {
        if (result == null || BUSY.get()) {
            return;
        }
        BUSY.set(true);
        try {
            String found = found(result, arguments, target);
            if (found != null) {
                write(found + "\t" + caller + "\t" + initializers());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            BUSY.set(false);
        }
    }

    /** Kind and name; null when nothing was found. */
    private static @Nullable String found(Object result, Object[] arguments, String target) {
        if (target.endsWith("esource") || target.endsWith("AsStream") || target.endsWith("esources")) {
            if (result instanceof Enumeration<?> urls && !urls.hasMoreElements()) {
                return null;
            }
            return "resource\t" + resource(arguments);
        }
        return switch (result) {
            case Class<?> type -> "type\t" + type.getName();
            case Field field -> "field\t" + member(arguments[0], field);
            case Executable executable -> "method\t" + member(arguments[0], executable);
            case Object[] _
            when arguments[0] instanceof Class<?> type ->
                target.substring(target.indexOf('.') + 1) + "\t" + type.getName();
            case ServiceLoader<?> services -> "service\t" + services.toString().replaceAll(".*\\[(.*)]", "$1");
            case ResourceBundle bundle -> "bundle\t" + bundle.getBaseBundleName();
            default -> other(result, arguments, target);
        };
    }

    private static String other(Object result, Object[] arguments, String target) {
        if (target.contains("Proxy")) {
            return "proxy\t"
                    + Arrays.stream(result.getClass().getInterfaces())
                            .map(Class::getName)
                            .collect(Collectors.joining(","));
        }
        if (target.contains("Lookup.find")) {
            boolean constructor = target.endsWith("findConstructor");
            return "handle\t" + ((Class<?>) arguments[1]).getName() + "#" + ((Class<?>) arguments[1]).getName() + "#"
                    + (constructor ? "<init>" : arguments[2]);
        }
        return "object\t" + result.getClass().getName();
    }

    /** The class that was asked, the one that has the member, and the member. */
    private static String member(Object asked, Member member) {
        String name = member instanceof Constructor ? "<init>" : member.getName();
        return ((Class<?>) asked).getName() + "#" + member.getDeclaringClass().getName() + "#" + name;
    }

    private static String resource(Object[] arguments) {
        String name = String.valueOf(arguments[1]);
        if (arguments[0] instanceof Class<?> type) {
            return name.startsWith("/")
                    ? name.substring(1)
                    : type.getPackageName().replace('.', '/') + "/" + name;
        }
        return name;
    }

    /** Whose class initialiser this runs in, from the innermost on. */
    private static String initializers() {
        return STACK.walk(frames -> frames.filter(frame -> frame.getMethodName().equals("<clinit>"))
                .map(StackWalker.StackFrame::getClassName)
                .collect(Collectors.joining(",")));
    }

    private static synchronized void write(String line) throws IOException {
        if (WRITTEN.add(line)) {
            Files.write(
                    Path.of(System.getProperty(FILE)),
                    (line + "\n").getBytes(UTF_8),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        }
    }
}
