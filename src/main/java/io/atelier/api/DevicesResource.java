package io.atelier.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.atelier.serving.DeviceView;
import io.atelier.serving.InferenceService;
import io.smallrye.common.annotation.NonBlocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** The devices as operators see them: their state and why, and what runs on them at this moment. */
@Path("/v2/devices")
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
@Tag(name = "Operations")
public class DevicesResource {
    private static final double NANOS_PER_SECOND = 1e9;

    private final InferenceService service;

    public DevicesResource(InferenceService service) {
        this.service = service;
    }

    record Devices(List<Device> devices) {}

    record Device(
            String id,
            String name,
            String kind,
            String state,
            String reason,
            int slots,
            List<String> threads,
            List<Running> running,
            List<Model> models,
            Counters counters) {}

    record Running(
            String model,
            String version,
            int requests,
            int rows,
            @JsonProperty("for_seconds") double forSeconds) {}

    record Model(
            String name,
            String version,
            String batching,
            @JsonProperty("batching_reason") String reason) {}

    record Counters(
            long executions,
            long failures,
            long requests,
            long rows,
            @JsonProperty("busy_seconds") double busySeconds) {}

    @GET
    @Operation(summary = "Every device, its state, its executor and what it has done")
    public Devices devices() {
        return new Devices(
                service.devices().stream().map(DevicesResource::device).toList());
    }

    private static Device device(DeviceView view) {
        return new Device(
                view.id().toString(),
                view.name(),
                view.id().kind().name().toLowerCase(Locale.ROOT),
                view.state().name().toLowerCase(Locale.ROOT),
                view.reason(),
                view.slots(),
                view.threads(),
                view.running().stream().map(DevicesResource::running).toList(),
                view.models().stream().map(DevicesResource::model).toList(),
                counters(view.counters()));
    }

    private static Running running(DeviceView.Running running) {
        return new Running(
                running.model().name(),
                running.model().version(),
                running.requests(),
                running.rows(),
                seconds(running.forTime()));
    }

    private static Model model(DeviceView.Held held) {
        return new Model(
                held.model().name(),
                held.model().version(),
                held.sharing().extent().word(),
                held.sharing().reason());
    }

    private static Counters counters(DeviceView.Counters counters) {
        return new Counters(
                counters.executions(),
                counters.failures(),
                counters.requests(),
                counters.rows(),
                seconds(counters.busy()));
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / NANOS_PER_SECOND;
    }
}
