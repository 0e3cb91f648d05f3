import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../lib/root.mjs';

/** Reads a YAML file with one document, by its path from the root folder. */
export function readYaml(path: string): unknown {
  // Compose files share settings by merge keys.
  return parse(readFileSync(join(ROOT, path), 'utf8'), { merge: true });
}

/** The parts of a Kubernetes object that these tests read. */
export interface Manifest {
  file: string;
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: unknown;
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}

/** All Kubernetes objects in a folder's files, without the kustomization. */
export function readManifests(folder: string): Manifest[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .flatMap((name) => {
      const file = `${folder}/${name}`;
      const documents = parseAllDocuments(readFileSync(join(ROOT, file), 'utf8'));
      return documents.map((document) => ({ ...document.toJS(), file }));
    });
}

export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: {
    secretKeyRef?: KeyReference;
    configMapKeyRef?: KeyReference;
    fieldRef?: { fieldPath: string };
  };
}

interface KeyReference {
  name: string;
  key: string;
}

interface Container {
  image: string;
  env: EnvironmentVariable[];
  ports: { name: string; containerPort: number }[];
}

/** The pod template of a Deployment. */
export interface PodTemplate {
  metadata: { labels: Record<string, string> };
  spec: { containers: Container[]; terminationGracePeriodSeconds: number };
}

export function podTemplate(manifest: Manifest): PodTemplate {
  return (manifest.spec as { template: PodTemplate }).template;
}
