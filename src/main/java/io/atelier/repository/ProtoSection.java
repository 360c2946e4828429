package io.atelier.repository;

import io.atelier.repository.TextProto.Message;
import io.atelier.repository.TextProto.Scalar;
import io.atelier.repository.TextProto.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A message of a text protobuf, read field by field. A field that nobody asked for has no meaning here and is listed by
 * {@link #ignored}. One thread.
 */
final class ProtoSection {
    private final String file;
    private final String path;
    private final Message message;
    /** Every field asked for, with the messages that were found in it. */
    private final Map<String, List<ProtoSection>> asked = new LinkedHashMap<>();

    private ProtoSection(String file, String path, Message message) {
        this.file = file;
        this.path = path;
        this.message = message;
    }

    static ProtoSection parse(String file, String text) throws ModelConfigException {
        return new ProtoSection(file, "", TextProto.parse(file, text));
    }

    /** A message that was read elsewhere. */
    static ProtoSection of(String file, Message message) {
        return new ProtoSection(file, "", message);
    }

    /** Whether the field is there, whatever it holds. */
    boolean has(String field) {
        return !values(field).isEmpty();
    }

    Optional<String> text(String field) throws ModelConfigException {
        Optional<Value> value = only(field);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (value.get() instanceof Scalar scalar && scalar.quoted()) {
            return Optional.of(scalar.text());
        }
        throw refused(field, value.get(), "a string");
    }

    /** An enum's value. */
    Optional<String> word(String field) throws ModelConfigException {
        Optional<Value> value = only(field);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (value.get() instanceof Scalar scalar && !scalar.quoted()) {
            return Optional.of(scalar.text());
        }
        throw refused(field, value.get(), "a word");
    }

    Optional<Long> integer(String field, long most) throws ModelConfigException {
        Optional<Value> value = only(field);
        return value.isEmpty() ? Optional.empty() : Optional.of(integer(field, value.get(), 0, most));
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
    ProtoSection section(String field) throws ModelConfigException {
        only(field);
        List<ProtoSection> sections = sections(field);
        return sections.isEmpty() ? new ProtoSection(file, path + field + ".", new Message(Map.of())) : sections.get(0);
    }

    List<ProtoSection> sections(String field) throws ModelConfigException {
        List<ProtoSection> sections = new ArrayList<>();
        for (Value value : values(field)) {
            if (!(value instanceof Message nested)) {
                throw refused(field, value, "a message");
            }
            sections.add(new ProtoSection(file, path + field + ".", nested));
        }
        asked.put(field, sections);
        return sections;
    }

    /** Paths of the fields that nobody asked for, here and in the messages that were asked for. */
    List<String> ignored() {
        List<String> ignored = new ArrayList<>();
        for (String field : message.fields().keySet()) {
            List<ProtoSection> sections = asked.get(field);
            if (sections == null) {
                ignored.add(path + field);
            } else {
                sections.forEach(section -> ignored.addAll(section.ignored()));
            }
        }
        return ignored.stream().distinct().toList();
    }

    /** An error about this file. */
    ModelConfigException problem(String problem) {
        return new ModelConfigException(file, problem);
    }

    private List<Value> values(String field) {
        asked.putIfAbsent(field, List.of());
        return message.fields().getOrDefault(field, List.of());
    }

    private Optional<Value> only(String field) throws ModelConfigException {
        List<Value> values = values(field);
        if (values.size() > 1) {
            throw problem(path + field + " is given " + values.size() + " times, allowed is once");
        }
        return values.stream().findFirst();
    }

    private long integer(String field, Value value, long least, long most) throws ModelConfigException {
        String allowed =
                most == Long.MAX_VALUE ? "an integer of at least " + least : "an integer from " + least + " to " + most;
        if (!(value instanceof Scalar scalar) || scalar.quoted()) {
            throw refused(field, value, allowed);
        }
        long number;
        try {
            number = Long.parseLong(scalar.text());
        } catch (NumberFormatException e) {
            throw refused(field, value, allowed);
        }
        if (number < least || number > most) {
            throw refused(field, value, allowed);
        }
        return number;
    }

    private ModelConfigException refused(String field, Value value, String allowed) {
        String found = "a message";
        if (value instanceof Scalar scalar) {
            found = scalar.quoted() ? quoted(scalar.text()) : shortened(scalar.text());
        }
        return problem(path + field + " is " + found + ", allowed is " + allowed);
    }

    /** A string of the file as it is quoted in an error. */
    static String quoted(String text) {
        return '"' + shortened(text.replaceAll("\\s+", " ")) + '"';
    }

    private static String shortened(String text) {
        return text.length() <= 64 ? text : text.substring(0, 64) + "…";
    }
}
