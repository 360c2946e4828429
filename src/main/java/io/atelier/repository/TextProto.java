package io.atelier.repository;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads protobuf's text format without its schema: fields, nested messages, lists, strings, comments. What a value
 * means is left to {@link TritonSchema}. One thread; use {@link #parse}.
 *
 * @see <a href="https://protobuf.dev/reference/protobuf/textformat-spec/">The text format's specification</a>
 */
final class TextProto {
    /** What stands behind a field's name. */
    sealed interface Value {
        /** Where it begins; 0 where that is not known. */
        int line();
    }

    /** A string, or a bare word: a number, an enum's constant, true or false. */
    record Scalar(String text, boolean quoted, int line) implements Value {}

    /** Fields by name, in the order of their first appearance. */
    record Message(Map<String, Field> fields, int line) implements Value {}

    /**
     * Everything that stands behind one name.
     *
     * @param list whether some of it stood in brackets
     */
    record Field(List<Value> values, boolean list, int line) {}

    private static final int DEEPEST = 32;
    private static final int LARGEST_CHARACTER = 0x10FFFF;

    private final String file;
    private final String text;
    private int position;
    private int line = 1;

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
        int began = depth == 0 ? 0 : line;
        Map<String, Field> fields = new LinkedHashMap<>();
        while (true) {
            skipSpace();
            if (atEnd()) {
                if (close == '\0') {
                    return new Message(fields, began);
                }
                throw error("the text ends where '" + close + "' is missing");
            }
            if (close != '\0' && tryTake(close)) {
                return new Message(fields, began);
            }
            field(fields, depth);
            skipSpace();
            if (!tryTake(',')) {
                tryTake(';');
            }
        }
    }

    private void field(Map<String, Field> fields, int depth) throws ModelConfigException {
        int at = line;
        String name = fieldName();
        Field before = fields.getOrDefault(name, new Field(List.of(), false, at));
        List<Value> values = new ArrayList<>(before.values());
        skipSpace();
        boolean colon = tryTake(':');
        skipSpace();
        boolean list = tryTake('[');
        if (list) {
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
        fields.put(name, new Field(values, list || before.list(), at));
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
        int at = line;
        if (peek() == '"' || peek() == '\'') {
            return new Scalar(strings(), true, at);
        }
        String sign = "";
        if (tryTake('-')) {
            sign = "-";
            skipSpace();
        }
        return new Scalar(sign + word("the value of " + name), false, at);
    }

    /** A string; neighbouring ones are one. Their escapes may give bytes, so they are put together as bytes. */
    private String strings() throws ModelConfigException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        while (peek() == '"' || peek() == '\'') {
            string(bytes);
            skipSpace();
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw error("the bytes of a string are not UTF-8");
        }
    }

    private void string(ByteArrayOutputStream into) throws ModelConfigException {
        char quote = text.charAt(position++);
        while (true) {
            if (atEnd() || peek() == '\n') {
                throw error("a string is not closed");
            }
            int c = text.codePointAt(position);
            position += Character.charCount(c);
            if (c == quote) {
                return;
            }
            if (c == '\\') {
                escape(into);
            } else {
                put(c, into);
            }
        }
    }

    private void escape(ByteArrayOutputStream into) throws ModelConfigException {
        char c = atEnd() ? '\0' : text.charAt(position++);
        switch (c) {
            case 'a' -> into.write(0x07);
            case 'b' -> into.write('\b');
            case 'f' -> into.write('\f');
            case 'n' -> into.write('\n');
            case 'r' -> into.write('\r');
            case 't' -> into.write('\t');
            case 'v' -> into.write(0x0B);
            case '\\', '\'', '"', '?' -> into.write(c);
            case 'x', 'X' -> into.write(digits(16, 1, 2));
            case 'u' -> put(unicode(), into);
            case 'U' -> put(digits(16, 8, 8), into);
            default -> {
                if (Character.digit(c, 8) < 0) {
                    throw error(
                            "a string has an escape that there is not, allowed are \\a \\b \\f \\n \\r \\t \\v \\\\ \\' \\\" "
                                    + "\\?, octal, \\x, \\u and \\U");
                }
                position--;
                int octet = digits(8, 1, 3);
                if (octet > 0xFF) {
                    throw error("an octal escape is more than \\377");
                }
                into.write(octet);
            }
        }
    }

    /** One code point: of four digits, or of twice four for what lies beyond the basic plane. */
    private int unicode() throws ModelConfigException {
        int unit = digits(16, 4, 4);
        if (Character.isHighSurrogate((char) unit) && text.startsWith("\\u", position)) {
            position += 2;
            int low = digits(16, 4, 4);
            if (!Character.isLowSurrogate((char) low)) {
                throw error("a \\u escape is half a surrogate pair");
            }
            return Character.toCodePoint((char) unit, (char) low);
        }
        return unit;
    }

    private int digits(int radix, int least, int most) throws ModelConfigException {
        int start = position;
        while (position - start < most && !atEnd() && Character.digit(asciiOrNone(peek()), radix) >= 0) {
            position++;
        }
        if (position - start < least) {
            throw error("an escape has " + (position - start) + " digits, needed are " + least);
        }
        long value = Long.parseLong(text.substring(start, position), radix);
        return (int) Math.min(value, LARGEST_CHARACTER + 1L);
    }

    private static char asciiOrNone(char c) {
        return c < 0x80 ? c : '\0';
    }

    private void put(int codePoint, ByteArrayOutputStream into) throws ModelConfigException {
        if (codePoint > LARGEST_CHARACTER
                || (codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE)) {
            throw error("a string has what is no character");
        }
        into.writeBytes(Character.toString(codePoint).getBytes(StandardCharsets.UTF_8));
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
                if (c == '\n') {
                    line++;
                }
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
        return new ModelConfigException(file, "line " + line + ": " + problem);
    }
}
