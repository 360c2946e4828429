#!/usr/bin/env python3
"""Writes a dynamically quantised model again, with the same 8-bit weights and without rounding its activations.

    python3 minilm-unrounded.py MODEL.onnx OUT.onnx

Each DynamicQuantizeLinear, MatMulInteger, Cast, Mul becomes one MatMul with the weights times their scale. What is left
is plain float arithmetic, which every processor computes alike to about 1e-6: the difference between this model's answer
and the quantised one's is what the rounding of activations does. Needs the Python package onnx (Debian: python3-onnx).
"""

import sys

import numpy as np
import onnx
from onnx import numpy_helper


def only(nodes, operator):
    found = [node for node in nodes if node.op_type == operator]
    assert len(found) == 1, (operator, [node.name for node in nodes])
    return found[0]


def unrounded(model):
    graph = model.graph
    values = {value.name: value for value in graph.initializer}
    maker = {output: node for node in graph.node for output in node.output}
    readers = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    gone = set()
    for product in [node for node in graph.node if node.op_type == "MatMulInteger"]:
        quantise = maker[product.input[0]]
        cast = only(readers[product.output[0]], "Cast")
        scaled = only(readers[cast.output[0]], "Mul")
        scale = maker[next(name for name in scaled.input if name != cast.output[0])]
        weight_scale = next(name for name in scale.input if name not in quantise.output)
        weights = numpy_helper.to_array(values[product.input[1]]).astype(np.float32)
        weights = weights * numpy_helper.to_array(values[weight_scale])
        name = product.input[1] + "_float"
        graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), name))
        gone.update(node.output[0] for node in (quantise, product, cast, scale))
        scaled.op_type = "MatMul"
        del scaled.input[:]
        scaled.input.extend([quantise.input[0], name])

    nodes = [node for node in graph.node if node.output[0] not in gone]
    del graph.node[:]
    graph.node.extend(nodes)
    read = {name for node in nodes for name in node.input}
    kept = [value for value in graph.initializer if value.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return model


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    onnx.save(unrounded(onnx.load(sys.argv[1])), sys.argv[2])
