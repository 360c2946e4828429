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
import java.util.stream.Stream;

/**
 * A request that the API's description shows, and the answer that it shows under the same name.
 *
 * @param target the path, its parameters filled in from their examples: the one of this name, or else the first
 * @param name   of the example; empty for an operation that takes no body
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
    /**
     * An answer that is no refusal.
     *
     * @param value  empty if it is described by its schema alone
     * @param schema what is described of it
     */
    record Answer(int status, String mediaType, Optional<JsonNode> value, JsonNode schema) {}

    /** Every operation that takes no body. */
    static List<OpenApiExample> withoutBody(JsonNode description) {
        List<OpenApiExample> examples = new ArrayList<>();
        description
                .get("paths")
                .properties()
                .forEach(path -> path.getValue().properties().stream()
                        .filter(operation -> !operation.getValue().has("requestBody"))
                        .filter(operation -> operation.getValue().has("responses"))
                        .map(operation -> new Body(
                                operation.getKey().toUpperCase(Locale.ROOT),
                                path.getKey(),
                                operation.getValue(),
                                "",
                                path.getValue()))
                        .forEach(operation -> examples.add(of(
                                description,
                                operation,
                                "",
                                BodyPublishers.noBody(),
                                described(description, operation)))));
        return examples;
    }

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
        return of(description, body, name, body(example), answer(description, body, name));
    }

    private static OpenApiExample of(
            JsonNode description, Body body, String name, BodyPublisher publisher, Optional<Answer> answer) {
        Map<String, String> headers = new LinkedHashMap<>();
        if (!body.mediaType().isEmpty()) {
            headers.put("Content-Type", body.mediaType());
        }
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
        return new OpenApiExample(body.method(), target, name, headers, publisher, answer);
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
        return answers(description, body)
                .filter(answer -> answer.content().path("examples").has(name))
                .map(answer -> answer.shown(name))
                .findFirst();
    }

    /** The one answer of an operation without a body; its first example, if it has one. */
    private static Optional<Answer> described(JsonNode description, Body operation) {
        return answers(description, operation)
                .map(answer -> answer.shown(answer.content().path("examples").properties().stream()
                        .map(Entry::getKey)
                        .findFirst()
                        .orElse("")))
                .findFirst();
    }

    /** What an operation may answer that is no refusal. */
    private record Described(int status, String mediaType, JsonNode content) {
        Answer shown(String example) {
            JsonNode value = content.path("examples").path(example).path("value");
            return new Answer(
                    status,
                    mediaType,
                    value.isMissingNode() ? Optional.empty() : Optional.of(value),
                    content.path("schema"));
        }
    }

    private static Stream<Described> answers(JsonNode description, Body body) {
        return body.operation().path("responses").properties().stream()
                .filter(response -> response.getKey().startsWith("2"))
                .flatMap(response -> resolved(description, response.getValue()).path("content").properties().stream()
                        .map(content -> new Described(
                                Integer.parseInt(response.getKey()), content.getKey(), content.getValue())));
    }

    static JsonNode resolved(JsonNode description, JsonNode node) {
        return node.has("$ref") ? description.at(node.get("$ref").asText().substring(1)) : node;
    }
}
