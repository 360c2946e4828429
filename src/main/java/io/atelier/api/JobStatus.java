package io.atelier.api;

import io.atelier.serving.jobs.Job;
import java.util.Locale;

/** A job as its caller sees it, in JSON. Immutable. */
public final class JobStatus {
    /** Where jobs are; behind it comes the id. */
    public static final String PATH = "/v2/jobs";

    private static final int EXPECTED_BYTES = 256;

    private final Job job;

    private JobStatus(Job job) {
        this.job = job;
    }

    public static JobStatus of(Job job) {
        return new JobStatus(job);
    }

    /** The state in a word. */
    public String word() {
        return job.state().name().toLowerCase(Locale.ROOT);
    }

    public byte[] json() {
        return Json.write(EXPECTED_BYTES, json -> {
            json.writeStartObject();
            json.writeStringField("id", job.id());
            json.writeStringField("status", word());
            json.writeStringField("model_name", job.model().name());
            json.writeStringField("model_version", job.model().version());
            json.writeStringField("created", job.created().toString());
            json.writeStringField("expires", job.expires().toString());
            if (job.answer() != null && job.answer().error() != null) {
                json.writeStringField("error", job.answer().error());
            }
            json.writeEndObject();
        });
    }
}
