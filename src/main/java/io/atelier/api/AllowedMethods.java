package io.atelier.api;

import java.util.Set;
import java.util.regex.Pattern;

/** The methods of a path, which a 405 has to name and RESTEasy Reactive does not tell. */
final class AllowedMethods {
    private static final String MODEL = "/v2/models/[^/]+(/versions/[^/]+)?";

    private static final String JOB = "/v2/jobs/[^/]+";

    private static final Pattern POSTED = Pattern.compile(MODEL
            + "/(infer|map)|/v2/repository/(index|models/[^/]+/(load|unload))|/predict/[^/]+(/versions/[^/]+)?|"
            + "/v1/models/[^/]+:predict|/v1/embeddings");

    private static final Pattern REMOVED = Pattern.compile(JOB);

    private static final Pattern ASKED = Pattern.compile("/v2(/health/(live|ready)|/models/stats|/devices)?|" + MODEL
            + "(/ready|/config|/stats)?|" + JOB + "/result|/v1/models(/[^/:]+)?");

    private AllowedMethods() {}

    /** Empty where nothing is known of the path. */
    static Set<String> of(String path) {
        String plain = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        if (POSTED.matcher(plain).matches()) {
            return Set.of("POST");
        }
        if (REMOVED.matcher(plain).matches()) {
            return Set.of("GET", "HEAD", "DELETE");
        }
        return ASKED.matcher(plain).matches() ? Set.of("GET", "HEAD") : Set.of();
    }
}
