package io.atelier.conformance;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Checks in the order of their numbers. */
final class Checklist {
    private final List<Check> checks = new ArrayList<>();
    private final Set<String> numbers = new HashSet<>();

    Checklist specification(String number, String title, Source source, Check.Procedure procedure) {
        return add(new Check(number, title, Level.SPECIFICATION, source, procedure));
    }

    Checklist robustness(String number, String title, Source source, Check.Procedure procedure) {
        return add(new Check(number, title, Level.ROBUSTNESS, source, procedure));
    }

    /** Skipped where the server does not claim the extension {@code name}. */
    Checklist extension(String name, String number, String title, Source source, Check.Procedure procedure) {
        return add(new Check(number, title, Level.EXTENSION, source, server -> {
            server.require(name);
            procedure.ask(server);
        }));
    }

    List<Check> checks() {
        return List.copyOf(checks);
    }

    private Checklist add(Check check) {
        if (!numbers.add(check.number())) {
            throw new IllegalArgumentException(check.number() + " is given twice");
        }
        checks.add(check);
        return this;
    }
}
