package io.atelier.api;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.restassured.RestAssured;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** HTTP as bytes: what no client library would send. Text stands for its bytes in ISO-8859-1. */
final class RawHttp {
    private RawHttp() {}

    /** Everything that the server says to these bytes, until it closes the connection. */
    static String exchange(byte[] request) throws IOException {
        try (Socket client = connect()) {
            client.getOutputStream().write(request);
            return rest(client);
        }
    }

    static Socket connect() throws IOException {
        Socket client = new Socket("localhost", RestAssured.port);
        client.setSoTimeout(20_000);
        return client;
    }

    static String rest(Socket client) throws IOException {
        return new String(client.getInputStream().readAllBytes(), ISO_8859_1);
    }

    /** A request that closes its connection. */
    static byte[] post(String path, String headers, byte[] body) {
        return join(
                ("POST " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers + "Content-Length: "
                                + body.length + "\r\n\r\n")
                        .getBytes(StandardCharsets.UTF_8),
                body);
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }
}
