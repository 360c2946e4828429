package io.atelier.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import io.atelier.core.ServingException.InvalidInput;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * JSON as this service reads and writes it: strict UTF-8 text, no duplicate names, bounded depth, the fast number
 * parsers and writers. Thread-safe.
 */
public final class Json {
    private static final int MAX_DEPTH = 64;
    private static final int MAX_NAME_LENGTH = 1024;
    private static final int MAX_LABEL_LENGTH = 4096;

    private static final JsonFactory FACTORY = new JsonFactoryBuilder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
            .enable(StreamReadFeature.USE_FAST_BIG_NUMBER_PARSER)
            .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
            .enable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
            .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
            .disable(JsonFactory.Feature.CHARSET_DETECTION)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNameLength(MAX_NAME_LENGTH)
                    .maxStringLength(Integer.MAX_VALUE) // the body's own limit bounds it
                    .build())
            .build();

    private Json() {}

    /** Reads one JSON document, or a part of one. */
    @FunctionalInterface
    public interface Reading {
        void from(JsonParser json) throws IOException;
    }

    /** Reads one member of an object; the parser stands at its value, and must end at the value's last token. */
    @FunctionalInterface
    public interface Member {
        void read(String name, JsonToken value) throws IOException;
    }

    /** Writes one JSON document. */
    @FunctionalInterface
    public interface Writing {
        void to(JsonGenerator json) throws IOException;
    }

    /**
     * Reads the bytes in {@code [from, to)} as exactly one JSON object. The reading starts behind its opening brace and
     * must end at its closing one.
     *
     * @throws InvalidInput if they are anything else
     */
    public static void readObject(byte[] bytes, int from, int to, Reading reading) {
        parse(bytes, from, to, json -> object(json, reading));
    }

    /** As {@link #readObject(byte[], int, int, Reading)}, for a reading that may pass over parts of the text. */
    public static void readObject(JsonText text, Reading reading) {
        parse(text, json -> object(json, reading));
    }

    private static void object(JsonParser json, Reading reading) throws IOException {
        JsonToken first = json.nextToken();
        if (first == null) {
            throw new InvalidInput("the body is empty");
        }
        if (first != JsonToken.START_OBJECT) {
            throw new InvalidInput("the body is not a JSON object");
        }
        reading.from(json);
        if (json.nextToken() != null) {
            throw new InvalidInput("the body goes on behind its JSON object");
        }
    }

    /**
     * Reads the bytes in {@code [from, to)}.
     *
     * @throws InvalidInput if they are not JSON
     */
    public static void parse(byte[] bytes, int from, int to, Reading reading) {
        parse(new JsonText(bytes, from, to), reading);
    }

    private static void parse(JsonText text, Reading reading) {
        try (JsonParser json = FACTORY.createParser(text)) {
            reading.from(json);
        } catch (StreamConstraintsException e) {
            throw new InvalidInput("malformed JSON: nested too deeply, or a name or number that is too long");
        } catch (JsonProcessingException e) {
            throw new InvalidInput("malformed JSON" + place(e, text) + ": " + e.getOriginalMessage());
        } catch (IOException e) { // text that is not UTF-8
            throw new InvalidInput("malformed JSON: " + e.getMessage());
        }
    }

    /**
     * Reads the members of the object behind whose opening brace {@code json} stands, up to its closing one. A member
     * that is null counts as absent, in every body of this service: many clients write what they do not say.
     */
    public static void members(JsonParser json, Member member) throws IOException {
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            if (value != JsonToken.VALUE_NULL) {
                member.read(name, value);
            }
        }
    }

    /** The bytes that {@code writing} writes. */
    public static byte[] write(int expectedBytes, Writing writing) {
        try (ByteArrayBuilder bytes = new ByteArrayBuilder(expectedBytes)) {
            try (JsonGenerator json = FACTORY.createGenerator(bytes)) {
                writing.to(json);
            }
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The string at which {@code json} stands: an id or a name, of bounded length since refusals repeat it.
     *
     * @param place where it stands, for the caller
     * @throws InvalidInput if it is no string, or too long
     */
    public static String label(JsonParser json, String place) throws IOException {
        JsonToken token = json.currentToken();
        if (token != JsonToken.VALUE_STRING) {
            throw new InvalidInput("%s is %s, not a string".formatted(place, describe(token)));
        }
        if (json.getTextLength() > MAX_LABEL_LENGTH) {
            throw new InvalidInput("%s is longer than %d characters".formatted(place, MAX_LABEL_LENGTH));
        }
        return json.getText();
    }

    /** What a token is, in words for callers. */
    public static String describe(JsonToken token) {
        return switch (token) {
            case START_OBJECT, END_OBJECT, FIELD_NAME -> "an object";
            case START_ARRAY, END_ARRAY -> "a list";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
            case VALUE_TRUE, VALUE_FALSE -> "a boolean";
            default -> "null";
        };
    }

    private static String place(JsonProcessingException e, JsonText text) {
        return e instanceof JsonParseException && e.getLocation() != null
                ? " at byte " + (e.getLocation().getByteOffset() + text.shift())
                : "";
    }
}
