package io.atelier.engine.djl;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import io.atelier.core.DeviceId;
import io.atelier.core.TextTokenizer;
import io.atelier.engine.Engine;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.engine.onnx.PerRowQuantization;
import io.atelier.nvidia.CudaDriver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * DJL with its OnnxRuntime engine. Reads local files alone: DJL is told to stay offline and not to report its use.
 *
 * <p>Thread-safe.
 */
public final class DjlEngine implements Engine {
    private static final Logger LOG = LoggerFactory.getLogger(DjlEngine.class);
    private static final String ENGINE = "OnnxRuntime";

    private final SessionSettings settings;

    public DjlEngine(SessionSettings settings) {
        this.settings = settings;
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
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
        byte[] file = read(source);
        List<Model> models = new ArrayList<>();
        try {
            Model alone = open(source, device, (model, options) -> model.load(source.file(), null, options));
            models.add(alone);
            PerRowQuantization.Result rewriting =
                    PerRowQuantization.rewrite(file, source.padding().mask());
            if (device.kind() == DeviceId.Kind.GPU && !(rewriting instanceof PerRowQuantization.NotNeeded)) {
                LOG.warn(
                        "model {} is dynamically quantised: also on {} ONNX Runtime computes most of it on the CPU; serve it unquantised there",
                        source.model(),
                        device);
            }
            if (rewriting instanceof PerRowQuantization.Rewritten rewritten) {
                InputStream rows = new ByteArrayInputStream(rewritten.model());
                Model together = open(source, device, (model, options) -> model.load(rows, options));
                models.add(together);
                return new DjlModelInstance(source, alone, together);
            }
            if (rewriting instanceof PerRowQuantization.Impossible impossible) {
                LOG.warn(
                        "model {} runs its requests one by one, since in a batch they would change each other's answers: {}",
                        source.model(),
                        impossible.reason());
                return new DjlModelInstance(source, alone, null);
            }
            return new DjlModelInstance(source, alone, alone);
        } catch (ModelLoadException | RuntimeException failure) {
            models.forEach(Model::close);
            throw failure;
        }
    }

    private static byte[] read(ModelSource source) throws ModelLoadException {
        if (!source.file().toString().endsWith(".onnx")) {
            throw new ModelLoadException(
                    source.file().getFileName() + " needs an engine that is not in this build; it runs model.onnx");
        }
        try {
            return Files.readAllBytes(source.file());
        } catch (IOException failure) {
            throw new ModelLoadException(source.file().getFileName() + " cannot be read", failure);
        }
    }

    /**
     * DJL is told of the CPU alone, where the tensors that it makes are. For a GPU of its own it would add the CUDA
     * provider a second time, with defaults.
     */
    private Model open(ModelSource source, DeviceId device, Loading loading) throws ModelLoadException {
        Model model = Model.newInstance(source.model().name(), Device.cpu(), ENGINE);
        try (SessionOptions options = options(device)) {
            loading.into(model, Map.of("sessionOptions", options));
            return model;
        } catch (OrtException | IOException | MalformedModelException | RuntimeException failure) {
            model.close();
            throw new ModelLoadException(
                    "%s cannot be loaded on %s: %s"
                            .formatted(source.file().getFileName(), device, rootMessage(failure)),
                    failure);
        }
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
        void into(Model model, Map<String, Object> options) throws OrtException, IOException, MalformedModelException;
    }

    @Override
    public TextTokenizer loadTokenizer(Path file, int maxTokens) throws ModelLoadException {
        try {
            return new Tokenizer(
                    HuggingFaceTokenizer.builder()
                            .optTokenizerPath(file)
                            .optTruncation(true)
                            .optMaxLength(maxTokens)
                            .optPadding(false)
                            .build(),
                    maxTokens);
        } catch (IOException | RuntimeException failure) {
            throw new ModelLoadException(file.getFileName() + " cannot be loaded: " + rootMessage(failure), failure);
        }
    }

    static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }

    /** A HuggingFace tokenizer; its native part may be called by several threads. */
    private record Tokenizer(HuggingFaceTokenizer tokenizer, int maxTokens) implements TextTokenizer {
        @Override
        public List<long[]> encode(List<String> texts) {
            return Arrays.stream(tokenizer.batchEncode(texts))
                    .map(Encoding::getIds)
                    .toList();
        }
    }
}
