package io.atelier.engine.djl;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.onnxruntime.engine.OrtEngineProvider;
import ai.djl.onnxruntime.engine.OrtNDManager;
import ai.djl.onnxruntime.engine.OrtSymbolBlock;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Sharing;
import io.atelier.core.Task;
import io.atelier.engine.Engine;
import io.atelier.engine.EngineMessage;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.engine.TaskConfig;
import io.atelier.engine.TaskConfig.OfText;
import io.atelier.engine.djl.task.Tasks;
import io.atelier.engine.onnx.PerRowQuantization;
import io.atelier.nvidia.CudaDriver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * DJL with its OnnxRuntime engine, and its PyTorch engine where the build has it. Reads local files alone: DJL is told to stay offline and not to report its use.
 *
 * <p>Thread-safe.
 */
public final class DjlEngine implements Engine {
    private static final Logger LOG = LoggerFactory.getLogger(DjlEngine.class);
    private static final String ENGINE = "OnnxRuntime";
    private static final String PYTORCH = "PyTorch";
    private static final String TORCHSCRIPT = ".pt";

    private final SessionSettings settings;

    public DjlEngine(SessionSettings settings) {
        this.settings = settings;
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(settings.intraOpThreads()));
        System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
        // nothing is computed on arrays, so none needs the second engine that DJL would make for that
        System.setProperty("ai.djl.onnx.disable_alternative", "true");
        // DJL finds its engines through service files, which are not in a native executable
        ai.djl.engine.Engine.registerEngine(new OrtEngineProvider());
        // DJL must be first to touch ONNX Runtime: it is unusable in a process whose OrtEnvironment exists already
        ai.djl.engine.Engine.getEngine(ENGINE);
    }

    @Override
    public String description() {
        return "DJL " + ai.djl.engine.Engine.getDjlVersion() + ", ONNX Runtime "
                + OrtEnvironment.getEnvironment().getVersion();
    }

    @Override
    public int gpuCount() {
        CudaDriver driver = CudaDriver.ask(CudaDriver.LIBRARY);
        int count = driver.devices().size();
        if (!OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
            if (count > 0) {
                LOG.warn(
                        "the {} GPUs of this machine stay idle: this build is for the CPU, one with -Pcuda for both",
                        count);
            }
            return 0;
        }
        if (count == 0) {
            LOG.warn("no GPU can be used: {}", driver.problem());
            return 0;
        }
        try {
            options(DeviceId.gpu(0)).close(); // loads CUDA's libraries, or tells which is missing
            return count;
        } catch (OrtException failure) {
            throw new IllegalStateException("the GPUs cannot be used: " + failure.getMessage(), failure);
        }
    }

    @Override
    public ModelInstance load(ModelSource source, DeviceId device) throws ModelLoadException {
        if (source.file().toString().endsWith(TORCHSCRIPT)) {
            return loadTorchScript(source, device);
        }
        if (source.declared().isPresent()) {
            throw new ModelLoadException("inputs and outputs are not to be declared: "
                    + source.file().getFileName() + " tells its own");
        }
        ByteBuffer file = read(source);
        List<Model> models = new ArrayList<>();
        try {
            Model alone = open(
                    source,
                    device,
                    (model, options) -> model.load(source.file(), null, Map.of("sessionOptions", options)));
            models.add(alone);
            Path folder = source.file().toAbsolutePath().resolveSibling("");
            PerRowQuantization.Result rewriting = PerRowQuantization.rewrite(
                    file,
                    (location, offset, length) -> MappedModels.weights(folder, location, offset, length),
                    Objects.requireNonNullElse(source.padding().mask(), OfText.ATTENTION_MASK));
            if (device.kind() == DeviceId.Kind.GPU && !(rewriting instanceof PerRowQuantization.NotNeeded)) {
                LOG.warn(
                        "model {} is dynamically quantised: also on {} ONNX Runtime computes most of it on the CPU; serve it unquantised there",
                        source.model(),
                        device);
            }
            if (rewriting instanceof PerRowQuantization.Rewritten rewritten) {
                Optional<ByteBuffer> rows = joined(source, rewritten);
                if (rows.isEmpty()) {
                    return new DjlModelInstance(
                            source, alone, null, Sharing.none("there was no room for its rewriting"));
                }
                Model together = open(source, device, (model, options) -> load(rows.get(), folder, model, options));
                models.add(together);
                return new DjlModelInstance(
                        source,
                        alone,
                        together,
                        new Sharing(
                                Sharing.Extent.SINGLE_ROWS, true, "each row is quantised by itself where rows meet"));
            }
            if (rewriting instanceof PerRowQuantization.Impossible impossible) {
                return new DjlModelInstance(
                        source,
                        alone,
                        null,
                        Sharing.none("rows would change each other's answers: " + impossible.reason()));
            }
            return new DjlModelInstance(source, alone, alone, Sharing.rows(""));
        } catch (ModelLoadException | RuntimeException failure) {
            models.forEach(Model::close);
            throw failure;
        }
    }

    private ModelInstance loadTorchScript(ModelSource source, DeviceId device) throws ModelLoadException {
        Path name = source.file().getFileName();
        if (!ai.djl.engine.Engine.hasEngine(PYTORCH)) {
            throw new ModelLoadException(name + " needs PyTorch, which is in builds made with -Ppytorch");
        }
        ModelSignature signature = source.declared()
                .orElseThrow(() -> new ModelLoadException(
                        name + " does not tell its inputs and outputs: model.yaml has to, as inputs and outputs"));
        Device target = device.kind() == DeviceId.Kind.GPU ? Device.gpu(device.index()) : Device.cpu();
        Model model = Model.newInstance(source.model().name(), target, PYTORCH);
        try {
            model.load(source.file(), null, Map.of());
            return new TorchModelInstance(source, model, signature);
        } catch (ModelLoadException failure) {
            model.close();
            throw failure;
        } catch (IOException | MalformedModelException | RuntimeException failure) {
            model.close();
            throw notLoaded(source, device, failure);
        }
    }

    private static ByteBuffer read(ModelSource source) throws ModelLoadException {
        try {
            return MappedModels.map(source.file());
        } catch (IOException failure) {
            throw new ModelLoadException(source.file().getFileName() + " cannot be read", failure);
        }
    }

    /** The rewritten model; empty where there is no room to put it together. */
    private static Optional<ByteBuffer> joined(ModelSource source, PerRowQuantization.Rewritten rewritten) {
        try {
            return Optional.of(MappedModels.join(rewritten.model()));
        } catch (IOException failure) {
            LOG.warn(
                    "model {} runs its requests one by one, since the folder for temporary files (java.io.tmpdir) does not take it as rewritten for batches: {}",
                    source.model(),
                    failure.toString());
            return Optional.empty();
        }
    }

    /** DJL would read a stream onto the heap, so the session is opened here. Weights in other files lie in the folder. */
    private static void load(ByteBuffer bytes, Path folder, Model model, SessionOptions options) throws OrtException {
        options.addConfigEntry("session.model_external_initializers_file_folder_path", folder.toString());
        OrtSession session = OrtEnvironment.getEnvironment().createSession(bytes, options);
        model.setBlock(new OrtSymbolBlock(session, (OrtNDManager) model.getNDManager()));
    }

    /**
     * DJL is told of the CPU alone, where the tensors that it makes are. For a GPU of its own it would add the CUDA
     * provider a second time, with defaults.
     */
    private Model open(ModelSource source, DeviceId device, Loading loading) throws ModelLoadException {
        Model model = Model.newInstance(source.model().name(), Device.cpu(), ENGINE);
        try (SessionOptions options = options(device)) {
            loading.into(model, options);
            return model;
        } catch (OrtException | IOException | MalformedModelException | RuntimeException failure) {
            model.close();
            throw notLoaded(source, device, failure);
        }
    }

    private static ModelLoadException notLoaded(ModelSource source, DeviceId device, Exception failure) {
        return new ModelLoadException(
                "%s cannot be loaded on %s: %s"
                        .formatted(source.file().getFileName(), device, EngineMessage.of(failure, source.file())),
                failure);
    }

    /** For a GPU with the CUDA provider, without which a session would silently stay on the CPU. */
    private SessionOptions options(DeviceId device) throws OrtException {
        SessionOptions options = new SessionOptions();
        try {
            options.setIntraOpNumThreads(settings.intraOpThreads());
            options.setInterOpNumThreads(1);
            options.addConfigEntry("session.intra_op.allow_spinning", settings.allowSpinning() ? "1" : "0");
            if (device.kind() == DeviceId.Kind.GPU) {
                addCuda(options, device.index());
            }
            return options;
        } catch (OrtException failure) {
            options.close();
            throw failure;
        }
    }

    private static void addCuda(SessionOptions options, int index) throws OrtException {
        try (OrtCUDAProviderOptions cuda = new OrtCUDAProviderOptions(index)) {
            cuda.add("cudnn_conv_algo_search", "HEURISTIC"); // by default every new shape is tried with all algorithms
            options.addCUDA(cuda);
        }
    }

    /** Brings the file's content into a DJL model. */
    private interface Loading {
        void into(Model model, SessionOptions options) throws OrtException, IOException, MalformedModelException;
    }

    @Override
    public Task loadTask(TaskConfig task, Path folder, ModelSignature signature) throws ModelLoadException {
        return Tasks.load(task, folder, signature);
    }
}
