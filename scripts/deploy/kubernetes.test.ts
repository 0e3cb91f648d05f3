import { describe, expect, it } from 'vitest';
import { environments, startWith } from './environments.js';
import { findings } from './kubernetes-schema.js';
import { type Manifest, podTemplate, readManifests, readYaml } from './manifests.js';

const manifests = readManifests('k8s/base');
const [secret] = readManifests('k8s');
const configMap = find('ConfigMap', 'wafleet');
const deployments = manifests.filter(({ kind }) => kind === 'Deployment');

it('the schema check finds unknown fields, wrong types and unknown kinds', () => {
  const sound = { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 2 } };
  expect(findings('Deployment', 'apps/v1', sound)).toEqual([]);
  expect(findings('Deployment', 'apps/v1', { spec: { replica: 2 } })).toEqual([
    'Deployment.spec has no field replica',
  ]);
  expect(findings('Deployment', 'apps/v1', { spec: { replicas: '2' } })).toEqual([
    'Deployment.spec.replicas is "2", not of type number',
  ]);
  expect(findings('Deploiment', 'apps/v1', {})).toEqual(['there is no Deploiment in apps/v1']);
});

it.each([...manifests, ...(secret ? [secret] : [])])('$file is a sound $kind', ({ file, ...manifest }) => {
  expect(findings(manifest.kind, manifest.apiVersion, manifest)).toEqual([]);
});

it('the kustomization lists every file', () => {
  const { resources } = readYaml('k8s/base/kustomization.yaml') as { resources: string[] };
  expect(resources).toEqual(manifests.map(({ file }) => file.replace('k8s/base/', '')));
});

describe.each(deployments)('$metadata.name', (deployment) => {
  const template = podTemplate(deployment);
  const [container] = template.spec.containers;
  const app = deployment.metadata.name.replace('wafleet-', '');

  it('sets variables that the app knows, to valid values', () => {
    const schema = environments[app];
    const given = Object.fromEntries(
      (container?.env ?? []).map(({ name, value, valueFrom }) => {
        const fromSecret =
          valueFrom?.secretKeyRef && (secret?.stringData?.[valueFrom.secretKeyRef.key] || 'a'.repeat(64));
        const fromConfig = valueFrom?.configMapKeyRef && configMap.data?.[valueFrom.configMapKeyRef.key];
        const fromPod = valueFrom?.fieldRef?.fieldPath === 'status.podIP' ? '10.0.0.1' : undefined;
        return [name, value ?? fromSecret ?? fromConfig ?? fromPod];
      }),
    );
    expect(Object.keys(schema?.shape ?? {})).toEqual(expect.arrayContaining(Object.keys(given)));
    expect(() => startWith(app, given)).not.toThrow();
    expect(Object.entries(given).filter(([, value]) => value === undefined)).toEqual([]);
  });

  it('opens the ports that its variables name', () => {
    const reported = container?.env.filter(({ name }) => /^(|HEALTH_|PEER_)PORT$/.test(name));
    const ports = reported?.map(({ value }) => value);
    expect(container?.ports.map(({ containerPort }) => String(containerPort))).toEqual(ports);
  });

  it('has a disruption budget that selects its pods', () => {
    const budget = find('PodDisruptionBudget', deployment.metadata.name);
    const { matchLabels } = (budget.spec as { selector: { matchLabels: Labels } }).selector;
    expect(template.metadata.labels).toMatchObject(matchLabels);
  });
});

it('traffic reaches the edges', () => {
  const service = find('Service', 'wafleet-edge');
  const { selector } = service.spec as { selector: Labels };
  expect(podTemplate(find('Deployment', 'wafleet-edge')).metadata.labels).toMatchObject(selector);
  const ingress = JSON.stringify(find('Ingress', 'wafleet-edge').spec);
  expect(ingress).toContain('"service":{"name":"wafleet-edge","port":{"name":"http"}}');
});

it('edges are reachable for the ingress controller, the metrics collector and each other', () => {
  const edge = podTemplate(find('Deployment', 'wafleet-edge'));
  const policy = find('NetworkPolicy', 'wafleet-edge').spec as NetworkPolicy;
  const names = edge.spec.containers[0]?.ports.map(({ name }) => name);
  expect(policy.ingress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual(names);
  expect(edge.metadata.labels).toMatchObject(policy.podSelector.matchLabels);
  const [forClients, forPeers] = policy.ingress;
  const namespace = (name: string) => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  });
  expect(forClients?.from).toEqual([namespace('ingress-nginx'), namespace('monitoring')]);
  expect(forPeers?.from).toEqual([{ podSelector: policy.podSelector }]);
});

interface NetworkPolicy {
  podSelector: { matchLabels: Labels };
  ingress: { from?: { podSelector?: unknown; namespaceSelector?: unknown }[]; ports: { port: string }[] }[];
}

type Labels = Record<string, string>;

function find(kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
