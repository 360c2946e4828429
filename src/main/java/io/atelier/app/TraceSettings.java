package io.atelier.app;

import io.atelier.tracing.Otlp;
import io.opentelemetry.sdk.trace.SpanProcessor;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What the settings under {@code atelier.tracing} mean; a bad one stops the start. */
final class TraceSettings {
    private TraceSettings() {}

    /** Sends spans to the collector, on a thread of its own. */
    static SpanProcessor spans(URI endpoint, Optional<String> headers, Duration timeout) {
        String scheme = endpoint.getScheme();
        if (endpoint.getHost() == null || !("http".equals(scheme) || "https".equals(scheme))) {
            throw new IllegalArgumentException(
                    "atelier.tracing.endpoint is '" + endpoint + "', what is taken is http://host:port or https://…");
        }
        return Otlp.to(endpoint, pairs("atelier.tracing.headers", headers.orElse("")), timeout);
    }

    /** Attributes of this process. */
    static Map<String, String> resource(String name, Optional<String> more, String version) {
        Map<String, String> resource = new LinkedHashMap<>();
        resource.put("service.version", version);
        resource.putAll(pairs("atelier.tracing.resource", more.orElse("")));
        resource.put("service.name", name);
        return resource;
    }

    private static Map<String, String> pairs(String key, String text) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String pair : text.split(",", -1)) {
            int at = pair.indexOf('=');
            if (at > 0 && !pair.substring(0, at).isBlank()) {
                pairs.put(pair.substring(0, at).strip(), pair.substring(at + 1).strip());
            } else if (!pair.isBlank()) {
                // what it holds may be a secret
                throw new IllegalArgumentException(key + " has a part without a name: it is name=value,name=value");
            }
        }
        return pairs;
    }
}
