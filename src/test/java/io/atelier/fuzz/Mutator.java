package io.atelier.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Bends a valid request in one to three places: its JSON as a tree or as text, its raw tensors, its lengths, its
 * compression, its header. One seed, one request.
 */
final class Mutator {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private static final List<String> NUMBERS = List.of(
            "-1",
            "0",
            "-0",
            "1e999",
            "-1e999",
            "1e-999",
            "1.5",
            "0x10",
            "1.",
            ".5",
            "00",
            "+1",
            "NaN",
            "Infinity",
            "2147483648",
            "4294967296",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "340282350000000000000000000000000000001",
            "1E400",
            "1e2147483648",
            "5e-324");

    private static final List<String> FIELDS = List.of(
            "id",
            "inputs",
            "outputs",
            "parameters",
            "name",
            "shape",
            "datatype",
            "data",
            "binary_data_size",
            "binary_data",
            "binary_data_output",
            "classification",
            "timeout",
            "priority",
            "INPUT0",
            "instances",
            "b64",
            "text",
            "texts",
            "image",
            "images",
            "model",
            "input",
            "dimensions",
            "encoding_format",
            "no_such");

    private static final List<String> TYPES = List.of(
            "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32",
            "FP64", "BYTES", "FP31", "", "fp32", "STRING");

    private static final List<String> LENGTHS =
            List.of("0", "-1", "1", "many", "1e2", "99999999", "9223372036854775808", " 5", "5 ", "+5", "0x5", "");

    private static final List<String> CONTENT_TYPES = List.of(
            "application/json",
            "application/octet-stream",
            "application/x-ndjson",
            "image/png",
            "image/jpeg",
            "text/plain",
            "text/plain; charset=utf-16",
            "text/plain; charset=x",
            "x");

    private final RandomGenerator random;

    private Mutator(RandomGenerator random) {
        this.random = random;
    }

    static FuzzRequest request(long seed) {
        return new Mutator(new SplittableRandom(seed)).next();
    }

    private FuzzRequest next() {
        FuzzRequest request = new ValidRequests(random).next();
        int layers = 1 << random.nextInt(5) | (random.nextInt(4) == 0 ? 1 << random.nextInt(5) : 0);
        for (int times = 1 + random.nextInt(3); (layers & 1) != 0 && times > 0 && !request.json.isEmpty(); times--) {
            tree(any(request.json));
        }
        request.writeJson();
        if ((layers & 2) != 0) {
            request.header = text(request.header);
        }
        if (request.binary.size() > 0 || random.nextInt(10) == 0) {
            inferenceHeader(request, (layers & 8) != 0 && random.nextBoolean());
        }
        request.joinBody();
        if ((layers & 4) != 0) {
            request.body = bytes(request.body);
        }
        coding(request, (layers & 8) != 0);
        if ((layers & 8) != 0) {
            header(request);
        }
        if ((layers & 16) != 0) {
            path(request);
        }
        return request;
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    /** Changes one place of a tree. */
    private void tree(ObjectNode root) {
        List<JsonNode> containers = new ArrayList<>();
        collect(root, containers);
        JsonNode place = any(containers);
        if (place instanceof ObjectNode object) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            String name = names.isEmpty() || random.nextInt(4) == 0 ? any(FIELDS) : any(names);
            switch (random.nextInt(4)) {
                case 0 -> object.remove(name);
                case 1 -> {
                    JsonNode moved = object.remove(name);
                    object.set(any(FIELDS), moved == null ? JSON.nullNode() : moved);
                }
                default -> object.set(name, value(3));
            }
        } else if (place instanceof ArrayNode array) {
            int index = array.isEmpty() ? 0 : random.nextInt(array.size());
            switch (array.isEmpty() ? 0 : random.nextInt(4)) {
                case 0 -> array.insert(index, value(3));
                case 1 -> array.remove(index);
                case 2 -> array.add(array.get(index).deepCopy());
                default -> array.set(index, value(3));
            }
        }
    }

    private static void collect(JsonNode node, List<JsonNode> containers) {
        if (node.isContainerNode()) {
            containers.add(node);
            node.forEach(child -> collect(child, containers));
        }
    }

    private JsonNode value(int depth) {
        return switch (random.nextInt(depth == 0 ? 9 : 12)) {
            case 0 -> JSON.nullNode();
            case 1 -> JSON.booleanNode(random.nextBoolean());
            case 2 -> JSON.numberNode(random.nextInt(20) - 2);
            case 3 ->
                JSON.numberNode(BigInteger.ONE.shiftLeft(random.nextInt(130)).subtract(BigInteger.TWO));
            case 4 ->
                JSON.numberNode(BigDecimal.valueOf(random.nextDouble()).scaleByPowerOfTen(random.nextInt(80) - 40));
            case 5 -> JSON.textNode(any(TYPES));
            case 6 -> JSON.textNode(any(FIELDS));
            case 7 -> JSON.textNode("INPUT" + random.nextInt(3));
            case 8 -> JSON.textNode(string());
            case 9 -> nested();
            case 10 -> JSON.arrayNode().add(value(depth - 1)).add(value(depth - 1));
            default -> JSON.objectNode().set(any(FIELDS), value(depth - 1));
        };
    }

    private String string() {
        return switch (random.nextInt(4)) {
            case 0 -> "";
            case 1 -> "x".repeat(random.nextInt(6000));
            case 2 -> "ä日🎻\u0000\u0001\"\\/";
            default -> "\ud800";
        };
    }

    private JsonNode nested() {
        ArrayNode outer = JSON.arrayNode();
        ArrayNode inner = outer;
        for (int depth = random.nextInt(100); depth > 0; depth--) {
            inner = inner.addArray();
        }
        return outer;
    }

    /** Changes one place of JSON text. */
    private byte[] text(byte[] json) {
        if (json.length == 0) {
            return json;
        }
        String text = new String(json, UTF_8);
        int at = random.nextInt(text.length());
        String changed = switch (random.nextInt(5)) {
            case 0 -> text.replaceFirst("(?<=[\\[,:])-?[0-9][0-9.eE+-]*", any(NUMBERS));
            case 1 ->
                text.substring(0, at)
                        + any(List.of("{", "}", "[", "]", ",", ":", "\"", "\\", "\\u12"))
                        + text.substring(at);
            case 2 -> text.replaceFirst("\\{", "{\"" + any(FIELDS) + "\": " + any(NUMBERS) + ", ");
            case 3 -> text + any(List.of("}", " ", "{}", "\u0000", text));
            default -> text.replace('"', '\'');
        };
        return changed.getBytes(UTF_8);
    }

    /** Flips, cuts, doubles or adds bytes. */
    private byte[] bytes(byte[] body) {
        if (body.length == 0) {
            return new byte[] {(byte) random.nextInt()};
        }
        int at = random.nextInt(body.length);
        int size = Math.min(1 + random.nextInt(8), body.length - at);
        ByteArrayOutputStream changed = new ByteArrayOutputStream();
        switch (random.nextInt(5)) {
            case 0 -> {
                byte[] flipped = body.clone();
                flipped[at] ^= (byte) (1 << random.nextInt(8));
                return flipped;
            }
            case 1 -> {
                return Arrays.copyOf(body, at);
            }
            case 2 -> {
                changed.write(body, 0, at);
                changed.write(body, at + size, body.length - at - size);
            }
            case 3 -> {
                changed.write(body, 0, at + size);
                changed.write(body, at, body.length - at);
            }
            default -> {
                byte[] noise = new byte[size];
                random.nextBytes(noise);
                changed.write(body, 0, at);
                changed.writeBytes(noise);
                changed.write(body, at, body.length - at);
            }
        }
        return changed.toByteArray();
    }

    private void inferenceHeader(FuzzRequest request, boolean lie) {
        String truth = Integer.toString(request.header.length);
        String near = Integer.toString(request.header.length + random.nextInt(5) - 2);
        String length = !lie ? truth : random.nextBoolean() ? near : any(LENGTHS);
        request.fields.add("Inference-Header-Content-Length: " + length);
    }

    private void coding(FuzzRequest request, boolean lie) {
        if (random.nextInt(6) == 0) {
            request.coding = any(List.of("gzip", "deflate"));
        }
        request.compress();
        if (!request.coding.isEmpty() && lie && random.nextBoolean()) {
            request.body = bytes(request.body);
            request.broken |= request.path.endsWith("/map"); // which may have begun to answer
        }
        request.chunked = random.nextInt(8) == 0;
        if (random.nextInt(3) > 0) {
            boolean any = request.contentType.isEmpty() || (lie && random.nextBoolean());
            request.fields.add("Content-Type: " + (any ? any(CONTENT_TYPES) : request.contentType));
        }
    }

    private void header(FuzzRequest request) {
        switch (random.nextInt(8)) {
            case 0 -> request.fields.add("Content-Encoding: " + any(List.of("gzip", "deflate", "br", "identity", "x")));
            case 1 -> request.fields.add("Accept: " + any(List.of("text/html", "*/*", "a", "application/json;q=x")));
            case 2 -> request.fields.add("Request-Timeout: " + any(NUMBERS));
            case 3 -> request.fields.add("Accept-Encoding: " + any(List.of("gzip", "deflate", "x", "gzip;q=0", "*")));
            case 4 -> {
                request.fields.add("Content-Length: " + any(LENGTHS));
                request.broken = true;
            }
            case 5 -> {
                request.fields.add("Transfer-Encoding: " + any(List.of("chunked", "gzip", "identity", "x, chunked")));
                request.broken = true;
            }
            case 6 -> {
                byte[] noise = new byte[12];
                random.nextBytes(noise);
                request.fields.add(new String(noise, ISO_8859_1) + ": x");
                request.broken = true;
            }
            default -> request.fields.add("X-Long: " + "x".repeat(random.nextInt(5000)));
        }
    }

    private void path(FuzzRequest request) {
        switch (random.nextInt(6)) {
            case 0 ->
                request.path = request.path.replaceFirst(
                        "[/:][a-z]+$",
                        any(List.of("/infers", "", "/", "//infer", "/ready", "/map", ":predict", ":explain")));
            case 1 ->
                request.path = request.path.replaceFirst(
                        "identity|add|mood|angle", any(List.of("no_such", "%69dentity", "%61dd", "..", "%2e%2e")));
            case 2 ->
                request.path = request.path.replaceFirst(
                        "(models|predict)/", "$0" + any(List.of("%00", "%ff", "ä", "x".repeat(300))));
            case 3 -> request.path += any(List.of("?a=1&b=2", "?", "?%zz", "#x", "?" + "y".repeat(2000)));
            case 4 ->
                request.path =
                        request.path.replaceFirst("(/versions/1)?(/infer|/map)?$", "/versions/" + any(NUMBERS) + "$2");
            default -> request.verb = any(List.of("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "post", "POST"));
        }
        // Vert.x refuses a query that cannot be decoded without a word, and closes the connection of a body that cannot
        // be decompressed, also where nobody wanted to read it
        request.broken |= request.path.contains("%zz")
                || request.fields.stream().anyMatch(field -> field.startsWith("Content-Encoding"))
                || !request.path.chars().allMatch(each -> each > ' ' && each < 0x7f);
    }
}
