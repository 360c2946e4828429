package io.atelier.api.oip;

import java.util.List;

/** What the server is. */
record ServerMetadata(String name, String version, List<String> extensions) {}
