package io.atelier.repository;

import io.atelier.repository.TextProto.Field;
import io.atelier.repository.TextProto.Message;
import io.atelier.repository.TextProto.Scalar;
import io.atelier.repository.TextProto.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A message that {@link TritonSchema} has read, asked field by field. Immutable. */
final class ProtoSection {
    private final String file;
    private final String path;
    private final Message message;
    private final List<String> ignored;

    private ProtoSection(String file, String path, Message message, List<String> ignored) {
        this.file = file;
        this.path = path;
        this.message = message;
        this.ignored = ignored;
    }

    /** A configuration in protobuf's text format. */
    static ProtoSection parse(String file, String text) throws ModelConfigException {
        return of(file, TritonSchema.read(file, TextProto.parse(file, text), false));
    }

    /** A configuration in protobuf's JSON, already taken apart. */
    static ProtoSection ofJson(String file, Message message) throws ModelConfigException {
        return of(file, TritonSchema.read(file, message, true));
    }

    private static ProtoSection of(String file, TritonSchema.Reading reading) {
        return new ProtoSection(file, "", reading.message(), reading.ignored());
    }

    /** Whether the field is there, whatever it holds; an empty string is the same as none. */
    boolean has(String field) {
        return values(field).stream()
                .anyMatch(value -> !(value instanceof Scalar scalar)
                        || !scalar.quoted()
                        || !scalar.text().isEmpty());
    }

    /** A string; protobuf's empty one is the same as none. */
    Optional<String> text(String field) {
        return scalar(field).filter(text -> !text.isEmpty());
    }

    /** An enum's value. */
    Optional<String> word(String field) {
        return scalar(field);
    }

    /** A boolean; protobuf's absent one is false. */
    boolean flag(String field) {
        return scalar(field).filter("true"::equals).isPresent();
    }

    Optional<Long> integer(String field, long most) throws ModelConfigException {
        List<Value> values = values(field);
        return values.isEmpty() ? Optional.empty() : Optional.of(integer(field, values.get(0), 0, most));
    }

    List<Long> positiveIntegers(String field) throws ModelConfigException {
        return integers(field, 1);
    }

    /** Integers, none below {@code least}. */
    List<Long> integers(String field, long least) throws ModelConfigException {
        List<Long> integers = new ArrayList<>();
        for (Value value : values(field)) {
            integers.add(integer(field, value, least, Long.MAX_VALUE));
        }
        return integers;
    }

    /** The message in a field; an absent field is an empty message, as everywhere in protobuf. */
    ProtoSection section(String field) {
        List<ProtoSection> sections = sections(field);
        return sections.isEmpty() ? section(field, new Message(Map.of(), 0)) : sections.get(0);
    }

    List<ProtoSection> sections(String field) {
        return values(field).stream()
                .map(value -> section(field, (Message) value))
                .toList();
    }

    /** A map from strings to strings. */
    Map<String, String> texts(String field) {
        Map<String, String> texts = new LinkedHashMap<>();
        for (ProtoSection entry : sections(field)) {
            texts.put(entry.scalar("key").orElse(""), entry.scalar("value").orElse(""));
        }
        return texts;
    }

    /** A map from strings to messages. */
    Map<String, ProtoSection> entries(String field) {
        Map<String, ProtoSection> entries = new LinkedHashMap<>();
        for (ProtoSection entry : sections(field)) {
            entries.put(entry.scalar("key").orElse(""), section(field, (Message)
                    entry.values("value").get(0)));
        }
        return entries;
    }

    /** Paths of the fields that say something and have no meaning here. */
    List<String> ignored() {
        return ignored;
    }

    /** An error about this file. */
    ModelConfigException problem(String problem) {
        return new ModelConfigException(file, problem);
    }

    /** An error about one of the fields of this message. */
    ModelConfigException problem(String field, String problem) {
        Field given = message.fields().get(field);
        int line = given == null ? message.line() : given.line();
        return problem((line > 0 ? "line " + line + ": " : "") + path + field + " " + problem);
    }

    private ProtoSection section(String field, Message nested) {
        return new ProtoSection(file, path + field + ".", nested, List.of());
    }

    private Optional<String> scalar(String field) {
        return values(field).stream().findFirst().map(value -> ((Scalar) value).text());
    }

    private List<Value> values(String field) {
        Field given = message.fields().get(field);
        return given == null ? List.of() : given.values();
    }

    private long integer(String field, Value value, long least, long most) throws ModelConfigException {
        long number = Long.parseLong(((Scalar) value).text());
        if (number < least || number > most) {
            String allowed = most == Long.MAX_VALUE
                    ? "an integer of at least " + least
                    : "an integer from " + least + " to " + most;
            throw problem(field, "is " + number + ", allowed is " + allowed);
        }
        return number;
    }

    /** A value of the file as it is told in an error. */
    static String described(Value value) {
        if (value instanceof Scalar scalar) {
            return scalar.quoted() ? quoted(scalar.text()) : shortened(scalar.text());
        }
        return "a message";
    }

    /** A string of the file as it is quoted in an error. */
    static String quoted(String text) {
        return '"' + shortened(text.replaceAll("[\\s\\p{Cntrl}]+", " ")) + '"';
    }

    static String shortened(String text) {
        return text.length() <= 64 ? text : text.substring(0, 64) + "…";
    }
}
