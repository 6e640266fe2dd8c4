// Holds the manifests of kubernetes/ against the schemas of Kubernetes: unknown fields, wrong types, missing fields, and
// selectors, ports and volumes that name nothing.
//   node deploy/check.mjs        in a folder with the npm packages kubernetes-models and yaml; deploy/check.sh makes one
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
const require = createRequire(path.join(process.cwd(), 'x.js'));
const { parseAllDocuments } = require('yaml');
const kinds = {
  'apps/v1': require('kubernetes-models/apps/v1'), 'v1': require('kubernetes-models/v1'),
  'policy/v1': require('kubernetes-models/policy/v1'),
};
const folder = path.join(path.dirname(new URL(import.meta.url).pathname), 'kubernetes');
const objects = [];
let errors = 0;
const wrong = text => { console.error(text); errors++; };
const watched = (value, at, read) => value === null || typeof value !== 'object' ? value : new Proxy(value, {
  get(target, key) {
    if (typeof key === 'symbol') return target[key];
    read.add(`${at}.${key}`);
    return watched(target[key], `${at}.${key}`, read);
  },
});
const names = (value, at) => value === null || typeof value !== 'object' ? []
  : Object.keys(value).flatMap(key => [`${at}.${key}`, ...names(value[key], `${at}.${key}`)]);
for (const file of readdirSync(folder).filter(name => name.endsWith('.yaml'))) {
  for (const document of parseAllDocuments(readFileSync(path.join(folder, file), 'utf8'), { merge: true })) {
    document.errors.forEach(error => wrong(`${file}: ${error}`));
    const object = document.toJS();
    objects.push(object);
    const where = `${file}: ${object.kind} ${object.metadata?.name}`;
    const Kind = kinds[object.apiVersion]?.[object.kind];
    if (!Kind) { wrong(`${where}: no such kind in ${object.apiVersion}`); continue; }
    const checked = new Kind(object), read = new Set();
    for (const key of Object.keys(checked)) checked[key] = watched(checked[key], key, read);
    try { checked.validate(); } catch (error) { wrong(`${where}: ${error.message}`); }
    // The schemas allow unknown fields, but never look at them.
    for (const name of names(object.spec, 'spec')) if (!read.has(name)) wrong(`${where}: unknown field ${name}`);
    console.log(where);
  }
}
const matches = (selector, labels) => Object.entries(selector).every(([key, value]) => labels[key] === value);
const pods = objects.filter(object => object.spec?.template).flatMap(object =>
  Array.from({ length: object.spec.replicas }, (_, i) => ({ object, labels: {
    ...object.spec.template.metadata.labels, 'statefulset.kubernetes.io/pod-name': `${object.metadata.name}-${i}` } })));
for (const object of objects) {
  const { name } = object.metadata;
  if (object.kind === 'Service') {
    const found = pods.filter(pod => matches(object.spec.selector, pod.labels));
    if (found.length === 0) wrong(`Service ${name} selects no pod`);
    for (const pod of found) for (const port of object.spec.ports)
      if (!pod.object.spec.template.spec.containers.some(c => c.ports.some(p => p.name === port.targetPort)))
        wrong(`Service ${name}: pods have no port ${port.targetPort}`);
  }
  if (object.spec?.template) {
    if (!matches(object.spec.selector.matchLabels, object.spec.template.metadata.labels)) wrong(`${name} does not select its own pods`);
    const pod = object.spec.template.spec;
    const volumes = [...(pod.volumes ?? []), ...(object.spec.volumeClaimTemplates ?? []).map(v => v.metadata)].map(v => v.name);
    for (const container of [...pod.containers, ...(pod.initContainers ?? [])])
      for (const mount of container.volumeMounts) if (!volumes.includes(mount.name)) wrong(`${name}: no volume ${mount.name}`);
  }
}
// The gateway names a service of one pod for each replica.
const servers = readFileSync(path.join(folder, '../gateway/servers.conf'), 'utf8').match(/server \S+:\d+/g).map(s => s.slice(7));
const services = objects.filter(o => o.kind === 'Service' && o.spec.selector['statefulset.kubernetes.io/pod-name'])
  .map(o => `${o.metadata.name}:${o.spec.ports[0].port}`);
const replicas = objects.find(o => o.kind === 'StatefulSet').spec.replicas;
if (services.length !== replicas) wrong(`${replicas} replicas and ${services.length} services of single pods`);
for (const server of servers) if (!services.includes(server)) wrong(`servers.conf names ${server}, which no service has`);
for (const service of services) if (servers.filter(s => s === service).length !== 2) wrong(`servers.conf does not name ${service} twice`);
process.exit(errors ? 1 : 0);
