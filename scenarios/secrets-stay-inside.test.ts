import { randomBytes } from 'node:crypto';
import {
  type Cluster,
  collectEvents,
  type EventCollector,
  startCluster,
  type TestTenant,
  waitFor,
  waitForStatus,
} from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { searchSoFar } from './support/secret-search/whole-run.js';

/**
 * Runs a cluster at its most verbose log level through everything that makes Baileys, libsignal and the processes log
 * keys. Nothing that the cluster logs, answers, publishes or stores in the clear may contain one.
 */

/** On SIGUSR2, throws an error that is not caught. The error and its cause carry the process' secrets. */
const CRASH_ON_SIGNAL = `process.once('SIGUSR2', () => {
  const secrets = { environment: { ...process.env }, data: process.env.ENCRYPTION_KEY };
  throw Object.assign(new Error('a crash'), secrets, { cause: Object.assign(new Error('its cause'), secrets) });
});`;

/** The search must have looked for these: one secret of each family, as Baileys and libsignal name them. */
const LOOKED_FOR = [
  'ADMIN_TOKEN',
  'ENCRYPTION_KEY',
  'a pairing code',
  'an API key',
  'app-state-sync-key.keyData',
  'creds.advSecretKey',
  'creds.noiseKey.private',
  'creds.pairingEphemeralKeyPair.private',
  'creds.signedIdentityKey.private',
  'creds.signedPreKey.keyPair.private',
  'messageSecret',
  'pre-key.private',
  'sender-key.*.senderChainKey.seed.data',
  'sender-key.*.senderSigningKey.private.data',
  'session._sessions.*._chains.*.chainKey.key',
  'session._sessions.*.currentRatchet.ephemeralKeyPair.privKey',
  'session._sessions.*.currentRatchet.rootKey',
  'the challenge of a passkey',
  'the code of a link by passkey',
  'the id of an Engine.IO connection',
  'the secret by which a client comes back',
  'the signature of a passkey',
  'the token of a helper link',
];

let cluster: Cluster;
let tenant: TestTenant;
let events: EventCollector;
type Phone = ReturnType<Cluster['simulator']['addPhone']>;
let anna: Phone;
let bert: Phone;
let carl: Phone;

beforeAll(async () => {
  cluster = await startCluster({ workers: 0, environment: { LOG_LEVEL: 'debug' } });
  await addWorker();
  tenant = await cluster.addTenant();
  events = await collectEvents(cluster.edges[0]?.url ?? '', tenant.apiKey, ['*']);
  [anna, bert, carl] = [addPhone('Anna'), addPhone('Bert'), addPhone('Carl')];
});

afterAll(async () => {
  events?.close();
  await cluster?.stop();
});

function addPhone(name: string): Phone {
  return cluster.simulator.addPhone({ name });
}

function addWorker() {
  const preload = `data:text/javascript,${encodeURIComponent(CRASH_ON_SIGNAL)}`;
  return cluster.addWorker({ NODE_OPTIONS: `--import=${preload}` });
}

/** Lets another worker take over. That one has not read anything of the sessions yet. */
async function replaceWorker(meanwhile: () => Promise<unknown>): Promise<void> {
  await cluster.workers[0]?.stop();
  await meanwhile();
  await addWorker();
}

function credentials(sessionId: string): string {
  return `wf:{${tenant.id}}:auth:${sessionId}`;
}

async function arrives(id: string): Promise<void> {
  const isIt = ({ messages }: { messages: readonly { key: { id?: string }; message?: unknown }[] }) =>
    messages.some(({ key, message }) => key.id === id && message !== undefined);
  await events.waitForEvent('messages.upsert', isIt, { timeoutMs: 60_000 });
}

test('a phone is linked by a QR code, and shares its keys and its history', async () => {
  anna.history.remember(carl, { message: { conversation: 'long ago' } });
  await tenant.client.call('create-session', { body: { id: 'anna' } });
  await cluster.linkByQr(tenant.client, 'anna', anna);
  await events.waitForEvent('messages.upsert', ({ history }) => history === true, { timeoutMs: 60_000 });
});

test('another phone is linked by a pairing code, after a wrong one', async () => {
  const { client } = tenant;
  await client.call('create-session', { body: { id: 'bert' } });
  const request = () => client.call('pairing-code', { params: { id: 'bert' }, body: { phone: bert.number } });
  await waitFor(request, { what: 'a pairing code', timeoutMs: 60_000, intervalMs: 200 });
  await expect(bert.enterCode('AAAA-AAAA')).rejects.toMatchObject({ name: 'WrongPairingCodeError' });
  await cluster.linkByCode(client, 'bert', bert);
});

test('a third phone is linked by passkey, after signatures that are refused', async () => {
  const { client } = tenant;
  const dora = addPhone('Dora');
  dora.demandPasskey();
  const params = { id: 'dora' };
  await client.call('create-session', { body: params });
  const begin = async () => {
    const scan = async () => {
      const { qr } = await client.call('get-qr', { params });
      void dora.scan(qr).catch(() => {});
      return true;
    };
    await waitFor(scan, { what: 'a QR code', timeoutMs: 60_000, intervalMs: 100 });
    const request = async () => {
      const { options } = await client.call('get-passkey', { params });
      const { challenge } = options ?? {};
      return typeof challenge === 'string' && { challenge };
    };
    return waitFor(request, { what: 'a challenge', timeoutMs: 60_000, intervalMs: 50 });
  };
  const sign = async (options: { challenge: string }, flaws: { origin?: string; wrongKey?: boolean } = {}) =>
    client.call('sign-passkey', { params, body: dora.passkey?.sign(options, flaws) ?? expect.fail() });

  const refused = await begin();
  await client.call('create-passkey-link', { params });
  await expect(sign(refused, { origin: 'https://example.com' })).rejects.toMatchObject({
    code: 'PASSKEY_ASSERTION_INVALID',
  });
  await expect(sign(refused, { wrongKey: true })).rejects.toMatchObject({ code: 'PASSKEY_REFUSED' });

  dora.isForeground = false;
  await sign(await begin());
  const { code = '' } = await waitFor(
    async () => {
      const view = await client.call('get-passkey', { params });
      return view.code !== undefined && view;
    },
    { what: 'a code', timeoutMs: 60_000, intervalMs: 50 },
  );
  await dora.acceptPasskeyCode(code);
  await waitForStatus(client, 'dora', 'open');
});

test('messages go both ways, to a person and to a group, and one has a message secret', async () => {
  const { client } = tenant;
  const poll = await carl.send(anna, {
    pollCreationMessage: { name: 'when', options: [{ optionName: 'now' }], selectableOptionsCount: 1 },
    messageContextInfo: { messageSecret: randomBytes(32) },
  });
  await arrives(poll.id);
  const group = carl.createGroup('Picnic', [anna]);
  const { id } = await carl.send(group, { text: 'to all' });
  await arrives(id);
  for (const to of [carl.number, group.jid]) {
    const { messageId } = await client.call('send-message', {
      params: { id: 'anna' },
      body: { to, text: 'hello' },
    });
    await carl.waitForMessage((message) => message.id === messageId);
  }
  await anna.settings.saveContact(carl, 'Carl from work');
  await events.waitForEvent('contacts.upsert');
});

test('pre-keys are used up', async () => {
  const [device] = anna.devices.values();
  device?.spendPreKeys(2);
  await waitFor(() => (device?.preKeyCount ?? 0) > 2, { what: 'new pre-keys', timeoutMs: 60_000 });
});

test('a message cannot be decrypted, and is asked for again', async () => {
  await replaceWorker(async () => {
    const fields = await cluster.redis.command('HKEYS', credentials('anna'));
    const records = fields.split('\r\n').filter((field) => field.startsWith('session:'));
    expect(records.length).toBeGreaterThan(0);
    await cluster.redis.command('HDEL', credentials('anna'), ...records);
  });
  await waitForStatus(tenant.client, 'anna', 'open', 60_000);
  const { id } = await carl.send(anna, { text: 'once more' });
  await cluster.workers[0]?.waitForLog(
    ({ msg }) => /decrypt/.test(msg ?? ''),
    'that it could not be decrypted',
    60_000,
  );
  await arrives(id);
});

test('stored credentials are damaged', async () => {
  await replaceWorker(() => cluster.redis.command('HSET', credentials('bert'), 'creds', 'damaged'));
  const { reason } = await waitForStatus(tenant.client, 'bert', 'failed', 60_000);
  expect(reason).toBe('credentials-unreadable');
});

test('requests are refused', async () => {
  const url = cluster.edges[0]?.url ?? '';
  const { apiKey } = tenant;
  const answers = await Promise.all([
    fetch(`${url}/api/sessions?apiKey=${apiKey}`),
    fetch(`${url}/api/sessions`, { headers: { 'x-api-key': `${apiKey}x` } }),
    fetch(`${url}/api/sessions/anna/messages`, {
      method: 'POST',
      headers: { 'x-api-key': apiKey },
      body: '{',
    }),
    fetch(`${url}/api/tenants`, {
      method: 'POST',
      headers: { authorization: `Bearer ${cluster.adminToken}` },
    }),
    fetch(`${url}/socket.io/?EIO=3&transport=polling&token=${apiKey}`),
  ]);
  expect(answers.map(({ status }) => status).filter((status) => status < 400)).toEqual([]);
  await Promise.all(answers.map((answer) => answer.text()));
  const reported = await Promise.all(['/metrics', '/docs', '/healthz'].map((path) => fetch(url + path)));
  await Promise.all(reported.map((answer) => answer.text()));
});

test('a phone unlinks its session', async () => {
  anna.unlink();
  await waitForStatus(tenant.client, 'anna', 'logged_out', 60_000);
});

test('a worker crashes with an error that holds its secrets', async () => {
  const [worker] = cluster.workers;
  if (worker === undefined) throw new Error('no worker runs');
  process.kill(worker.pid, 'SIGUSR2');
  await worker.exited;
  expect(worker.logs.filter(({ level }) => level === 'fatal')).toHaveLength(1);
  await expect(cluster.stopProcesses()).rejects.toThrow('a crash');
});

test('nothing that left the processes contains a secret', async () => {
  await cluster.stop();
  const { findings, names, secrets } = searchSoFar();
  expect(findings).toEqual([]);
  expect(secrets).toBeGreaterThan(2 * 812);
  expect([...names]).toEqual(expect.arrayContaining(LOOKED_FOR));
});
