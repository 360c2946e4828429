#!/usr/bin/env bash
# ONNX's own backend tests through the packaged service, and the page docs/onnx-node-tests.md:
#   mvn -q package -DskipTests && scripts/onnx-node-tests.sh [--onnx-data DIR] [--jar JAR] [--page FILE] [--only PART-OF-NAME]
# exits with 1 if an answer was wrong or the service ended
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

data=/usr/share/libonnx-testdata/data
jar=target/quarkus-app/quarkus-run.jar
page=docs/onnx-node-tests.md
rest=()
while [[ $# -gt 0 ]]; do
    case $1 in
        --onnx-data) data=$2 ;;
        --jar) jar=$2 ;;
        --page) page=$2 ;;
        --only) rest+=("$1" "$2") page=/dev/null ;;
        *) sed -n 2,4p "$0" >&2; exit 2 ;;
    esac
    shift 2
done
if [[ ! -d $data ]]; then
    echo "there is no $data: install Debian's libonnx-testdata, or name a folder with --onnx-data" >&2
    exit 2
fi

scripts/model-program.sh NodeTests --onnx-data "$data" --jar "$jar" --page "$page" "${rest[@]}"
