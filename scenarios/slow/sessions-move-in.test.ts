import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  baileys6,
  evolutionFiles,
  evolutionHash,
  evolutionLines,
  evolutionMixed,
  type Folder,
  wahaFolder,
  wahaMongo,
  wahaPostgres,
} from '@wafleet/session-bundle/testing';
import {
  type Cluster,
  collectEvents,
  type EventCollector,
  startCluster,
  startProxy,
  type TestTenant,
  waitForStatus,
} from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { MovedSession } from '../support/moved-session.js';
import { notePassphrase } from '../support/secret-search/given-secrets.js';

/** Sessions that were linked elsewhere go on in a cluster without being linked again, and in another one after that. */

/** Where WhatsApp sees the proxy. The worker's own address is 127.0.0.1. */
const PROXY_ADDRESS = '127.0.0.2';

const execute = promisify(execFile);
const passphrase = `a passphrase ${randomBytes(12).toString('base64url')}`;

let cluster: Cluster;
let tenant: TestTenant;
let events: EventCollector;
const moved: MovedSession[] = [];

beforeAll(async () => {
  notePassphrase(passphrase);
  // The tests import more in ten seconds than a tenant may.
  const environment = {
    TENANT_LIMITS: 'restUnits=100000,restUnitsPerKey=100000',
    PROXY_ALLOW: '127.0.0.1',
  };
  cluster = await startCluster({ environment });
  tenant = await cluster.addTenant();
  events = await collectEvents(cluster.edges[0]?.url ?? '', tenant.apiKey, [
    'messages.upsert',
    'connection.update',
  ]);
});

afterEach(async () => {
  await Promise.all(moved.splice(0).map((session) => session.end()));
});

afterAll(async () => {
  events?.close();
  await cluster?.stop();
});

async function makeSession(name: string): Promise<MovedSession> {
  const session = await MovedSession.make(cluster.simulator, name);
  moved.push(session);
  return session;
}

function sendFrom({ client }: TestTenant, id: string) {
  return (to: string, text: string) => client.call('send-message', { params: { id }, body: { to, text } });
}

async function openImported(session: MovedSession, id: string): Promise<void> {
  const body = { id, from: 'baileys', files: session.files } as const;
  await tenant.client.call('import-session', { body });
  await waitForStatus(tenant.client, id, 'open');
}

/** The statuses that a session had, as its events show them. */
function statusesOf(id: string): (string | undefined)[] {
  return events.events.flatMap(({ event, payload }) => {
    if (event !== 'connection.update' || typeof payload !== 'object' || payload === null) return [];
    return 'sessionId' in payload && payload.sessionId === id && 'status' in payload
      ? [String(payload.status)]
      : [];
  });
}

test.each([
  ['baileys', 'a folder of Baileys 7', (files: Folder) => files],
  ['baileys', 'a folder of Baileys 6', baileys6],
  ['evolution', 'Evolution API with Redis', evolutionHash],
  ['evolution', 'Evolution API with Redis, printed as lines', evolutionLines],
  ['evolution', 'Evolution API with a database and files', evolutionFiles],
  ['evolution', 'Evolution API with a database and Redis', evolutionMixed],
  ['waha', 'a folder of WAHA', wahaFolder],
  ['waha', 'Postgres of WAHA', wahaPostgres],
  ['waha', 'MongoDB of WAHA', wahaMongo],
] as const)('%s: %s', async (from, name, write) => {
  const session = await makeSession(name);
  const id = name.replaceAll(/[^A-Za-z0-9]+/g, '-');
  const files = { ...write(session.files) };
  const created = await tenant.client.call('import-session', { body: { id, from, files } });
  expect(created).toMatchObject({ id, status: 'queued', phone: session.owner.number });
  await waitForStatus(tenant.client, id, 'open');
  expect(await session.expectToGoOn(events, sendFrom(tenant, id), name)).toEqual([]);
  expect(statusesOf(id)).not.toContain('awaiting_link');
});

// Other systems have one address on the loopback.
test.runIf(platform() === 'linux')(
  'has its settings and its proxy from the first connection on',
  async () => {
    const session = await makeSession('Proxied');
    const credentials = { username: 'customer', password: randomBytes(12).toString('base64url') };
    const proxy = await startProxy({ kind: 'socks5', from: PROXY_ADDRESS, credentials });
    onTestFinished(() => proxy.stop());
    const id = 'proxied';
    const importedAt = Date.now();
    await tenant.client.call('import-session', {
      body: {
        ...{ id, name: 'Till 3', from: 'baileys', files: { ...session.files } },
        ...{ metadata: { shop: '17' }, settings: { online: true }, proxy: proxy.url() },
      },
    });
    await waitForStatus(tenant.client, id, 'open');
    expect(await session.expectToGoOn(events, sendFrom(tenant, id), id)).toEqual([]);
    const shown = await tenant.client.call('get-session', { params: { id } });
    expect(shown).toMatchObject({
      ...{ name: 'Till 3', metadata: { shop: '17' }, settings: { online: true } },
      proxy: { kind: 'socks5', host: '127.0.0.1', port: proxy.port, hasCredentials: true },
    });
    expect(shown).not.toHaveProperty('link');
    const arrivals = cluster.simulator.arrivals.since(importedAt);
    expect(arrivals.some(({ from }) => from === PROXY_ADDRESS)).toBe(true);
    expect(new Set(arrivals.map(({ from }) => from))).toEqual(new Set([PROXY_ADDRESS]));
  },
);

test('a session is moved to another cluster, and its removal from the first one leaves it linked', async () => {
  const session = await makeSession('Mover');
  await openImported(session, 'mover');
  const other = await startCluster({ simulator: cluster.simulator });
  try {
    const target = await other.addTenant();
    const targetEvents = await collectEvents(other.edges[0]?.url ?? '', target.apiKey, ['messages.upsert']);
    const exported = await tenant.client.call('export-session', {
      params: { id: 'mover' },
      body: { passphrase },
    });
    expect(exported.device).toBe(`${session.owner.number}:${session.deviceId}`);
    expect(await tenant.client.call('get-session', { params: { id: 'mover' } })).toMatchObject({
      status: 'closed',
      reason: 'exported',
    });
    await events.waitForEvent('connection.update', ({ reason }) => reason === 'exported');
    const { bundle } = exported;
    await target.client.call('import-session', {
      body: { id: 'moved', from: 'wafleet', bundle, passphrase },
    });
    await waitForStatus(target.client, 'moved', 'open');
    expect(await tenant.client.call('remove-session', { params: { id: 'mover' } })).toMatchObject({
      removal: 'still-listed',
    });
    expect(await session.expectToGoOn(targetEvents, sendFrom(target, 'moved'), 'mover')).toEqual([]);
    targetEvents.close();
  } finally {
    await other.stop();
  }
});

test('a restart takes an export back, and a second export gives a bundle again', async () => {
  const session = await makeSession('Undecided');
  await openImported(session, 'undecided');
  const params = { id: 'undecided' };
  const key = randomBytes(32).toString('hex');
  notePassphrase(key);
  await tenant.client.call('export-session', { params, body: { passphrase } });
  const second = await tenant.client.call('export-session', { params, body: { key } });
  expect(second.device).toBe(`${session.owner.number}:${session.deviceId}`);
  await tenant.client.call('restart-session', { params });
  await waitForStatus(tenant.client, 'undecided', 'open');
  expect(await session.expectToGoOn(events, sendFrom(tenant, 'undecided'), 'undecided')).toEqual([]);
});

test('a source that still runs is named as the reason, and the session does not fight with it', async () => {
  const session = await makeSession('Careless');
  await openImported(session, 'careless');
  await session.source.open();
  const failed = await waitForStatus(tenant.client, 'careless', 'failed');
  expect(failed.reason).toBe('used-elsewhere');
  await session.source.end();
  await tenant.client.call('restart-session', { params: { id: 'careless' } });
  await waitForStatus(tenant.client, 'careless', 'open');
  expect(session.owner.devices.has(session.deviceId)).toBe(true);
});

test('a session that the phone has removed says so, and the source is left as it was', async () => {
  const session = await makeSession('Removed');
  session.owner.unlink();
  const body = { id: 'removed', from: 'baileys', files: session.files } as const;
  await tenant.client.call('import-session', { body });
  expect((await waitForStatus(tenant.client, 'removed', 'logged_out')).reason).toBe('logged-out');
});

test('one device of an account runs once, in whatever tenant, until its session is removed', async () => {
  const session = await makeSession('Double');
  await openImported(session, 'double');
  const other = await cluster.addTenant();
  const body = { id: 'again', from: 'baileys', files: session.files } as const;
  for (const { client } of [tenant, other]) {
    await expect(client.call('import-session', { body })).rejects.toThrow(
      expect.objectContaining({ code: 'ACCOUNT_IN_USE' }),
    );
    await expect(client.call('get-session', { params: { id: 'again' } })).rejects.toThrow(
      expect.objectContaining({ code: 'SESSION_NOT_FOUND' }),
    );
  }
  await tenant.client.call('remove-session', { params: { id: 'double' }, query: { force: 'true' } });
  await other.client.call('import-session', { body });
  await waitForStatus(other.client, 'again', 'open');
});

test('of imports at the same time, one succeeds', async () => {
  const session = await makeSession('Simultaneous');
  const attempts = await Promise.allSettled(
    ['one', 'two'].map((id) =>
      tenant.client.call('import-session', { body: { id, from: 'baileys', files: session.files } }),
    ),
  );
  const refused = attempts.filter((attempt) => attempt.status === 'rejected');
  expect(refused.map(({ reason }) => reason.code)).toEqual(['ACCOUNT_IN_USE']);
});

test('what cannot be run is refused with the place, and nothing is stored', async () => {
  const session = await makeSession('Damaged');
  const other = await makeSession('Foreign');
  const creds = session.files['creds.json'] ?? '';
  const mixed = { ...JSON.parse(creds), account: JSON.parse(other.files['creds.json'] ?? '{}').account };
  const attempt = (files: Record<string, unknown>) =>
    tenant.client
      .call('import-session', { body: { id: 'bad', from: 'baileys', files } })
      .catch((error: unknown) => error);
  const problem = (name: string, path: string) =>
    expect.objectContaining({ code: 'BUNDLE_INVALID', details: { problem: name, path } });
  expect(await attempt({})).toEqual(problem('no-credentials', 'creds'));
  expect(await attempt({ ...session.files, 'creds.json': creds.slice(0, 700) })).toEqual(
    problem('not-json', 'creds'),
  );
  expect(await attempt({ ...session.files, 'creds.json': mixed })).toEqual(
    problem('signature-invalid', 'creds.account.accountSignature'),
  );
  expect(await attempt({ 'creds.json': `${'['.repeat(200_000)}${']'.repeat(200_000)}` })).toEqual(
    problem('too-large', 'creds'),
  );
  const text = `{"id":"bad","from":"baileys","files":{"__proto__":{"creds.json":"{}"}}}`;
  expect((await post(text)).status).toBe(400);
  expect((await post(`{"files":"${'x'.repeat(50 * 1024 * 1024)}"}`)).status).toBe(413);
  await expect(tenant.client.call('get-session', { params: { id: 'bad' } })).rejects.toThrow(
    expect.objectContaining({ code: 'SESSION_NOT_FOUND' }),
  );
});

test('a bundle opens with its passphrase only, and a key without the scope gets none', async () => {
  const session = await makeSession('Sealed');
  await openImported(session, 'sealed');
  const params = { id: 'sealed' };
  const { key } = await cluster.admin.call('create-key', {
    body: { tenantId: tenant.id, scopes: ['sessions:read', 'sessions:write'] },
  });
  await expect(cluster.client(key).call('export-session', { params, body: { passphrase } })).rejects.toThrow(
    expect.objectContaining({ code: 'FORBIDDEN' }),
  );
  const { bundle } = await tenant.client.call('export-session', { params, body: { passphrase } });
  const open = (given: string, secret: string) =>
    tenant.client.call('import-session', {
      body: { id: 'opened', from: 'wafleet', bundle: given, passphrase: secret },
    });
  await expect(open(bundle, 'another passphrase')).rejects.toThrow(
    expect.objectContaining({ code: 'BUNDLE_PASSPHRASE_WRONG' }),
  );
  await expect(open(randomBytes(500).toString('base64'), passphrase)).rejects.toThrow(
    expect.objectContaining({ code: 'BUNDLE_INVALID' }),
  );
  // The exported session stays until it is removed, and could be restarted.
  await expect(open(bundle, passphrase)).rejects.toThrow(expect.objectContaining({ code: 'ACCOUNT_IN_USE' }));
  await tenant.client.call('remove-session', { params });
  await open(bundle, passphrase);
  await waitForStatus(tenant.client, 'opened', 'open');
  expect(session.owner.devices.has(session.deviceId)).toBe(true);
});

/** The calls of the tool in the guide, in their order, without `npm run move --`. */
function guideCommands(): string[][] {
  const text = readFileSync(new URL('../../docs/moving-in.md', import.meta.url), 'utf8');
  return [...text.matchAll(/^npm run move -- (.+)$/gm)].map(([, line = '']) => line.split(' '));
}

async function runTool(args: readonly string[], input = ''): Promise<string> {
  const entry = fileURLToPath(new URL('../../apps/move/dist/main.js', import.meta.url));
  const running = execute(process.execPath, [entry, ...args], {
    env: { WAFLEET_URL: toolUrl(), ...(input === '' ? toolSecrets() : {}) },
  });
  running.child.stdin?.end(input);
  const { stdout, stderr } = await running;
  for (const secret of [tenant.apiKey, passphrase]) expect(stdout + stderr).not.toContain(secret);
  return stdout;
}

function toolSecrets() {
  return { WAFLEET_API_KEY: tenant.apiKey, WAFLEET_PASSPHRASE: passphrase };
}

test('the commands of the guide move sessions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wafleet-guide-'));
  const formats: Readonly<Record<string, (files: Folder) => Folder>> = {
    baileys: (files) => files,
    evolution: evolutionFiles,
    waha: wahaFolder,
  };
  const session = await makeSession('Reader');
  const params = { id: 'shop-1' };
  const ran: string[] = [];
  try {
    for (const [index, command] of guideCommands().entries()) {
      const [verb = ''] = command;
      const from = command[command.indexOf('--from') + 1] ?? '';
      const path = command.at(-1) ?? '';
      const place = path.endsWith('.bundle') ? join(folder, 'shop-1.bundle') : join(folder, String(index));
      if (!path.endsWith('.bundle')) {
        const write = path.endsWith('auth.json') ? wahaPostgres : (formats[from] ?? formats.baileys);
        await mkdir(place);
        for (const [name, text] of Object.entries(write?.(session.files) ?? {})) {
          await writeFile(join(place, name), text);
        }
      }
      const own = command.slice(0, -1).map((word) => (word.startsWith('https:') ? toolUrl() : word));
      const isExport = verb === 'export';
      if (verb === 'import')
        await tenant.client.call('remove-session', { params, query: { force: 'true' } }).catch(() => {});
      const output = await runTool([...own, place], isExport ? `${tenant.apiKey}\n${passphrase}\n` : '');
      ran.push(verb);
      expect(output).toContain(session.owner.number);
      if (verb === 'import') await waitForStatus(tenant.client, 'shop-1', 'open');
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(ran).toEqual(['inspect', 'import', 'import', 'import', 'import', 'export', 'import']);
  expect(await session.expectToGoOn(events, sendFrom(tenant, 'shop-1'), 'guide')).toEqual([]);
});

function toolUrl(): string {
  return cluster.edges[0]?.url ?? '';
}

test('a session without a phone has nothing to hand out', async () => {
  await tenant.client.call('create-session', { body: { id: 'unlinked' } });
  await waitForStatus(tenant.client, 'unlinked', 'awaiting_link');
  await expect(
    tenant.client.call('export-session', { params: { id: 'unlinked' }, body: { passphrase } }),
  ).rejects.toThrow(expect.objectContaining({ code: 'NOT_LINKED' }));
});

function post(body: string): Promise<Response> {
  return fetch(`${cluster.edges[0]?.url}/api/sessions/import`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tenant.apiKey}`, 'content-type': 'application/json' },
    body,
  });
}
