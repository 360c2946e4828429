package io.atelier.nvidia;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.jna.NativeLibrary;
import io.atelier.core.DeviceId;
import io.atelier.testing.ManualTime;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a driver of our own, which the test compiles; skipped where there is no gcc. */
class GpuTelemetryTest {
    private static final String NO_LIBRARY = "libno-such-driver.so.1";
    private static final DeviceId BOARD_B = DeviceId.gpu(0);
    private static final DeviceId BOARD_A = DeviceId.gpu(1);
    private static final DeviceId SLICE_OF_A = DeviceId.gpu(2);
    private static final long XID = 8;
    private static final long OTHER_EVENT = 4;

    @TempDir
    static Path folder;

    private final ManualTime time = new ManualTime();
    private final List<String> xids = new ArrayList<>();
    private String library = "";

    @BeforeEach
    void buildTheDriver() throws IOException, InterruptedException, URISyntaxException {
        Path built = folder.resolve("libfake-driver.so");
        Path source = Path.of(Objects.requireNonNull(getClass().getResource("/nvidia/driver.c"))
                .toURI());
        assumeThat(built.toFile().exists() || compiles(source, built))
                .as("there is a gcc")
                .isTrue();
        library = built.toString();
        fake("fake_cuda", 0);
        fake("fake_lost", 0);
    }

    @Test
    void withoutADriverThereIsNoGpuAndNoTelemetry() {
        CudaDriver driver = CudaDriver.ask(NO_LIBRARY);

        assertThat(driver.devices()).isEmpty();
        assertThat(driver.problem()).isEqualTo(NO_LIBRARY + " cannot be loaded: there is no NVIDIA driver");
        assertThat(GpuTelemetry.open(NO_LIBRARY, driver, List.of(BOARD_B), this::hear, time))
                .isEmpty();
    }

    @Test
    void aLibraryWithoutTheFunctionsIsNoDriver() {
        assertThat(CudaDriver.ask("libc.so.6").problem()).isEqualTo("the NVIDIA driver answers cuInit with error -1");
        assertThat(Nvml.open("libc.so.6")).isEmpty();
    }

    @Test
    void aDriverThatFailsSaysHow() {
        fake("fake_cuda", 999);

        assertThat(CudaDriver.ask(library))
                .isEqualTo(new CudaDriver(List.of(), "the NVIDIA driver answers cuInit with error 999"));
    }

    @Test
    void devicesStandInCudasOrder() {
        assertThat(CudaDriver.ask(library).devices())
                .containsExactly(new UUID(0, 0xb), new UUID(0, 0xa), new UUID(0, 0xc));
    }

    @Test
    void aGpuIsFoundByItsUuidAndRead() {
        GpuTelemetry telemetry = open();

        assertThat(telemetry.measures().get(BOARD_B)).containsExactlyInAnyOrder(GpuMeasure.values());
        assertThat(telemetry.value(BOARD_B, GpuMeasure.UTILIZATION)).hasValue(0.75);
        assertThat(telemetry.value(BOARD_B, GpuMeasure.MEMORY_USED)).hasValue(3000);
        assertThat(telemetry.value(BOARD_B, GpuMeasure.MEMORY_TOTAL)).hasValue(80000);
        assertThat(telemetry.value(BOARD_B, GpuMeasure.TEMPERATURE)).hasValue(63);
        assertThat(telemetry.value(BOARD_B, GpuMeasure.POWER)).hasValue(250.5);
        assertThat(telemetry.value(BOARD_B, GpuMeasure.ECC_CORRECTED)).hasValue(7);
        assertThat(telemetry.value(BOARD_B, GpuMeasure.ECC_UNCORRECTED)).hasValue(1);
    }

    @Test
    void whatADriverDoesNotTellIsNotShown() {
        assertThat(open().measures().get(BOARD_A))
                .containsExactlyInAnyOrder(
                        GpuMeasure.UTILIZATION,
                        GpuMeasure.MEMORY_USED,
                        GpuMeasure.MEMORY_TOTAL,
                        GpuMeasure.TEMPERATURE);
    }

    @Test
    void aSliceHasItsOwnMemoryAndTheTemperatureOfItsBoard() {
        GpuTelemetry telemetry = open();

        assertThat(telemetry.measures().get(SLICE_OF_A))
                .containsExactlyInAnyOrder(GpuMeasure.MEMORY_USED, GpuMeasure.MEMORY_TOTAL, GpuMeasure.TEMPERATURE);
        assertThat(telemetry.value(SLICE_OF_A, GpuMeasure.MEMORY_TOTAL)).hasValue(500);
        assertThat(telemetry.value(SLICE_OF_A, GpuMeasure.TEMPERATURE)).hasValue(41);
    }

    @Test
    void anXidIsToldOfEveryDeviceOnTheBoardAndOnce() {
        GpuTelemetry telemetry = open();
        fake("fake_event", (int) 'b', XID, 31L);
        fake("fake_event", (int) 'a', XID, 79L);
        fake("fake_event", (int) 'a', OTHER_EVENT, 48L);

        telemetry.read();
        telemetry.read();

        assertThat(xids).containsExactlyInAnyOrder("gpu:0 31", "gpu:1 79", "gpu:2 79");
    }

    @Test
    void aGpuThatIsLostHasNoReadings() {
        GpuTelemetry telemetry = open();
        fake("fake_lost", 1);
        telemetry.read();

        assertThat(telemetry.value(BOARD_B, GpuMeasure.UTILIZATION)).isEmpty();
    }

    @Test
    void anOldReadingIsNone() {
        GpuTelemetry telemetry = open();
        time.advance(Duration.ofSeconds(10));
        assertThat(telemetry.value(BOARD_B, GpuMeasure.UTILIZATION)).isPresent();

        time.advance(Duration.ofMillis(1));

        assertThat(telemetry.value(BOARD_B, GpuMeasure.UTILIZATION)).isEmpty();
    }

    @Test
    void onlyFaultsOfTheGpuItselfAreFatal() {
        assertThat(List.of(48, 62, 79, 95)).allMatch(Xids::isFatal);
        assertThat(List.of(13, 31, 43, 45, 63, 94)).noneMatch(Xids::isFatal);
    }

    @Test
    void labelsOfXidsAreBounded() {
        assertThat(List.of(Xids.label(79), Xids.label(255), Xids.label(256), Xids.label(-1)))
                .containsExactly("79", "255", "other", "other");
    }

    private GpuTelemetry open() {
        Optional<GpuTelemetry> telemetry = GpuTelemetry.open(
                library,
                CudaDriver.ask(library),
                List.of(BOARD_B, BOARD_A, SLICE_OF_A, DeviceId.gpu(3), DeviceId.cpu(0)),
                this::hear,
                time);
        assertThat(telemetry).isPresent();
        assertThat(telemetry.get().measures()).containsOnlyKeys(BOARD_B, BOARD_A, SLICE_OF_A);
        return telemetry.get();
    }

    private void hear(DeviceId device, int xid) {
        xids.add(device + " " + xid);
    }

    private void fake(String function, Object... arguments) {
        NativeLibrary.getInstance(library).getFunction(function).invokeVoid(arguments);
    }

    private static boolean compiles(Path source, Path library) throws InterruptedException {
        Process compiler;
        try {
            compiler = new ProcessBuilder("gcc", "-shared", "-fPIC", "-o", library.toString(), source.toString())
                    .inheritIO()
                    .start();
        } catch (IOException missing) {
            return false;
        }
        assertThat(compiler.waitFor()).isZero();
        return true;
    }
}
