package io.atelier.repository;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads protobuf's text format without its schema: fields, nested messages, lists, strings, comments. What a value
 * means is left to whoever knows the field. One thread; use {@link #parse}.
 *
 * @see <a href="https://protobuf.dev/reference/protobuf/textformat-spec/">The text format's specification</a>
 */
final class TextProto {
    /** What stands behind a field's name. */
    sealed interface Value {}

    /** A string, or a bare word: a number, an enum's constant, true or false. */
    record Scalar(String text, boolean quoted) implements Value {}

    /** Fields by name, in the order of their first appearance; a repeated field has several values. */
    record Message(Map<String, List<Value>> fields) implements Value {}

    private static final int DEEPEST = 32;

    private final String file;
    private final String text;
    private int position;

    private TextProto(String file, String text) {
        this.file = file;
        this.text = text;
    }

    static Message parse(String file, String text) throws ModelConfigException {
        return new TextProto(file, text).message('\0', 0);
    }

    /** Fields up to the closing bracket, which is consumed; up to the end of the text for {@code '\0'}. */
    private Message message(char close, int depth) throws ModelConfigException {
        if (depth > DEEPEST) {
            throw error("messages are nested more than " + DEEPEST + " deep");
        }
        Map<String, List<Value>> fields = new LinkedHashMap<>();
        while (true) {
            skipSpace();
            if (atEnd()) {
                if (close == '\0') {
                    return new Message(fields);
                }
                throw error("the text ends where '" + close + "' is missing");
            }
            if (close != '\0' && tryTake(close)) {
                return new Message(fields);
            }
            String name = fieldName();
            field(fields.computeIfAbsent(name, any -> new ArrayList<>()), name, depth);
            skipSpace();
            if (!tryTake(',')) {
                tryTake(';');
            }
        }
    }

    private void field(List<Value> values, String name, int depth) throws ModelConfigException {
        skipSpace();
        boolean colon = tryTake(':');
        skipSpace();
        if (tryTake('[')) {
            skipSpace();
            while (!tryTake(']')) {
                values.add(value(name, colon, depth));
                skipSpace();
                if (tryTake(',')) {
                    skipSpace();
                    if (peek() == ']') {
                        throw error("a value of " + name + " is missing after ','");
                    }
                } else if (peek() != ']') {
                    throw error("',' or ']' is missing in the list of " + name);
                }
            }
        } else {
            values.add(value(name, colon, depth));
        }
    }

    private Value value(String name, boolean colon, int depth) throws ModelConfigException {
        skipSpace();
        if (tryTake('{')) {
            return message('}', depth + 1);
        }
        if (tryTake('<')) {
            return message('>', depth + 1);
        }
        if (!colon) {
            throw error("':' or '{' is missing after " + name);
        }
        if (peek() == '"' || peek() == '\'') {
            StringBuilder string = new StringBuilder();
            while (peek() == '"' || peek() == '\'') { // neighbouring strings are one
                string(string);
                skipSpace();
            }
            return new Scalar(string.toString(), true);
        }
        String sign = "";
        if (tryTake('-')) {
            sign = "-";
            skipSpace();
        }
        return new Scalar(sign + word("the value of " + name), false);
    }

    private void string(StringBuilder into) throws ModelConfigException {
        char quote = text.charAt(position++);
        while (true) {
            if (atEnd() || peek() == '\n') {
                throw error("a string is not closed");
            }
            char c = text.charAt(position++);
            if (c == quote) {
                return;
            }
            into.append(c == '\\' ? escaped() : c);
        }
    }

    private char escaped() throws ModelConfigException {
        char c = atEnd() ? '\0' : text.charAt(position++);
        return switch (c) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case '\\', '\'', '"', '?' -> c;
            // Octal, hexadecimal and Unicode escapes make bytes; no field that has a meaning here needs them.
            default -> throw error("a string has an escape other than \\n, \\t, \\r, \\\\, \\' and \\\"");
        };
    }

    private String fieldName() throws ModelConfigException {
        String name = word("a field's name");
        if (!name.matches("[A-Za-z_]\\w*")) {
            throw error(ProtoSection.quoted(name) + " is not a field's name");
        }
        return name;
    }

    private String word(String what) throws ModelConfigException {
        int start = position;
        while (!atEnd() && (isWordCharacter(peek()) || isExponentSign(start))) {
            position++;
        }
        if (start == position) {
            throw error(what + " is missing" + (atEnd() ? "" : " at '" + printable(peek()) + "'"));
        }
        return text.substring(start, position);
    }

    private boolean isExponentSign(int start) {
        return peek() == '-'
                && position > start
                && Character.toLowerCase(text.charAt(position - 1)) == 'e'
                && Character.isDigit(text.charAt(start));
    }

    private static boolean isWordCharacter(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '_'
                || c == '.'
                || c == '+';
    }

    private void skipSpace() {
        while (!atEnd()) {
            char c = peek();
            if (c == '#') {
                int end = text.indexOf('\n', position);
                position = end < 0 ? text.length() : end;
            } else if (Character.isWhitespace(c)) {
                position++;
            } else {
                return;
            }
        }
    }

    private boolean tryTake(char c) {
        if (peek() != c || atEnd()) {
            return false;
        }
        position++;
        return true;
    }

    private char peek() {
        return atEnd() ? '\0' : text.charAt(position);
    }

    private boolean atEnd() {
        return position >= text.length();
    }

    private static String printable(char c) {
        return c < ' ' || c > '~' ? "\\u%04x".formatted((int) c) : String.valueOf(c);
    }

    private ModelConfigException error(String problem) {
        long line =
                1 + text.substring(0, position).chars().filter(c -> c == '\n').count();
        return new ModelConfigException(file, "line " + line + ": " + problem);
    }
}
