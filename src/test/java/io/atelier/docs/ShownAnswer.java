package io.atelier.docs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Compares an answer with the one that a page shows. Objects have the same members, in any order; texts, whole numbers
 * and the sizes of arrays are the same; other numbers are near, since another CPU rounds otherwise; identifiers and
 * instants are of one form.
 */
final class ShownAnswer {
    /**
     * What is shown comes from the embedded model, whose roundings another processor may tip. With noise of a hundredth of
     * a step at each of them the numbers shown moved by 0.1 at most; this is twice that.
     */
    private static final double NEAR = 0.2;

    private static final List<Pattern> MADE_ANEW = List.of(
            Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
            Pattern.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"));
    private static final String MORE = "\"…\"";

    private final List<String> differences = new ArrayList<>();

    /** Whether arrays may go on behind what is shown, without a {@code …}. */
    private final boolean beginnings;

    private ShownAnswer(boolean beginnings) {
        this.beginnings = beginnings;
    }

    /** What is not as shown; empty if all is. */
    static List<String> differences(String shown, HttpResponse<String> answer) throws JsonProcessingException {
        ShownAnswer comparison = new ShownAnswer(false);
        String[] parts = shown.split("\\n\\n", 2);
        List<String> head = parts[0].lines().toList();
        if (!head.get(0).startsWith("HTTP/1.1 " + answer.statusCode() + " ")) {
            comparison.differences.add("shown is " + head.get(0) + ", the status is " + answer.statusCode());
        }
        for (String line : head.subList(1, head.size())) {
            String[] header = line.split(": ", 2);
            if (!answer.headers().allValues(header[0]).contains(header[1])) {
                comparison.differences.add("shown is " + line + ", the answer has "
                        + answer.headers().allValues(header[0]));
            }
        }
        ObjectMapper json = new ObjectMapper();
        comparison.compare("body", json.readTree(parts[1].replace("…", MORE)), json.readTree(answer.body()));
        return comparison.differences;
    }

    /** What is not as shown between two JSON documents. */
    static List<String> differences(String shown, String real) throws JsonProcessingException {
        ShownAnswer comparison = new ShownAnswer(false);
        ObjectMapper json = new ObjectMapper();
        comparison.compare("body", json.readTree(shown.replace("…", MORE)), json.readTree(real));
        return comparison.differences;
    }

    /** What is not as shown, where arrays are shown from their beginning and may go on. */
    static List<String> differencesFromBeginnings(JsonNode shown, JsonNode real) {
        ShownAnswer comparison = new ShownAnswer(true);
        comparison.compare("body", shown, real);
        return comparison.differences;
    }

    private void compare(String place, JsonNode shown, JsonNode real) {
        if (shown.isObject() && real.isObject()) {
            if (!names(shown).equals(names(real))) {
                differences.add("%s has %s, shown is %s".formatted(place, names(real), names(shown)));
            }
            names(shown).stream()
                    .filter(real::has)
                    .forEach(name -> compare(place + "." + name, shown.get(name), real.get(name)));
        } else if (shown.isArray() && real.isArray()) {
            boolean cut =
                    shown.size() > 0 && shown.get(shown.size() - 1).asText().equals("…");
            int size = cut ? shown.size() - 1 : shown.size();
            boolean fits = cut ? real.size() > size : real.size() == size || (beginnings && real.size() > size);
            if (!fits) {
                differences.add("%s has %d elements, shown are %d".formatted(place, real.size(), size));
            }
            for (int i = 0; i < Math.min(size, real.size()); i++) {
                compare(place + "[" + i + "]", shown.get(i), real.get(i));
            }
        } else if (shown.isFloatingPointNumber() && real.isNumber()) {
            if (Math.abs(shown.asDouble() - real.asDouble()) > NEAR) {
                differences.add("%s is %s, shown is %s".formatted(place, real, shown));
            }
        } else if (!shown.equals(real) && !areOfOneKind(shown.asText(), real.asText())) {
            differences.add("%s is %s, shown is %s".formatted(place, real, shown));
        }
    }

    /** Identifiers, or instants: no two answers have the same. */
    private static boolean areOfOneKind(String shown, String real) {
        return MADE_ANEW.stream()
                .anyMatch(kind ->
                        kind.matcher(shown).matches() && kind.matcher(real).matches());
    }

    private static Set<String> names(JsonNode object) {
        Set<String> names = new LinkedHashSet<>();
        for (Iterator<String> all = object.fieldNames(); all.hasNext(); ) {
            names.add(all.next());
        }
        return names;
    }
}
