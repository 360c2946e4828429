package io.atelier.conformance;

/** What became of a check. */
public sealed interface Verdict {
    /** In one word. */
    String word();

    /** Why, in one line; empty where it passed. */
    String reason();

    /** As demanded. */
    record Passed() implements Verdict {
        @Override
        public String word() {
            return "passed";
        }

        @Override
        public String reason() {
            return "";
        }
    }

    /** Otherwise. */
    record Failed(String expected, String seen) implements Verdict {
        @Override
        public String word() {
            return "FAILED";
        }

        @Override
        public String reason() {
            return "expected " + expected + ", seen " + seen;
        }
    }

    /** Nothing was demanded of this server. */
    record Skipped(String reason) implements Verdict {
        @Override
        public String word() {
            return "skipped";
        }
    }
}
