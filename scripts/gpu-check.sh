#!/usr/bin/env bash
# Checks the packaged service on a GPU, beside the CPU of the same machine, and prints a report in Markdown.
#
#     mvn package -DskipTests -Pcuda
#     scripts/gpu-check.sh --libs /usr/local/cuda/lib64 > gpu-check.md
#
# It needs no network: the packaged service, a JDK (17 or newer), and CUDA's and cuDNN's libraries. It starts the
# service on the device and on the CPU, compares their answers, measures throughput, looks whether CUDA is really in
# use, lets memory run out, kills the service under load, drains it, and makes an execution hang. The exit code is
# 0 if every check passed.
#
#   --device gpu:0|cpu     what to check; with cpu the same runs without a GPU (default: gpu:0)
#   --app DIR              the packaged service (default: target/quarkus-app)
#   --java HOME            the JDK (default: JAVA_HOME, or java on the PATH)
#   --libs DIR[:DIR…]      folders with CUDA's and cuDNN's libraries, where the loader does not know them
#   --onnxruntime DIR      folder with ONNX Runtime's libraries, where they are not in the package
#   --model DIR            a folder with a text-embedding model: checked and measured beside the package's quantised
#                          one; on a GPU a float model is to the point
#   --out DIR              models, logs and profiles (default: target/gpu-check)
#   --seconds N            of each measurement (default: 3)
#   --batches N,N…         of the engine alone (default: 1,8,32,128)
#   --concurrency N,N…     (default: 1,8,32,128,256)
#   --max-batch-size N     of the service on a GPU (default: 64)
#   --parts engine,load    what to measure beside the checks; none for nothing (default: both)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
app=$here/../target/quarkus-app
java=${JAVA_HOME:+$JAVA_HOME/bin/java}
device=gpu:0
libs=
java_options=()
arguments=()

usage() {
    sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit "$1"
}

while (($#)); do
    case $1 in
        -h | --help) usage 0 ;;
        --app | --java | --libs | --device | --onnxruntime | --model | --out | --seconds | --batches | \
            --concurrency | --max-batch-size | --parts)
            if (($# < 2)); then
                usage 2 >&2
            fi
            ;;&
        --app) app=$2 ;;
        --java) java=$2/bin/java ;;
        --libs) libs=$2 ;;
        --device) device=$2 ;;&
        --onnxruntime) java_options+=("-Donnxruntime.native.path=$2") ;;&
        --device | --onnxruntime | --model | --out | --seconds | --batches | --concurrency | \
            --max-batch-size | --parts) arguments+=("${1#--}=$2") ;;
        *) usage 2 >&2 ;;
    esac
    shift 2
done

java=${java:-java}
if [[ ! -f $app/quarkus-run.jar ]]; then
    echo "there is no quarkus-run.jar in $app: mvn package -DskipTests -Pcuda" >&2
    exit 2
fi
if [[ -n $libs ]]; then
    export LD_LIBRARY_PATH=$libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi

echo "# Check on $device"
echo
printf '%s, %s cores, Linux %s, %s\n\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)" \
    "$(uname -r)" "$("$java" -version 2>&1 | head -1)"
if [[ $device == gpu* ]]; then
    nvidia-smi --query-gpu=index,name,driver_version,memory.total,memory.used,compute_cap,mig.mode.current,uuid \
        --format=csv || echo "nvidia-smi cannot be run"
    echo
fi

exec "$java" "${java_options[@]}" -cp "$app/lib/main/*" "$here/gpu-check/GpuCheck.java" "app=$app" "${arguments[@]}"
