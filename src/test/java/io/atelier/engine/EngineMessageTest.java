package io.atelier.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EngineMessageTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Load model from FOLDER/model.onnx failed:Protobuf parsing failed. | Load model from model.onnx failed:Protobuf parsing failed.",
                "open file \"FOLDER/1/weights.bin\" failed | open file \"weights.bin\" failed",
                "No such file or directory [FOLDER/1/model.onnx_data] | No such file or directory [model.onnx_data]",
                "FOLDER/tokenizer.json | tokenizer.json",
                "failed:FOLDER/gone/away.so: cannot open | failed:away.so: cannot open",
                "in FOLDER/ there is none | in X there is none",
            })
    void namesTheFileWithoutItsFolders(String message, String cleaned) {
        assertThat(of(message.replace("FOLDER", folder.toString())))
                .isEqualTo(cleaned.replace("X", folder.getFileName().toString()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:45 ReshapeHelper(const TensorShape&) size was false | Status Message: ReshapeHelper(const TensorShape&) size was false",
                "/onnxruntime_src/onnxruntime/core/graph/model.cc:182 onnxruntime::Model::Model(…) Unsupported model IR version | onnxruntime::Model::Model(…) Unsupported model IR version",
                "D:\\a\\_work\\1\\s\\onnxruntime\\core\\x.cpp:7 broken | broken",
                "/home/builder/work/kernel.hpp: broken | broken",
            })
    void leavesOutWhereItHappenedInTheEnginesSource(String message, String cleaned) {
        assertThat(of(message)).isEqualTo(cleaned);
    }

    @ParameterizedTest
    @CsvSource({
        "running Reshape node. Name:'/encoder/layer.0/Reshape_1' Status",
        "input parameter (/encoder/MatMul_output_0) of operator",
        "float16/bfloat16, and/or 1/2 are no paths",
    })
    void keepsTheNamesOfNodes(String message) {
        assertThat(of(message)).isEqualTo(message);
    }

    @Test
    void knowsAFolderWhateverItsNameIsMadeOf() throws Exception {
        Path odd = Files.createDirectories(folder.resolve("my models (new)"));
        RuntimeException failure = new RuntimeException("Load model from " + odd + "/model.onnx failed");

        assertThat(EngineMessage.of(failure, odd.resolve("model.onnx"))).isEqualTo("Load model from model.onnx failed");
    }

    @Test
    void tellsTheFirstCauseOrItsKind() {
        assertThat(EngineMessage.of(new RuntimeException("late", new IllegalStateException("first"))))
                .isEqualTo("first");
        assertThat(EngineMessage.of(new RuntimeException("late", new IllegalStateException())))
                .isEqualTo("IllegalStateException");
    }

    private static String of(String message) {
        return EngineMessage.of(new RuntimeException(message));
    }
}
