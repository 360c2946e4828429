package io.atelier.docs;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Compares an answer with its schema in the API's description: every member is described, and of the described type. */
final class DescribedAnswer {
    private final JsonNode description;
    private final List<String> differences = new ArrayList<>();

    private DescribedAnswer(JsonNode description) {
        this.description = description;
    }

    /** What is not as described; empty if all is. */
    static List<String> differences(JsonNode description, JsonNode schema, JsonNode real) {
        DescribedAnswer comparison = new DescribedAnswer(description);
        comparison.compare("body", schema, real);
        return comparison.differences;
    }

    private void compare(String place, JsonNode written, JsonNode real) {
        JsonNode schema = OpenApiExample.resolved(description, written);
        String type = schema.path("type").asText();
        if (!isOf(type, real)) {
            differences.add("%s is %s, described is %s".formatted(place, real, type));
        }
        schema.path("required").forEach(name -> {
            if (!real.has(name.asText())) {
                differences.add("%s has no %s".formatted(place, name.asText()));
            }
        });
        JsonNode members = schema.path("properties");
        JsonNode others = schema.path("additionalProperties");
        real.properties().forEach(member -> {
            String inside = place + "." + member.getKey();
            if (members.has(member.getKey())) {
                compare(inside, members.get(member.getKey()), member.getValue());
            } else if (others.isObject()) {
                compare(inside, others, member.getValue());
            } else if (!members.isMissingNode()) {
                differences.add(inside + " is not described");
            }
        });
        if (real.isArray() && schema.has("items")) {
            for (int i = 0; i < real.size(); i++) {
                compare(place + "[" + i + "]", schema.get("items"), real.get(i));
            }
        }
    }

    private static boolean isOf(String type, JsonNode real) {
        return switch (type) {
            case "object" -> real.isObject();
            case "array" -> real.isArray();
            case "string" -> real.isTextual();
            case "boolean" -> real.isBoolean();
            case "integer" -> real.isIntegralNumber();
            case "number" -> real.isNumber();
            default -> type.isEmpty();
        };
    }
}
