package io.atelier.nativeanalysis;

import java.io.IOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.tools.ToolProvider;

/**
 * For the few parts of a GraalVM that are not on Maven Central: C headers, which are read for the sizes of their
 * structures alone and so are written from the classes that describe them, and a library that measures the console.
 */
final class StandIns {
    private static final Map<String, String> PROCESSORS =
            Map.of("amd64", "AMD64", "aarch64", "AArch64", "riscv64", "RISCV64");
    private static final String LOCALE = "com.oracle.svm.core.c.locale.LocaleCHelper";
    private static final String CONSOLE = """
            package com.oracle.svm.hosted;

            public final class ProgressReporterCHelper {
                public static int getTerminalWindowColumnsClamped() { return 120; }
                public static int getTerminalWindowColumns() { return 120; }
                public static long getPeakRSS() { return -1; }
            }
            """;

    private final Path headers;
    private final Path classes;

    StandIns(List<Path> builder, Path work) throws IOException, ReflectiveOperationException {
        headers = work.resolve("clibraries");
        classes = Files.createDirectories(work.resolve("console"));
        Path include = Files.createDirectories(headers.resolve("include"));
        List<URL> urls = new ArrayList<>();
        for (Path jar : builder) {
            urls.add(jar.toUri().toURL());
        }
        try (URLClassLoader loader =
                new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            for (Map.Entry<String, String> processor : PROCESSORS.entrySet()) {
                String name = "com.oracle.svm.core.%s.%sLibCHelper$CPUFeatures"
                        .formatted(processor.getKey(), processor.getValue());
                Files.writeString(include.resolve(processor.getKey() + "cpufeatures.h"), structure(loader, name));
            }
            Files.writeString(
                    include.resolve("svm_locale.h"),
                    structure(loader, LOCALE + "$LocaleProps") + constants(loader, LOCALE));
        }
        Path source = work.resolve("ProgressReporterCHelper.java");
        Files.writeString(source, CONSOLE);
        int status =
                ToolProvider.getSystemJavaCompiler().run(null, null, null, "-d", classes.toString(), source.toString());
        if (status != 0) {
            throw new IllegalStateException("the stand-in for the console was not compiled");
        }
    }

    Path headers() {
        return headers;
    }

    /** To be patched into the builder's module. */
    Path classes() {
        return classes;
    }

    private static String structure(ClassLoader loader, String className) throws ReflectiveOperationException {
        Class<?> described = Class.forName(className, false, loader);
        Map<String, String> fields = new TreeMap<>();
        for (Method accessor : described.getDeclaredMethods()) {
            Annotation field = annotation(accessor, "struct.CField");
            if (field != null) {
                fields.put(value(field, accessor.getName()), type(accessor));
            }
        }
        String name = value(annotation(described, "struct.CStruct"), described.getSimpleName());
        StringBuilder text = new StringBuilder("typedef struct " + name + " {\n");
        fields.forEach((field, type) -> text.append("  " + type + " " + field + ";\n"));
        return text + "} " + name + ";\n";
    }

    private static String constants(ClassLoader loader, String className) throws ReflectiveOperationException {
        StringBuilder text = new StringBuilder();
        int number = 0;
        for (Method accessor : Class.forName(className, false, loader).getDeclaredMethods()) {
            Annotation constant = annotation(accessor, "constant.CConstant");
            if (constant != null) {
                text.append("static const int " + value(constant, accessor.getName()) + " = " + number++ + ";\n");
            }
        }
        return text.toString();
    }

    private static String type(Method accessor) {
        Class<?> type = accessor.getReturnType() == void.class
                ? accessor.getParameterTypes()[accessor.getParameterCount() - 1]
                : accessor.getReturnType();
        if (type == boolean.class || type == byte.class) {
            return "char";
        }
        return type.isPrimitive() ? type.getName() : "void*";
    }

    private static Annotation annotation(AnnotatedElement element, String name) {
        for (Annotation annotation : element.getDeclaredAnnotations()) {
            if (annotation.annotationType().getName().equals("org.graalvm.nativeimage.c." + name)) {
                return annotation;
            }
        }
        return null;
    }

    private static String value(Annotation annotation, String otherwise) throws ReflectiveOperationException {
        String value = (String) annotation.annotationType().getMethod("value").invoke(annotation);
        return value.isEmpty() ? otherwise : value;
    }
}
