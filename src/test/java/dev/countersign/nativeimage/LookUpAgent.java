package dev.countersign.nativeimage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassHierarchyResolver.ClassHierarchyInfo;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.ProtectionDomain;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.jspecify.annotations.Nullable;

/**
 * A Java agent that has {@link LookUpRecorder} write down every look-up by name that a library makes. It puts a call after
 * each such call in the bytecode of every class that isn't the JDK's own.
 */
public final class LookUpAgent implements ClassFileTransformer {

    private static final MethodTypeDesc RECORD = MethodTypeDesc.of(
            ConstantDescs.CD_void,
            ConstantDescs.CD_Object,
            ConstantDescs.CD_Object.arrayType(),
            ConstantDescs.CD_String,
            ConstantDescs.CD_String);

    private static final Set<String> OF_CLASSES = Set.of(
            "forName",
            "getConstructor",
            "getConstructors",
            "getDeclaredConstructor",
            "getDeclaredConstructors",
            "getDeclaredField",
            "getDeclaredFields",
            "getDeclaredMethod",
            "getDeclaredMethods",
            "getField",
            "getFields",
            "getMethod",
            "getMethods",
            "getRecordComponents",
            "getResource",
            "getResourceAsStream");

    private static final Set<String> OF_LOADERS =
            Set.of("loadClass", "getResource", "getResourceAsStream", "getResources", "resources");

    private static final Set<String> OF_LOOKUPS = Set.of(
            "findClass",
            "findConstructor",
            "findGetter",
            "findSetter",
            "findStatic",
            "findStaticVarHandle",
            "findVarHandle",
            "findVirtual");

    private LookUpAgent() {}

    /** The option of the JVM with which it writes to the file. The jars that it needs are made in the directory. */
    static String option(Path directory, Path file) throws IOException {
        Path agent = jar(LookUpAgent.class, directory.resolve("look-up-agent.jar"));
        Path recorder = jar(LookUpRecorder.class, directory.resolve("look-up-recorder.jar"));
        return "-javaagent:" + agent + "=" + recorder + ":" + file;
    }

    private static Path jar(Class<?> type, Path jar) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Premain-Class", LookUpAgent.class.getName());
        String name = type.getName().replace('.', '/') + ".class";
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest);
                InputStream bytes = type.getResourceAsStream("/" + name)) {
            out.putNextEntry(new JarEntry(name));
            bytes.transferTo(out);
        }
        return jar;
    }

    /**
     * Called by the JVM before the program's own main method.
     *
     * @param arguments the recorder's jar and the file to write to, with a colon between them
     */
    public static void premain(String arguments, Instrumentation instrumentation) throws IOException {
        int colon = arguments.indexOf(':');
        // Where every class loader finds the recorder.
        instrumentation.appendToBootstrapClassLoaderSearch(new JarFile(arguments.substring(0, colon)));
        System.setProperty(LookUpRecorder.FILE, arguments.substring(colon + 1));
        instrumentation.addTransformer(new LookUpAgent());
    }

    @Override
    public byte @Nullable [] transform(
            @Nullable ClassLoader loader,
            String name,
            @Nullable Class<?> redefined,
            @Nullable ProtectionDomain domain,
            byte[] bytes) {
        return loader == null || loader.equals(ClassLoader.getPlatformClassLoader()) ? null : recorded(loader, bytes);
    }

    private static byte[] recorded(ClassLoader loader, byte[] bytes) {
        // A type that is missing, of an optional library, can stand for any in a stack map.
        ClassFile file = ClassFile.of(ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(loader).orElse(_ -> ClassHierarchyInfo.ofInterface())));
        var model = file.parse(bytes);
        String type = model.thisClass().asInternalName().replace('/', '.');
        return file.transformClass(model, ClassTransform.transformingMethods((builder, element) -> {
            if (element instanceof CodeModel code) {
                String caller = type + "#" + method(code.parent().orElseThrow());
                builder.transformCode(code, recording(caller));
            } else {
                builder.with(element);
            }
        }));
    }

    private static String method(MethodModel method) {
        return method.methodName().stringValue();
    }

    private static CodeTransform recording(String caller) {
        return (builder, element) -> {
            if (element instanceof InvokeInstruction call && looksUp(call)) {
                record(builder, call, caller);
            } else {
                builder.with(element);
            }
        };
    }

    private static boolean looksUp(InvokeInstruction call) {
        String owner = call.owner().asInternalName();
        String name = call.name().stringValue();
        return switch (owner) {
            case "java/lang/Class" -> OF_CLASSES.contains(name);
            case "java/lang/invoke/MethodHandles$Lookup" -> OF_LOOKUPS.contains(name);
            case "java/util/ServiceLoader" -> name.equals("load");
            case "java/util/ResourceBundle" -> name.equals("getBundle");
            case "java/lang/reflect/Proxy" -> name.equals("newProxyInstance");
            case "java/io/ObjectInputStream" -> name.equals("readObject");
            default ->
                owner.endsWith("ClassLoader") && OF_LOADERS.contains(name) && call.opcode() != Opcode.INVOKESPECIAL;
        };
    }

    /** Keeps receiver and arguments in new local variables, so that the recorder gets them beside the result. */
    private static void record(CodeBuilder builder, InvokeInstruction call, String caller) {
        boolean hasReceiver = call.opcode() != Opcode.INVOKESTATIC;
        List<ClassDesc> types = call.typeSymbol().parameterList();
        int[] slots = new int[types.size()];
        for (int i = types.size() - 1; i >= 0; i--) {
            TypeKind kind = TypeKind.from(types.get(i));
            slots[i] = builder.allocateLocal(kind);
            builder.storeLocal(kind, slots[i]);
        }
        int receiver = builder.allocateLocal(TypeKind.REFERENCE);
        if (hasReceiver) {
            builder.astore(receiver).aload(receiver);
        }
        for (int i = 0; i < slots.length; i++) {
            builder.loadLocal(TypeKind.from(types.get(i)), slots[i]);
        }
        builder.with((CodeElement) call).dup();
        builder.loadConstant(slots.length + 1).anewarray(ConstantDescs.CD_Object);
        if (hasReceiver) {
            builder.dup().loadConstant(0).aload(receiver).aastore();
        }
        for (int i = 0; i < slots.length; i++) {
            if (TypeKind.from(types.get(i)) == TypeKind.REFERENCE) {
                builder.dup().loadConstant(i + 1).aload(slots[i]).aastore();
            }
        }
        builder.loadConstant(call.owner().asInternalName() + "." + call.name().stringValue())
                .loadConstant(caller)
                .invokestatic(ClassDesc.of(LookUpRecorder.class.getName()), "record", RECORD);
    }
}
