package io.atelier.conformance;

/**
 * Where it is written what a check demands.
 *
 * @param document its short name
 * @param section  heading or number
 * @param address  where to read it
 */
public record Source(String document, String section, String address) {
    private static final String PROTOCOL = "https://github.com/kserve/open-inference-protocol/blob/main/specification/";
    private static final String TRITON = "https://github.com/triton-inference-server/server/blob/main/docs/protocol/";
    private static final String CLIENT =
            "https://github.com/triton-inference-server/client/blob/main/src/python/examples/";

    static Source rest(String section) {
        return new Source("Open Inference Protocol, REST", section, PROTOCOL + "protocol/inference_rest.md");
    }

    static Source extension(String name, String section) {
        return new Source("Triton extension " + name, section, TRITON + "extension_" + name + ".md");
    }

    static Source example(String name) {
        return new Source("Triton client example", name, CLIENT + name);
    }

    static Source rfc(int number, String section) {
        return new Source(
                "RFC " + number, section, "https://www.rfc-editor.org/rfc/rfc" + number + "#section-" + section);
    }

    @Override
    public String toString() {
        return document + ", " + section;
    }
}
