import { randomBytes } from 'node:crypto';
import type { EventPayload } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { type Cluster, startCluster, waitFor, waitForStatus } from '@wafleet/testkit';
import {
  type AuthenticationState,
  makeWASocket,
  WA_CERT_DETAILS,
  type WASocket,
} from '@whiskeysockets/baileys';
import { afterEach, expect, test } from 'vitest';
import { copyCredentials } from '../support/copied-credentials.js';
import { inConflict, linkedAnew, linkSessions } from '../support/linked-sessions.js';
import { report } from '../support/report.js';
import { Traffic } from '../support/traffic.js';

/** The session fails at this many conflicts within an hour (see docs/operations.md). */
const TOLERATED = 5;
/** The least time for which it stays away after each earlier conflict. At most 15 s more, and then the login. */
const AWAY_MS = 30_000;
const BACK_WITHIN_MS = 120_000;

/** WhatsApp closes a connection with this code when another one of the same device replaces it. */
const REPLACED = 440;

let cluster: Cluster | undefined;
let traffic: Traffic | undefined;
let stranger: Stranger | undefined;

afterEach(async () => {
  await stranger?.leave();
  await traffic?.close();
  await cluster?.stop();
});

/** A client outside of the cluster that logs in with a copy of a session's credentials. */
class Stranger {
  readonly #url: string;
  readonly #auth: AuthenticationState;
  /** Why its connections ended, in order. */
  readonly closeCodes: (number | undefined)[] = [];
  #socket: WASocket | undefined;

  constructor({ simulator }: Cluster, auth: AuthenticationState) {
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(simulator.rootKey, 'hex');
    this.#url = simulator.url;
    this.#auth = auth;
  }

  /** Resolves when it is logged in. */
  async logIn(): Promise<void> {
    const logger = createLogger({ app: 'scenario', level: 'silent' });
    const socket = makeWASocket({ waWebSocketUrl: this.#url, auth: this.#auth, logger });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.ev.on('connection.update', ({ connection, lastDisconnect }) => {
        if (connection === 'open') resolve();
        if (connection !== 'close') return;
        const error = lastDisconnect?.error;
        this.closeCodes.push(error !== undefined && 'output' in error ? error.output.statusCode : undefined);
        reject(error);
      });
    });
  }

  async leave(): Promise<void> {
    await this.#socket?.end(undefined);
  }
}

test('it backs off, then fails with a reason, harms no other session, and comes back by a restart', async () => {
  const encryptionKey = randomBytes(32).toString('hex');
  const running = await startCluster({ workers: 0 });
  cluster = running;
  await running.addWorker({ ENCRYPTION_KEY: encryptionKey });
  const tenant = await running.addTenant();
  const { client } = tenant;
  const [contested, ...others] = await linkSessions(running, tenant, 3);
  if (contested === undefined) throw new Error('no session was linked');
  const { id, phone, deviceId } = contested;
  const logins = () => phone.devices.get(deviceId)?.loginRecord.logins ?? Number.NaN;
  const carl = running.simulator.addPhone({ name: 'Carl' });
  traffic = await Traffic.start({ cluster: running, tenant, sessions: others });
  const { events } = traffic;
  const updates = () => events.payloads('connection.update').filter(({ sessionId }) => sessionId === id);
  const conflicts = () => updates().filter(isConflict);

  const ref = { tenantId: tenant.id, sessionId: id };
  stranger = new Stranger(running, await copyCredentials(running, ref, encryptionKey));
  const loginsBefore = logins();
  for (let conflict = 1; conflict <= TOLERATED; conflict += 1) {
    await waitForStatus(client, id, 'open', BACK_WITHIN_MS);
    await stranger.logIn();
    await waitFor(() => conflicts().length === conflict, { what: `conflict ${conflict}`, timeoutMs: 30_000 });
    const shown = conflict < TOLERATED ? ['reconnecting', 'replaced'] : ['failed', 'replaced-repeatedly'];
    const { status, reason } = await client.call('get-session', { params: { id } });
    expect([status, reason], `what REST shows after conflict ${conflict}`).toEqual(shown);
  }

  // Except for the last time the session came back by itself after a while, which replaced the stranger's connection.
  const reported = changes(updates().slice(updates().findIndex(isConflict)));
  expect(reported.map(({ status, reason }) => reason ?? status)).toEqual([
    ...Array.from({ length: TOLERATED - 1 }, () => ['replaced', 'open']).flat(),
    'replaced-repeatedly',
  ]);
  const away = waits(reported);
  for (const wait of away) expect(wait).toBeGreaterThanOrEqual(AWAY_MS);
  expect(stranger.closeCodes).toEqual(Array.from({ length: TOLERATED - 1 }, () => REPLACED));
  expect(logins() - loginsBefore).toBe(2 * TOLERATED - 1);

  // It shows as failed, and no worker owns it.
  expect(conflicts().at(-1)).toMatchObject({ status: 'failed', connection: 'close' });
  await waitFor(async () => (await client.call('get-session', { params: { id } })).worker === undefined, {
    what: 'the session released',
  });
  await traffic.flows(10);
  expect(logins() - loginsBefore, 'logins once it has failed').toBe(2 * TOLERATED - 1);

  await stranger.leave();
  await carl.send(phone, { text: 'anybody there?' });
  await client.call('restart-session', { params: { id } });
  await waitForStatus(client, id, 'open', 60_000);
  await events.waitForEvent('messages.upsert', (payload) => tells(payload, id, 'anybody there?'));
  const { messageId } = await client.call('send-message', {
    params: { id },
    body: { to: carl.number, text: 'here again' },
  });
  await carl.waitForMessage((message) => message.id === messageId);
  expect(logins() - loginsBefore).toBe(2 * TOLERATED);

  const { sent, duplicates, gaps } = await traffic.finish();
  report('session-is-used-elsewhere', { awayMs: away, sent, duplicates, gapMs: gaps });
  expect(linkedAnew([contested, ...others]), 'sessions that were linked again').toEqual([]);
  expect(events.payloads('auth.qr'), 'QR codes since').toEqual([]);
  expect(inConflict(others), 'other sessions in conflict').toEqual([]);
  const disturbed = events.payloads('connection.update').filter(({ sessionId, status }) => {
    return sessionId !== id && status !== 'open';
  });
  expect(disturbed, 'what became of other sessions').toEqual([]);
});

type Update = EventPayload<'connection.update'>;

function isConflict({ lastDisconnect }: Update): boolean {
  return lastDisconnect?.statusCode === REPLACED;
}

/** The updates whose status or reason differs from the one before. */
function changes(updates: readonly Update[]): Update[] {
  return updates.filter(({ status, reason }, index) => {
    const before = updates[index - 1];
    return status !== before?.status || reason !== before?.reason;
  });
}

/** How long the session was away each time before it was open, ms. */
function waits(reported: readonly Update[]): number[] {
  return reported.flatMap(({ status, timestamp }, index) => {
    const before = reported[index - 1];
    return status === 'open' && before !== undefined
      ? [Date.parse(timestamp) - Date.parse(before.timestamp)]
      : [];
  });
}

function tells({ sessionId, messages }: EventPayload<'messages.upsert'>, id: string, text: string): boolean {
  return sessionId === id && JSON.stringify(messages).includes(text);
}
