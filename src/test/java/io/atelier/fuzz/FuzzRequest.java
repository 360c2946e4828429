package io.atelier.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;

/** One request on its way from valid JSON to bytes; each part can still be bent. Used once, by one thread. */
final class FuzzRequest {
    String verb = "POST";
    String path;

    /** One; several where each is a line; none where the body is no JSON. */
    final List<ObjectNode> json;

    final ByteArrayOutputStream binary = new ByteArrayOutputStream();

    /** The JSON as text, once it is written. */
    byte[] header = {};

    /** What goes over the wire, before it is compressed. */
    byte[] body = {};

    /** The true {@code Content-Type}; empty where nothing depends on it. */
    String contentType = "";

    final List<String> fields = new ArrayList<>();
    String coding = "";
    boolean chunked;

    /** Whether what is sent is no HTTP, or ends early: the server may close the connection without a word. */
    boolean broken;

    FuzzRequest(String path, ObjectNode... json) {
        this.path = path;
        this.json = List.of(json);
    }

    FuzzRequest of(String type) {
        contentType = type;
        return this;
    }

    void writeJson() {
        header = json.stream().map(ObjectNode::toString).collect(joining("\n")).getBytes(UTF_8);
    }

    void joinBody() {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.writeBytes(header);
        whole.writeBytes(binary.toByteArray());
        body = whole.toByteArray();
    }

    void compress() {
        if (coding.isEmpty()) {
            return;
        }
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (var out =
                coding.equals("gzip") ? new GZIPOutputStream(compressed) : new DeflaterOutputStream(compressed)) {
            out.write(body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        body = compressed.toByteArray();
        fields.add("Content-Encoding: " + coding);
    }

    byte[] bytes() {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        StringBuilder head = new StringBuilder(verb + " " + path + " HTTP/1.1\r\nHost: localhost\r\n");
        fields.forEach(field -> head.append(field).append("\r\n"));
        head.append(chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + body.length)
                .append("\r\n\r\n");
        message.writeBytes(head.toString().getBytes(ISO_8859_1));
        if (!chunked) {
            message.writeBytes(body);
            return message.toByteArray();
        }
        for (int from = 0; from < body.length; from += 100) {
            int size = Math.min(100, body.length - from);
            message.writeBytes((Integer.toHexString(size) + "\r\n").getBytes(ISO_8859_1));
            message.write(body, from, size);
            message.writeBytes("\r\n".getBytes(ISO_8859_1));
        }
        message.writeBytes("0\r\n\r\n".getBytes(ISO_8859_1));
        return message.toByteArray();
    }
}
