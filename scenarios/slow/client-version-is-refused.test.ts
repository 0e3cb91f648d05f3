import { type Cluster, listSessions, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LinkedSession, linkedAnew, linkSessions } from '../support/linked-sessions.js';
import { report } from '../support/report.js';

const TENANTS = 7;
const SESSIONS_EACH = 2;
/** Longer than the sessions need to reconnect. */
const TRIAL_MS = 15_000;
const HEALED_WITHIN_MS = 300_000;

let cluster: Cluster;
let tenants: readonly { readonly tenant: TestTenant; readonly sessions: readonly LinkedSession[] }[];

beforeAll(async () => {
  cluster = await startCluster({
    workers: 2,
    placers: 2,
    environment: {
      CONNECTS_PER_SECOND: '50',
      VERSION_CHECK_EVERY_MS: '1000',
      VERSION_TRIAL_MS: String(TRIAL_MS),
    },
  });
  tenants = await Promise.all(
    Array.from({ length: TENANTS }, async (_, index) => {
      const tenant = await cluster.addTenant(`tenant ${index}`);
      return { tenant, sessions: await linkSessions(cluster, tenant, SESSIONS_EACH) };
    }),
  );
}, 120_000);

afterAll(async () => {
  await cluster?.stop();
});

const sessions = () => tenants.flatMap((each) => each.sessions);
const versionInUse = async () => (await cluster.admin.call('get-client-version')).current;

function deviceOf({ phone, deviceId }: LinkedSession) {
  const device = phone.devices.get(deviceId);
  if (device === undefined) throw new Error(`${phone.name} has no device ${deviceId}`);
  return device;
}

/** How many sessions reported the version at their last login. */
function loginsWith(version: string): number {
  return sessions().filter((session) => deviceOf(session).clientVersion === version).length;
}

async function openSessions(): Promise<number> {
  const lists = await Promise.all(tenants.map(({ tenant }) => listSessions(tenant.client)));
  return lists.flat().filter(({ status }) => status === 'open').length;
}

/** Cuts these connections. Resolves when they are back and all sessions, or `open` of them, are open: after that many ms. */
async function reconnect(cut: readonly LinkedSession[], open = sessions().length): Promise<number> {
  const startedAt = performance.now();
  const before = new Map(cut.map((session) => [session, deviceOf(session).loginRecord.logins]));
  for (const { phone } of cut) cluster.simulator.disconnect(phone, 'socket');
  const isBack = (session: LinkedSession) => {
    const { isOnline, loginRecord } = deviceOf(session);
    return isOnline && loginRecord.logins > (before.get(session) ?? 0);
  };
  await waitFor(async () => cut.every(isBack) && (await openSessions()) === open, {
    what: 'all sessions open',
    timeoutMs: HEALED_WITHIN_MS,
    intervalMs: 100,
  });
  return performance.now() - startedAt;
}

/** WhatsApp's page names a new version. Resolves when the cluster knows it. */
async function release(revision: number): Promise<string> {
  const version = `2.3000.${revision}`;
  cluster.simulator.clientVersions.serve({ revision });
  await waitFor(
    async () => {
      const { versions } = await cluster.admin.call('get-client-version');
      return versions.some((known) => known.version === version);
    },
    { what: `${version} is known`, timeoutMs: 20_000 },
  );
  return version;
}

test('a bad new version reaches no more than the sessions that try it', async () => {
  const current = await versionInUse();
  expect(loginsWith(current ?? '')).toBe(sessions().length);
  const logins = sessions().map((session) => deviceOf(session).loginRecord.logins);
  cluster.simulator.clientVersions.acceptOnly([current ?? '']);
  const refused: string[] = [];
  const bad = await release(1_061_000_000);
  // An open connection is not ended for a version.
  expect(sessions().map((session) => deviceOf(session).loginRecord.logins)).toEqual(logins);

  for (const _ of [1, 2]) {
    await reconnect(sessions());
    const { versions } = await cluster.admin.call('get-client-version');
    const { state = '', tries } = versions.find(({ version }) => version === bad) ?? {};
    refused.push(state);
    expect(tries?.all).toBeLessThanOrEqual(5);
    expect(loginsWith(current ?? '')).toBe(sessions().length);
  }
  expect(refused).toEqual(['refused', 'refused']);
  expect(await versionInUse()).toBe(current);
  cluster.simulator.clientVersions.reset();
});

test('a good new version is tried by a few sessions of different tenants, and the others follow', async () => {
  const before = await versionInUse();
  const good = await release(1_062_000_000);
  await reconnect(sessions());
  const first = sessions().filter((session) => deviceOf(session).clientVersion === good);
  expect(first.length).toBeGreaterThanOrEqual(3);
  expect(first.length).toBeLessThanOrEqual(5);
  const owners = tenants.filter((each) => each.sessions.some((session) => first.includes(session)));
  expect(owners).toHaveLength(first.length);
  expect(await versionInUse()).toBe(before);

  // Each further connect is an occasion to see that they have stayed open.
  const [another] = sessions().filter((session) => !first.includes(session));
  await waitFor(
    async () => {
      if (another !== undefined) await reconnect([another]);
      return (await versionInUse()) === good;
    },
    { what: 'the new version is in use', timeoutMs: 60_000, intervalMs: 3_000 },
  );
  await reconnect(sessions());
  expect(loginsWith(good)).toBe(sessions().length);
});

test('sessions whose version WhatsApp refuses are open again with the newest one, and a phone can be linked', async () => {
  const before = await versionInUse();
  const revision = 1_063_000_000;
  const next = `2.3000.${revision}`;
  // No process knows the next version when the one in use is refused.
  cluster.simulator.clientVersions.acceptOnly([next]);
  cluster.simulator.clientVersions.serve({ revision });
  const startedAt = performance.now();
  const [healedMs, chosenMs] = await Promise.all([
    reconnect(sessions()),
    waitFor(async () => (await versionInUse()) === next && performance.now() - startedAt, {
      what: 'the next version is in use',
      timeoutMs: HEALED_WITHIN_MS,
    }),
  ]);
  expect(loginsWith(next)).toBe(sessions().length);
  expect(await versionInUse()).toBe(next);
  expect(linkedAnew(sessions())).toEqual([]);

  const [tenant] = tenants;
  if (tenant === undefined) throw new Error('there is no tenant');
  const { client } = tenant.tenant;
  await client.call('create-session', { body: { id: 'new' } });
  const phone = cluster.simulator.addPhone({ name: 'New' });
  await cluster.linkByQr(client, 'new', phone);
  expect([...phone.devices.values()].map(({ clientVersion }) => clientVersion)).toEqual([next]);
  expect(cluster.crashes()).toEqual([]);
  const { versions } = await cluster.admin.call('get-client-version');
  expect(versions.find(({ version }) => version === before)?.state).toBe('refused');
  report('client version is refused', {
    sessions: sessions().length,
    chosenMs: Math.round(chosenMs),
    healedMs: Math.round(healedMs),
  });
});

test('an account that is refused for a reason of its own keeps no other session waiting', async () => {
  const [refused, ...others] = sessions().slice(-4);
  if (refused === undefined) throw new Error('there is no session');
  const { simulator, admin } = cluster;
  const before = await versionInUse();
  const stateInUse = async () => {
    const { versions } = await admin.call('get-client-version');
    return versions.find(({ version }) => version === before)?.state;
  };
  const open = (await openSessions()) - 1;
  simulator.refuseLogins(405, refused.phone);
  simulator.disconnect(refused.phone, 'socket');
  await waitFor(async () => (await stateInUse()) === 'refused', {
    what: 'the refusal',
    // The session has lost connections before, so it may wait for two minutes.
    timeoutMs: 150_000,
  });
  await reconnect(others, open);
  expect(await versionInUse()).toBe(before);
  expect(await stateInUse()).toBe('worked');
  expect(loginsWith(before ?? '')).toBe(sessions().length);
});
