package io.atelier.repository;

import io.atelier.repository.TextProto.Field;
import io.atelier.repository.TextProto.Message;
import io.atelier.repository.TextProto.Scalar;
import io.atelier.repository.TextProto.Value;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Triton's model configuration: which fields there are, of which types, and what becomes of each here. What is read
 * through it has known fields and values of their types alone, in one form: enums by name, numbers in decimal, maps as
 * entries of {@code key} and {@code value}. One thread; use {@link #read}.
 *
 * @see <a href="https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto">Triton:
 *     model_config.proto</a>
 */
final class TritonSchema {
    /** What becomes of a field that says something else than its default. */
    enum Treatment {
        /** It means what it means in Triton. */
        MEANT,
        /** The configuration is refused. */
        REFUSED,
        /** It changes no answer; the log tells that it was ignored. */
        IGNORED
    }

    /**
     * A field of a message.
     *
     * @param type   a scalar type, the name of an enum or of a message
     * @param map    whether it is a map from a string, or a number, to that type
     * @param choice the group of which one field alone may be there; null if it is in none
     */
    record FieldType(
            String name,
            String type,
            boolean repeated,
            boolean map,
            Treatment treatment,
            @Nullable String choice) {}

    /**
     * A configuration with what it says and is ignored.
     *
     * @param ignored paths of fields, as {@code instance_group.kind}
     */
    record Reading(Message message, List<String> ignored) {}

    static final String ROOT = "ModelConfig";

    /**
     * A message with its fields in each paragraph. {@code *} is repeated, {@code map:} a map, {@code /x} one of the choice
     * {@code x}.
     */
    private static final String MESSAGES = """
            ModelConfig
              name string meant
              platform string meant
              backend string meant
              runtime string meant
              version_policy ModelVersionPolicy meant
              max_batch_size int32 meant
              input ModelInput* meant
              output ModelOutput* meant
              batch_input any* refused
              batch_output any* refused
              optimization ModelOptimizationPolicy meant
              dynamic_batching ModelDynamicBatching meant /scheduling
              sequence_batching any refused /scheduling
              ensemble_scheduling ModelEnsembling meant /scheduling
              instance_group ModelInstanceGroup* meant
              default_model_filename string meant
              cc_model_filenames map:string refused
              metric_tags map:string ignored
              parameters map:ModelParameter meant
              model_warmup ModelWarmup* meant
              model_operations ModelOperations meant
              model_transaction_policy ModelTransactionPolicy meant
              model_repository_agents ModelRepositoryAgents meant
              response_cache ModelResponseCache meant
              model_metrics ModelMetrics meant
            ModelVersionPolicy
              latest Latest meant /policy
              all All meant /policy
              specific Specific meant /policy
            Latest
              num_versions uint32 meant
            All
            Specific
              versions int64* meant
            ModelInput
              name string meant
              data_type DataType meant
              format Format meant
              dims int64* meant
              reshape ModelTensorReshape meant
              is_shape_tensor bool refused
              allow_ragged_batch bool refused
              optional bool refused
              is_non_linear_format_io bool refused
            ModelOutput
              name string meant
              data_type DataType meant
              dims int64* meant
              reshape ModelTensorReshape meant
              label_filename string meant
              is_shape_tensor bool refused
              is_non_linear_format_io bool refused
            ModelTensorReshape
              shape int64* meant
            ModelOptimizationPolicy
              graph Graph meant
              priority ModelPriority ignored
              cuda Cuda meant
              execution_accelerators ExecutionAccelerators meant
              input_pinned_memory PinnedMemoryBuffer meant
              output_pinned_memory PinnedMemoryBuffer meant
              gather_kernel_buffer_threshold uint32 ignored
              eager_batching bool ignored
            Graph
              level int32 ignored
            Cuda
              graphs bool ignored
              busy_wait_events bool ignored
              graph_spec GraphSpec* ignored
              output_copy_stream bool ignored
            GraphSpec
              batch_size int32 ignored
              input map:GraphShape ignored
              graph_lower_bound LowerBound ignored
            LowerBound
              batch_size int32 ignored
              input map:GraphShape ignored
            GraphShape
              dim int64* ignored
            ExecutionAccelerators
              gpu_execution_accelerator Accelerator* ignored
              cpu_execution_accelerator Accelerator* ignored
            Accelerator
              name string ignored
              parameters map:string ignored
            PinnedMemoryBuffer
              enable bool ignored
            ModelDynamicBatching
              preferred_batch_size int32* ignored
              max_queue_delay_microseconds uint64 meant
              preserve_ordering bool ignored
              priority_levels uint64 meant
              default_priority_level uint64 meant
              default_queue_policy ModelQueuePolicy meant
              priority_queue_policy map:any refused
            ModelQueuePolicy
              timeout_action TimeoutAction meant
              default_timeout_microseconds uint64 meant
              allow_timeout_override bool meant
              max_queue_size uint32 meant
            ModelEnsembling
              step Step* meant
              max_inflight_requests uint32 ignored
            Step
              model_name string meant
              model_version int64 meant
              input_map map:string meant
              output_map map:string meant
              model_namespace string refused
            ModelInstanceGroup
              name string ignored
              kind InstanceKind ignored
              count int32 meant
              rate_limiter ModelRateLimiter meant
              gpus int32* ignored
              secondary_devices any* refused
              profile string* refused
              passive bool refused
              host_policy string ignored
            ModelRateLimiter
              resources Resource* ignored
              priority uint32 ignored
            Resource
              name string ignored
              global bool ignored
              count uint32 ignored
            ModelParameter
              string_value string meant
            ModelWarmup
              name string meant
              batch_size uint32 meant
              inputs map:WarmupInput meant
              count uint32 meant
            WarmupInput
              data_type DataType meant
              dims int64* meant
              zero_data bool meant /data
              random_data bool meant /data
              input_data_file string meant /data
            ModelOperations
              op_library_filename string* refused
            ModelTransactionPolicy
              decoupled bool refused
            ModelRepositoryAgents
              agents any* refused
            ModelResponseCache
              enable bool ignored
            ModelMetrics
              metric_control MetricControl* ignored
            MetricControl
              metric_identifier MetricIdentifier ignored
              histogram_options HistogramOptions ignored
            MetricIdentifier
              family string ignored
            HistogramOptions
              buckets double* ignored
            """;

    /** The names of each enum's values, by their numbers from 0 on. */
    private static final Map<String, List<String>> ENUMS = Map.of(
            "DataType",
            List.of(
                    "TYPE_INVALID",
                    "TYPE_BOOL",
                    "TYPE_UINT8",
                    "TYPE_UINT16",
                    "TYPE_UINT32",
                    "TYPE_UINT64",
                    "TYPE_INT8",
                    "TYPE_INT16",
                    "TYPE_INT32",
                    "TYPE_INT64",
                    "TYPE_FP16",
                    "TYPE_FP32",
                    "TYPE_FP64",
                    "TYPE_STRING",
                    "TYPE_BF16"),
            "Format",
            List.of("FORMAT_NONE", "FORMAT_NHWC", "FORMAT_NCHW"),
            "InstanceKind",
            List.of("KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"),
            "ModelPriority",
            List.of("PRIORITY_DEFAULT", "PRIORITY_MAX", "PRIORITY_MIN"),
            "TimeoutAction",
            List.of("REJECT", "DELAY"));

    private static final Map<String, Map<String, FieldType>> FIELDS = parse(MESSAGES);

    /** Decimal, hexadecimal or octal, as the text format writes integers. */
    private static final Pattern INTEGER = Pattern.compile("-?(0|[1-9][0-9]*|0[xX][0-9a-fA-F]+|0[0-7]+)");

    private static final Pattern FLOAT =
            Pattern.compile("-?((([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?[fF]?)|inf|infinity|nan)");
    private static final Set<String> TRUE = Set.of("t", "true", "True", "1");
    private static final Set<String> FALSE = Set.of("f", "false", "False", "0");

    private final String file;
    private final boolean json;
    private final List<String> ignored = new ArrayList<>();

    private TritonSchema(String file, boolean json) {
        this.file = file;
        this.json = json;
    }

    /**
     * Checks a configuration, field by field.
     *
     * @param json whether it was JSON, in which protobuf writes enums and long integers as strings, and maps as objects
     */
    static Reading read(String file, Message raw, boolean json) throws ModelConfigException {
        TritonSchema schema = new TritonSchema(file, json);
        Message message = schema.message(ROOT, "", raw);
        return new Reading(message, schema.ignored.stream().distinct().toList());
    }

    /** The fields of each message, by name. */
    static Map<String, Map<String, FieldType>> messages() {
        return FIELDS;
    }

    static boolean isMessage(String type) {
        return FIELDS.containsKey(type);
    }

    private Message message(String type, String path, Message raw) throws ModelConfigException {
        Map<String, FieldType> known = FIELDS.getOrDefault(type, Map.of());
        Map<String, Field> read = new LinkedHashMap<>();
        Map<String, String> chosen = new LinkedHashMap<>();
        for (Map.Entry<String, Field> entry : raw.fields().entrySet()) {
            String name = json ? snakeCase(entry.getKey()) : entry.getKey();
            Field field = entry.getValue();
            FieldType definition = known.get(name);
            if (definition == null) {
                throw error(
                        field.line(),
                        path + ProtoSection.shortened(entry.getKey()) + " is unknown, allowed are "
                                + String.join(", ", known.keySet()));
            }
            String place = path + name;
            if (!definition.repeated() && (json || !definition.map())) {
                requireOne(place, field);
            }
            String choice = definition.choice();
            if (choice != null && !field.values().isEmpty()) {
                String other = chosen.putIfAbsent(choice, name);
                if (other != null) {
                    throw error(field.line(), place + " is not allowed beside " + path + other);
                }
            }
            if (definition.treatment() == Treatment.REFUSED && says(definition, place, field)) {
                throw error(field.line(), place + " is not supported");
            }
            if (definition.treatment() != Treatment.REFUSED) {
                List<Value> values = values(definition, place, field);
                if (definition.treatment() == Treatment.IGNORED) {
                    if (values.stream().anyMatch(value -> !isDefault(definition, value))) {
                        ignored.add(place);
                    }
                } else if (read.put(name, new Field(values, field.list(), field.line())) != null) {
                    throw error(field.line(), place + " is given twice");
                }
            }
        }
        return new Message(read, raw.line());
    }

    private void requireOne(String place, Field field) throws ModelConfigException {
        if (field.list()) {
            throw error(field.line(), place + " is a list, allowed is one value");
        }
        if (field.values().size() > 1) {
            throw error(field.line(), place + " is given " + field.values().size() + " times, allowed is once");
        }
    }

    /** Whether a field that is refused says anything; whatever a message there says is not looked at. */
    private boolean says(FieldType definition, String place, Field field) throws ModelConfigException {
        if (definition.repeated() || definition.map() || definition.type().equals("any")) {
            return !field.values().isEmpty()
                    && !(json
                            && definition.map()
                            && field.values().get(0) instanceof Message map
                            && map.fields().isEmpty());
        }
        for (Value value : field.values()) {
            if (!isDefault(definition, scalar(definition.type(), place, value))) {
                return true;
            }
        }
        return false;
    }

    private List<Value> values(FieldType definition, String place, Field field) throws ModelConfigException {
        List<Value> values = new ArrayList<>();
        if (definition.map()) {
            Set<String> keys = new HashSet<>();
            for (Value value : field.values()) {
                for (Message entry : entries(place, value)) {
                    Message read = entry(definition, place, entry);
                    String key = keyOf(read);
                    if (!keys.add(key)) {
                        throw error(entry.line(), place + " has " + ProtoSection.quoted(key) + " twice");
                    }
                    values.add(read);
                }
            }
            return values;
        }
        for (Value value : field.values()) {
            if (isMessage(definition.type())) {
                values.add(message(definition.type(), place + ".", requireMessage(place, value)));
            } else {
                values.add(scalar(definition.type(), place, value));
            }
        }
        return values;
    }

    private List<Message> entries(String place, Value value) throws ModelConfigException {
        Message message = requireMessage(place, value);
        if (!json) {
            return List.of(message);
        }
        List<Message> entries = new ArrayList<>();
        message.fields().forEach((key, field) -> {
            Map<String, Field> entry = new LinkedHashMap<>();
            entry.put("key", new Field(List.of(new Scalar(key, true, 0)), false, 0));
            entry.put("value", field);
            entries.add(new Message(entry, 0));
        });
        return entries;
    }

    private Message entry(FieldType definition, String place, Message raw) throws ModelConfigException {
        Map<String, Field> read = new LinkedHashMap<>();
        for (Map.Entry<String, Field> part : raw.fields().entrySet()) {
            String at = place + "." + part.getKey();
            Field field = part.getValue();
            boolean isKey = part.getKey().equals("key");
            if (!isKey && !part.getKey().equals("value")) {
                throw error(field.line(), at + " is unknown, allowed are key, value");
            }
            requireOne(at, field);
            if (field.values().isEmpty()) {
                continue; // JSON's null
            }
            String type = isKey ? "string" : definition.type();
            List<Value> values = new ArrayList<>();
            for (Value value : field.values()) {
                values.add(
                        isMessage(type)
                                ? message(type, place + ".", requireMessage(at, value))
                                : scalar(type, at, value));
            }
            read.put(part.getKey(), new Field(values, false, field.line()));
        }
        if (!read.containsKey("key")) {
            throw error(raw.line(), place + " has an entry without key");
        }
        read.computeIfAbsent("value", absent -> new Field(List.of(nothing(definition.type(), raw.line())), false, 0));
        return new Message(read, raw.line());
    }

    private static String keyOf(Message entry) {
        Field key = entry.fields().get("key");
        return key == null ? "" : ((Scalar) key.values().get(0)).text();
    }

    private static Value nothing(String type, int line) {
        return isMessage(type) ? new Message(Map.of(), line) : new Scalar("", true, line);
    }

    private Message requireMessage(String place, Value value) throws ModelConfigException {
        if (value instanceof Message message) {
            return message;
        }
        throw refused(place, value, "a message");
    }

    private Scalar scalar(String type, String place, Value value) throws ModelConfigException {
        return switch (type) {
            case "string" -> {
                if (!(value instanceof Scalar scalar) || !scalar.quoted()) {
                    throw refused(place, value, "a string");
                }
                yield scalar;
            }
            case "bool" -> flag(place, value);
            case "double" -> real(place, value);
            case "int32" -> integer(place, value, Integer.MIN_VALUE, Integer.MAX_VALUE);
            case "uint32" -> integer(place, value, 0, (1L << Integer.SIZE) - 1);
            case "int64" -> integer(place, value, Long.MIN_VALUE, Long.MAX_VALUE);
            case "uint64" -> integer(place, value, 0, Long.MAX_VALUE); // none here is anywhere near
            default -> constant(type, place, value);
        };
    }

    private Scalar flag(String place, Value value) throws ModelConfigException {
        if (value instanceof Scalar scalar && !scalar.quoted()) {
            if (TRUE.contains(scalar.text())) {
                return new Scalar("true", false, scalar.line());
            }
            if (FALSE.contains(scalar.text())) {
                return new Scalar("false", false, scalar.line());
            }
        }
        throw refused(place, value, "true or false");
    }

    private Scalar real(String place, Value value) throws ModelConfigException {
        if (value instanceof Scalar scalar
                && (json || !scalar.quoted())
                && FLOAT.matcher(scalar.text().toLowerCase(Locale.ROOT)).matches()) {
            return new Scalar(scalar.text(), false, scalar.line());
        }
        throw refused(place, value, "a number");
    }

    private Scalar integer(String place, Value value, long least, long most) throws ModelConfigException {
        String allowed = most == Long.MAX_VALUE && least == 0
                ? "an integer of at least 0"
                : "an integer from " + least + " to " + most;
        BigInteger number = value instanceof Scalar scalar && (json || !scalar.quoted()) ? whole(scalar.text()) : null;
        if (number == null
                || number.compareTo(BigInteger.valueOf(least)) < 0
                || number.compareTo(BigInteger.valueOf(most)) > 0) {
            throw refused(place, value, allowed);
        }
        return new Scalar(number.toString(), false, value.line());
    }

    private @Nullable BigInteger whole(String text) {
        if (json) {
            try {
                BigDecimal decimal = new BigDecimal(text);
                return decimal.scale() < -20 ? null : decimal.toBigIntegerExact();
            } catch (ArithmeticException | NumberFormatException none) {
                return null;
            }
        }
        if (!INTEGER.matcher(text).matches()) {
            return null;
        }
        String sign = text.startsWith("-") ? "-" : "";
        String digits = text.substring(sign.length());
        if (digits.startsWith("0x") || digits.startsWith("0X")) {
            return new BigInteger(sign + digits.substring(2), 16);
        }
        return new BigInteger(sign + digits, digits.startsWith("0") && digits.length() > 1 ? 8 : 10);
    }

    private Scalar constant(String type, String place, Value value) throws ModelConfigException {
        List<String> names = ENUMS.getOrDefault(type, List.of());
        if (value instanceof Scalar scalar) {
            if ((json || !scalar.quoted()) && names.contains(scalar.text())) {
                return new Scalar(scalar.text(), false, scalar.line());
            }
            BigInteger number = scalar.quoted() ? null : whole(scalar.text());
            if (number != null && number.signum() >= 0 && number.compareTo(BigInteger.valueOf(names.size())) < 0) {
                return new Scalar(names.get(number.intValue()), false, scalar.line());
            }
        }
        throw refused(place, value, String.join(", ", names));
    }

    private static boolean isDefault(FieldType definition, Value value) {
        if (definition.repeated() || definition.map()) {
            return false;
        }
        if (!(value instanceof Scalar scalar)) {
            return value instanceof Message message && message.fields().isEmpty();
        }
        return switch (definition.type()) {
            case "string" -> scalar.text().isEmpty();
            case "bool" -> scalar.text().equals("false");
            case "double", "int32", "uint32", "int64", "uint64" -> scalar.text().equals("0");
            default ->
                scalar.text()
                        .equals(ENUMS.getOrDefault(definition.type(), List.of(""))
                                .get(0));
        };
    }

    private ModelConfigException refused(String place, Value value, String allowed) {
        return error(value.line(), place + " is " + ProtoSection.described(value) + ", allowed is " + allowed);
    }

    private ModelConfigException error(int line, String problem) {
        return new ModelConfigException(file, (line > 0 ? "line " + line + ": " : "") + problem);
    }

    /** Protobuf's JSON has the names of fields in two forms. */
    private static String snakeCase(String name) {
        StringBuilder snake = new StringBuilder();
        name.chars().forEach(c -> {
            if (c >= 'A' && c <= 'Z') {
                snake.append('_').append((char) (c - 'A' + 'a'));
            } else {
                snake.append((char) c);
            }
        });
        return snake.toString();
    }

    private static Map<String, Map<String, FieldType>> parse(String text) {
        Map<String, Map<String, FieldType>> messages = new LinkedHashMap<>();
        Map<String, FieldType> fields = new LinkedHashMap<>();
        for (String line : text.lines().toList()) {
            if (!line.startsWith(" ")) {
                fields = new LinkedHashMap<>();
                messages.put(line, fields);
                continue;
            }
            List<String> words = Arrays.asList(line.strip().split(" "));
            String type = words.get(1);
            boolean map = type.startsWith("map:");
            boolean repeated = type.endsWith("*");
            fields.put(
                    words.get(0),
                    new FieldType(
                            words.get(0),
                            type.substring(map ? 4 : 0, type.length() - (repeated ? 1 : 0)),
                            repeated,
                            map,
                            Treatment.valueOf(words.get(2).toUpperCase(Locale.ROOT)),
                            words.size() > 3 ? words.get(3) : null));
        }
        return messages;
    }
}
