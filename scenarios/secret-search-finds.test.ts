import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cipher, decodeAuthValue } from '@wafleet/store';
import { AppProcess, type Cluster, freePort, startCluster, type TestTenant } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { searchSoFar } from './support/secret-search/whole-run.js';

/**
 * Every file of scenarios ends with a search for secrets. This file tests that search: it leaks secrets of a linked
 * session on purpose, through each way out of the processes and in different forms.
 */

const SESSION = 'shop';
const KEY = randomBytes(32).toString('hex');

/** Logs its first argument. Answers requests with bytes: the path, or else the second argument, has them in base64. */
const LEAKING_PROGRAM = `
import { createServer } from 'node:http';
process.stdout.write(JSON.stringify({ level: 'info', msg: 'decrypted with', data: process.argv[2] }) + '\\n');
createServer(({ url }, response) => {
  if (url === '/readyz') return response.end('ok');
  response.end(Buffer.concat([Buffer.from('a file '), Buffer.from(url.slice(1), 'base64url')]));
}).listen(Number(process.env.PORT), '127.0.0.1');
`;

let cluster: Cluster;
let tenant: TestTenant;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wafleet-leaking-'));
  cluster = await startCluster({ workers: 0 });
  await cluster.addWorker({ ENCRYPTION_KEY: KEY });
  tenant = await cluster.addTenant();
  await tenant.client.call('create-session', { body: { id: SESSION } });
  await cluster.linkByQr(tenant.client, SESSION, cluster.simulator.addPhone({ name: 'Anna' }));
});

afterAll(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Credentials {
  readonly noiseKey: { readonly private: Buffer };
  readonly signedIdentityKey: { readonly private: Buffer };
  readonly advSecretKey: string;
}

async function credentials(): Promise<Credentials> {
  // The script answers in hex, because `command` returns text.
  const script =
    "return redis.call('HGET', KEYS[1], 'creds'):gsub('.', function(c) return ('%02x'):format(c:byte()) end)";
  const reply = await cluster.redis.command('EVAL', script, '1', `wf:{${tenant.id}}:auth:${SESSION}`);
  const sealed = Buffer.from(reply.split('\r\n')[1] ?? '', 'hex');
  const scope = Cipher.fromHexKeys(KEY).sessionScope({ tenantId: tenant.id, sessionId: SESSION });
  return decodeAuthValue(scope.open(sealed, 'creds')) as Credentials;
}

test('secrets in a log, on a command line, in an event, in Redis and in answers are found, and nothing else', async () => {
  const { noiseKey, signedIdentityKey, advSecretKey } = await credentials();
  const entry = join(folder, 'leaking.mjs');
  await writeFile(entry, LEAKING_PROGRAM);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const leaking = await AppProcess.start({
    name: 'leaking',
    entry,
    arguments: [noiseKey.private.toString('base64')],
    environment: { PORT: String(port) },
    readyUrl: `${url}/readyz`,
  });
  const answer = async (bytes: Buffer) =>
    (await fetch(`${url}/${bytes.toString('base64url')}`)).arrayBuffer();
  await answer(signedIdentityKey.private);
  await answer(Buffer.from(`{"key":"${tenant.apiKey}"}`));
  await answer(Buffer.from(advSecretKey));
  const body = JSON.stringify({ eventId: '1-1', data: signedIdentityKey.private.toString('hex') });
  const { command } = cluster.redis;
  // In another log than the session's own events, which must be consecutive.
  await command('XADD', 'wf:{another}:log', '*', 'm', `1-1 messages.upsert ${SESSION} ${body}`);
  await command('SET', 'wf:note', JSON.stringify([...signedIdentityKey.private]));
  await command('SET', 'wf:other-note', KEY.toUpperCase());
  await leaking.stop();
  await cluster.stop();

  const { findings } = searchSoFar();
  const session = `${tenant.id}/${SESSION}`;
  const noise = `creds.noiseKey.private of ${session}`;
  const identity = `creds.signedIdentityKey.private of ${session}`;
  const expected = [
    `${noise} stands as base64 in the command line of leaking, after`,
    `${noise} stands as base64 in the output of leaking, after`,
    `${identity} stands as raw in what came to a client of port ${port}, connection`,
    `${identity} stands as hex in what Redis has by the event messages.upsert in wf:{another}:log, after`,
    `${identity} stands as a list of numbers in what Redis has by SET wf:note, after`,
    'ENCRYPTION_KEY of worker #3 stands as hex in what Redis has by SET wf:other-note, after',
    `creds.advSecretKey of ${session} stands as base64 in what came to a client of port ${port}, connection`,
    `an API key was shown 2 times, most recently in what came to a client of port ${port}, connection`,
  ];
  expect(findings).toEqual(expect.arrayContaining(expected.map((each) => expect.stringContaining(each))));
  expect(findings).toHaveLength(expected.length);
  // A finding names what was found and where, but not the secret itself.
  for (const secret of [noiseKey.private.toString('base64'), advSecretKey, tenant.apiKey, KEY]) {
    expect(findings.join('\n').toLowerCase()).not.toContain(secret.toLowerCase());
  }
});
