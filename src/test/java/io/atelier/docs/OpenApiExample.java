package io.atelier.docs;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Map.Entry;
import java.util.Optional;

/**
 * A request that the API's description shows, and the answer that it shows under the same name.
 *
 * @param target the path, its parameters filled in from their examples: the one of this name, or else the first
 * @param name   of the example
 * @param headers the body's Content-Type, and parameters that have an example of this name
 * @param answer  empty if the description shows none
 */
record OpenApiExample(
        String method,
        String target,
        String name,
        Map<String, String> headers,
        BodyPublisher body,
        Optional<Answer> answer) {
    /** An answer with status 200. */
    record Answer(String mediaType, JsonNode value) {}

    /** Every example of a request. */
    static List<OpenApiExample> in(JsonNode description) {
        List<OpenApiExample> examples = new ArrayList<>();
        for (Body body : bodies(description)) {
            for (Entry<String, JsonNode> example :
                    body.content().path("examples").properties()) {
                examples.add(of(description, body, example.getKey(), example.getValue()));
            }
        }
        return examples;
    }

    /** The bodies, as operation and media type, that are shown without an example, or without the answer to one. */
    static List<String> missing(JsonNode description) {
        List<String> missing = new ArrayList<>();
        for (Body body : bodies(description)) {
            JsonNode examples = body.content().path("examples");
            if (examples.isEmpty()) {
                missing.add(body + ": no example");
            }
            for (Entry<String, JsonNode> example : examples.properties()) {
                if (of(description, body, example.getKey(), example.getValue())
                        .answer()
                        .isEmpty()) {
                    missing.add(body + ": no answer to " + example.getKey());
                }
            }
        }
        return missing;
    }

    private record Body(String method, String path, JsonNode operation, String mediaType, JsonNode content) {
        @Override
        public String toString() {
            return method + " " + path + " with " + mediaType;
        }
    }

    private static List<Body> bodies(JsonNode description) {
        List<Body> bodies = new ArrayList<>();
        description
                .get("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .properties()
                        .forEach(operation -> resolved(
                                        description, operation.getValue().path("requestBody"))
                                .path("content")
                                .properties()
                                .forEach(content -> bodies.add(new Body(
                                        operation.getKey().toUpperCase(Locale.ROOT),
                                        path.getKey(),
                                        operation.getValue(),
                                        content.getKey(),
                                        content.getValue())))));
        return bodies;
    }

    private static OpenApiExample of(JsonNode description, Body body, String name, JsonNode example) {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Content-Type", body.mediaType());
        String target = body.path();
        for (JsonNode written : body.operation().path("parameters")) {
            JsonNode parameter = resolved(description, written);
            String parameterName = parameter.get("name").asText();
            JsonNode named = parameter.path("examples").path(name).path("value");
            if (parameter.get("in").asText().equals("path")) {
                target = target.replace(
                        "{" + parameterName + "}", (named.isMissingNode() ? first(parameter) : named).asText());
            } else if (!named.isMissingNode()) {
                headers.put(parameterName, named.asText());
            }
        }
        return new OpenApiExample(body.method(), target, name, headers, body(example), answer(description, body, name));
    }

    private static JsonNode first(JsonNode parameter) {
        JsonNode only = parameter.path("example");
        return only.isMissingNode() ? parameter.path("examples").path(0).path("value") : only;
    }

    /** A text is the body itself, anything else is JSON; what is no text is shown as a data URL. */
    private static BodyPublisher body(JsonNode example) {
        String url = example.path("externalValue").asText();
        if (!url.isEmpty()) {
            String base64 = url.substring(url.indexOf(";base64,") + ";base64,".length());
            return BodyPublishers.ofByteArray(Base64.getDecoder().decode(base64));
        }
        JsonNode value = example.get("value");
        return BodyPublishers.ofString(value.isTextual() ? value.asText() : value.toString());
    }

    private static Optional<Answer> answer(JsonNode description, Body body, String name) {
        return resolved(description, body.operation().path("responses").path("200"))
                .path("content")
                .properties()
                .stream()
                .filter(content -> content.getValue().path("examples").has(name))
                .map(content -> new Answer(
                        content.getKey(),
                        content.getValue().path("examples").path(name).path("value")))
                .findFirst();
    }

    private static JsonNode resolved(JsonNode description, JsonNode node) {
        return node.has("$ref") ? description.at(node.get("$ref").asText().substring(1)) : node;
    }
}
