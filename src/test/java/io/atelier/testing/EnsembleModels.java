package io.atelier.testing;

import java.util.List;
import java.util.Map;

/** Ensembles of models that add one to {@code x} and call it {@code y}. */
public final class EnsembleModels {
    /** Those models. */
    public static final List<String> PLAIN = List.of("a", "b", "c");

    /** Files of the ensembles, by path; of some that fit together and some that do not. */
    public static final Map<String, String> FILES = Map.of(
            "inner/model.yaml", "ensemble: {steps: [{model: c, inputs: {x: in}, outputs: {y: out}}]}",
            "outer/model.yaml", """
                    ensemble:
                      steps:
                        - {model: inner, inputs: {in: x}, outputs: {out: one}}
                        - {model: a, version: 1, inputs: {x: one}, outputs: {y: two}}
                    """,
            "three/model.yaml", """
                    ensemble:
                      steps:
                        - {model: a, inputs: {x: in}, outputs: {y: one}}
                        - {model: b, inputs: {x: one}, outputs: {y: two}}
                        - {model: a, inputs: {x: two}, outputs: {y: out}}
                    """,
            "fork/3/empty", "",
            "fork/config.pbtxt", """
                    platform: "ensemble"
                    input { name: "in" data_type: TYPE_FP32 dims: [ -1, -1 ] }
                    output [ { name: "l" data_type: TYPE_FP32 dims: [ -1, -1 ] },
                             { name: "r" data_type: TYPE_FP32 dims: [ -1, -1 ] } ]
                    ensemble_scheduling {
                      step { model_name: "a" input_map { key: "x" value: "in" } output_map { key: "y" value: "l" } }
                      step { model_name: "b" input_map { key: "x" value: "in" } output_map { key: "y" value: "r" } }
                    }
                    """,
            "four/model.yaml", """
                    ensemble:
                      steps:
                        - {model: three, inputs: {in: x}, outputs: {out: three}}
                        - {model: a, inputs: {x: three}, outputs: {y: four}}
                    """,
            "lost/model.yaml", "ensemble: {steps: [{model: nobody}]}",
            "ring/model.yaml", "ensemble: {steps: [{model: gnir}]}",
            "gnir/model.yaml", "ensemble: {steps: [{model: ring}]}");

    private EnsembleModels() {}
}
