package io.atelier.docs;

import com.sun.source.tree.AnnotatedTypeTree;
import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.AssignmentTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ParameterizedTypeTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * The page about a {@code @ConfigMapping} interface, made from its source: a key, its type, default and range come from
 * the code, its meaning from the Javadoc. Used once, by one thread.
 */
final class ConfigurationReference {
    private static final String INTRODUCTION = """
            # Configuration

            Every key that is Atelier's own. This page is generated from the Javadoc of `io.atelier.config.AtelierConfig`; \
            `ConfigurationReferenceTest` holds it against the code.

            A key is set as a system property (`-Datelier.devices=cpu*2`), as an environment variable \
            (`ATELIER_DEVICES`), or in `config/application.properties` beside the process; the first of these wins. \
            A bad value stops the start, and so does an unknown `atelier.` key in a property. A misspelt environment \
            variable is not noticed.

            A duration is a number with its unit (`500ms`, `30S`, `5M`, `1H`) or ISO 8601 (`PT0.5S`); a bare number is \
            seconds.

            What Quarkus itself can do has its own keys, `quarkus.`; those that matter here are in \
            [operations.md](operations.md).
            """;

    private final CompilationUnitTree unit;
    private final DocTrees docs;
    private final Map<String, ClassTree> groups = new LinkedHashMap<>();
    private final StringBuilder page = new StringBuilder(INTRODUCTION);

    private ConfigurationReference(CompilationUnitTree unit, DocTrees docs) {
        this.unit = unit;
        this.docs = docs;
    }

    /** The page about the interface in a source file. */
    static String of(Path source) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask)
                    compiler.getTask(null, files, null, List.of("-proc:none"), null, files.getJavaFileObjects(source));
            CompilationUnitTree unit = task.parse().iterator().next();
            return new ConfigurationReference(unit, DocTrees.instance(task)).write();
        }
    }

    private String write() {
        ClassTree root = (ClassTree) unit.getTypeDecls().get(0);
        root.getMembers().stream()
                .filter(ClassTree.class::isInstance)
                .map(ClassTree.class::cast)
                .forEach(group -> groups.put(group.getSimpleName().toString(), group));
        String prefix = Objects.requireNonNull(
                annotation(root.getModifiers().getAnnotations(), "ConfigMapping", "prefix"), "prefix");
        section(prefix, "", root);
        return page.toString();
    }

    /** A table of the group's own keys, then its groups. */
    private void section(String prefix, String meaning, ClassTree group) {
        StringBuilder table = new StringBuilder();
        List<Runnable> inner = new ArrayList<>();
        for (Tree member : group.getMembers()) {
            if (member instanceof MethodTree method) {
                String key = prefix + "." + kebab(method);
                ClassTree type = groups.get(String.valueOf(method.getReturnType()));
                if (type != null) {
                    inner.add(() -> section(key, javadoc(method), type));
                } else {
                    table.append(row(key, method));
                }
            }
        }
        page.append("\n## `").append(prefix).append("`\n\n");
        if (!meaning.isEmpty()) {
            page.append(meaning).append("\n\n");
        }
        page.append("| Key | Environment variable | Type | Default | Allowed | Meaning |\n")
                .append("| --- | --- | --- | --- | --- | --- |\n")
                .append(table);
        inner.forEach(Runnable::run);
    }

    private String row(String key, MethodTree method) {
        List<AnnotationTree> constraints = new ArrayList<>(method.getModifiers().getAnnotations());
        Tree type = method.getReturnType();
        while (type instanceof ParameterizedTypeTree || type instanceof AnnotatedTypeTree) {
            if (type instanceof AnnotatedTypeTree annotated) {
                constraints.addAll(annotated.getAnnotations());
                type = annotated.getUnderlyingType();
            } else if (type.toString().startsWith("Optional<")) {
                type = ((ParameterizedTypeTree) type).getTypeArguments().get(0);
            } else {
                break;
            }
        }
        String byDefault = annotation(constraints, "WithDefault", "value");
        return "| `%s` | `%s` | %s | %s | %s | %s |%n"
                .formatted(
                        key,
                        key.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT),
                        typeName(String.valueOf(type)),
                        byDefault == null ? "–" : "`" + byDefault + "`",
                        range(constraints),
                        javadoc(method).replace("|", "\\|"))
                .replace(System.lineSeparator(), "\n");
    }

    private static String typeName(String type) {
        return switch (type) {
            case "int", "Integer", "long", "Long" -> "integer";
            case "double", "Double" -> "number";
            case "boolean", "Boolean" -> "`true` or `false`";
            case "String" -> "text";
            case "Set<String>" -> "texts, separated by commas";
            case "URI" -> "address";
            case "MemorySize" -> "size, such as `64M`";
            default -> type.toLowerCase(Locale.ROOT);
        };
    }

    private static String range(List<AnnotationTree> constraints) {
        StringJoiner range = new StringJoiner(", ");
        for (AnnotationTree constraint : constraints) {
            Map<String, String> values = values(constraint);
            String bound = values.getOrDefault("value", "");
            boolean inclusive = !values.getOrDefault("inclusive", "true").equals("false");
            switch (constraint.getAnnotationType().toString()) {
                case "WithDefault" -> {
                    // has a column of its own
                }
                case "Min" -> range.add("at least " + bound);
                case "Max" -> range.add("at most " + bound);
                case "DecimalMin" -> range.add((inclusive ? "at least " : "above ") + bound);
                case "DecimalMax" -> range.add((inclusive ? "at most " : "below ") + bound);
                case "DurationMin" -> range.add((inclusive ? "at least " : "above ") + duration(values));
                case "DurationMax" -> range.add((inclusive ? "at most " : "below ") + duration(values));
                default -> range.add("`" + constraint + "`");
            }
        }
        return range.length() == 0 ? "–" : range.toString();
    }

    /** The parts of a duration's bound, {@code minutes = 1}. */
    private static String duration(Map<String, String> values) {
        String text = values.entrySet().stream()
                .filter(entry -> !entry.getKey().equals("inclusive"))
                .map(entry -> entry.getValue().equals("0")
                        ? "0"
                        : entry.getValue()
                                + " "
                                + (entry.getValue().equals("1") ? entry.getKey().replaceAll("s$", "") : entry.getKey()))
                .collect(Collectors.joining(" "));
        return text.replace("millis", "ms").replace("milli", "ms").replace("nanos", "ns");
    }

    /** The Javadoc's text, its tags as Markdown. */
    private String javadoc(MethodTree method) {
        String comment = docs.getDocComment(TreePath.getPath(unit, method));
        if (comment == null || comment.isBlank()) {
            throw new IllegalArgumentException(method.getName() + " has no Javadoc");
        }
        return comment.replaceAll("\\{@code ([^}]*)}", "`$1`")
                .replaceAll("\\{@link #?([^}]*)}", "`$1`")
                .replaceAll("<p>", "")
                .replaceAll("\\s+", " ")
                .strip();
    }

    private static String kebab(MethodTree method) {
        String name = annotation(method.getModifiers().getAnnotations(), "WithName", "value");
        return name != null
                ? name
                : method.getName()
                        .toString()
                        .replaceAll("([a-z0-9])([A-Z])", "$1-$2")
                        .toLowerCase(Locale.ROOT);
    }

    private static @Nullable String annotation(List<? extends AnnotationTree> annotations, String type, String member) {
        return annotations.stream()
                .filter(annotation -> annotation.getAnnotationType().toString().equals(type))
                .findFirst()
                .map(annotation -> values(annotation).get(member))
                .orElse(null);
    }

    private static Map<String, String> values(AnnotationTree annotation) {
        Map<String, String> values = new LinkedHashMap<>();
        for (ExpressionTree argument : annotation.getArguments()) {
            if (argument instanceof AssignmentTree assignment) {
                values.put(assignment.getVariable().toString(), text(assignment.getExpression()));
            } else {
                values.put("value", text(argument));
            }
        }
        return values;
    }

    private static String text(ExpressionTree expression) {
        return expression instanceof LiteralTree literal ? String.valueOf(literal.getValue()) : expression.toString();
    }
}
