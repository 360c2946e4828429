// Reads manifests, one JSON object on each line, and writes what kubernetes-models says against each: a line with the
// manifest's number, the model and the finding, separated by tabs. It knows types, enumerations and custom resources.
// Runs where the packages are installed.
import { readFileSync } from 'node:fs';

const custom = {
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator/',
  'keda.sh': '@kubernetes-models/keda/',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api/',
};

const lines = readFileSync(0, 'utf8').trim().split('\n');
for (const [number, line] of lines.entries()) {
  const manifest = JSON.parse(line);
  const group = manifest.apiVersion.includes('/') ? manifest.apiVersion.split('/')[0] : '';
  const name = (custom[group] ?? 'kubernetes-models/') + manifest.apiVersion + '/' + manifest.kind;
  try {
    const model = await import(name);
    new model[manifest.kind](manifest).validate();
  } catch (refused) {
    console.log([number, 'kubernetes-models', refused.message.replaceAll(/\s+/g, ' ')].join('\t'));
  }
}
