import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from '@wafleet/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateSecrets, SecretsFile, withAdminToken } from './secrets.js';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wafleet-secrets-'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

test('fresh secrets differ and are what the apps take', () => {
  const [one, other] = [generateSecrets(), generateSecrets()];
  expect(one.encryptionKey).toMatch(/^[0-9a-f]{64}$/);
  expect(one.encryptionKey).not.toBe(other.encryptionKey);
  expect(one.adminToken).not.toBe(other.adminToken);
  expect(one.adminToken.length).toBeGreaterThanOrEqual(32);
});

test('they are kept in a file that no other user can read', async () => {
  const file = new SecretsFile(join(dir, 'kept'));
  const secrets = await file.load();
  expect((await stat(file.path)).mode & 0o777).toBe(0o600);
  expect(await file.load()).toEqual(secrets);

  const withTenant = { ...secrets, tenant: { id: 'tnt_1', apiKey: 'wf_1' } };
  await file.save(withTenant);
  expect(await file.load()).toEqual(withTenant);
  expect((await stat(file.path)).mode & 0o777).toBe(0o600);
});

test('a damaged file is not replaced', async () => {
  const file = new SecretsFile(dir);
  await writeFile(file.path, '{"adminToken":');
  await expect(file.load()).rejects.toThrow(StartError);
  await expect(file.load()).rejects.toThrow(/secrets\.json is damaged/);
});

test('the administrator’s token of the environment replaces the random one', () => {
  const secrets = generateSecrets();
  expect(withAdminToken(secrets, 'of-the-environment')).toEqual({
    ...secrets,
    adminToken: 'of-the-environment',
  });
  expect(withAdminToken(secrets, undefined)).toBe(secrets);
});
