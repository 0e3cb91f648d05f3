import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  type Cluster,
  type Edge,
  heldConnections,
  metricOf,
  startCluster,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Attack } from '../support/fuzz/attack.js';
import { inputOf, type Language } from '../support/fuzz/inputs.js';
import { operationsOf } from '../support/fuzz/openapi-inputs.js';
import { readVocabulary } from '../support/fuzz/socket-inputs.js';
import { type LinkedSession, linkSessions } from '../support/linked-sessions.js';
import { report } from '../support/report.js';
import { SequenceClient } from '../support/sequence-client.js';

/**
 * Sends thousands of hostile inputs, made from the documents of the contract and from noise, over connections that are
 * cut, reset or never closed. `SEED` repeats a run. `FUZZ_INPUTS` is the number of inputs, `FUZZ_FIRST` the number of
 * the first one. Each input depends only on the seed and its own number, so one can be repeated without the others.
 */
/** The same inputs each time unless another seed is given. */
const SEED = Number(process.env.SEED ?? 5);
const INPUTS = Number(process.env.FUZZ_INPUTS ?? 4_000);
const FIRST = Number(process.env.FUZZ_FIRST ?? 0);
const AT_ONCE = 40;
/** How much an edge may grow, bytes. V8 does not collect garbage until it needs the memory. */
const MAY_GROW = 250 * 1024 ** 2;
/** How many more file descriptors an edge may have: connections that the honest client keeps alive. */
const MAY_HOLD = 10;
/** How long an edge may take to release what clients held: a request may take a minute, a silent answer two. */
const GIVEN_BACK_WITHIN_MS = 180_000;
const ANSWERED_WITHIN_MS = 30_000;
/** Inputs take about a hundredth of a second each; a busy machine takes several times as long. */
const TIMEOUT_MS = 600_000 + INPUTS * 60;

/** High enough that inputs are not refused before anything reads them. */
const LIMITS = {
  TENANT_LIMITS: 'restUnits=10000000,restUnitsPerKey=10000000,sessionCreations=1000000,sockets=100000',
  MAX_SOCKETS_PER_KEY: '100000',
  HANDSHAKES_PER_KEY: '100000',
  HANDSHAKES_PER_ADDRESS: '10000',
  MAX_CONNECTIONS_PER_ADDRESS: '10000',
};

const MARKER = `canary-${randomBytes(8).toString('hex')}`;

let cluster: Cluster;
let victim: TestTenant;
let attacker: TestTenant;
let canary: LinkedSession;
let listener: SequenceClient;

beforeAll(async () => {
  cluster = await startCluster({
    edges: 2,
    environment: {
      ...LIMITS,
      ...{ TRUSTED_PROXIES: 'loopback', EVENT_LOG_LENGTH: '100000', WORKER_CAPACITY: '5000' },
    },
  });
  victim = await cluster.addTenant('victim');
  attacker = await cluster.addTenant('attacker');
  const [linked] = await linkSessions(cluster, victim, 1);
  canary = linked ?? expect.fail('no session is linked');
  await victim.client.call('create-session', { body: { id: MARKER, name: `${MARKER}:name` } });
  await attacker.client.call('create-session', { body: { id: 'own' } });
  const [edge = expect.fail('there is no edge')] = cluster.edges;
  listener = await SequenceClient.start({ url: edge.url, apiKey: victim.apiKey });
});
afterAll(async () => {
  listener?.close();
  await cluster?.stop();
});

/** What an edge holds. */
async function sizeOf(edge: Edge) {
  const [bytes, descriptors] = await Promise.all([
    metricOf(edge, 'process_resident_memory_bytes'),
    metricOf(edge, 'process_open_fds'),
  ]);
  return { bytes, descriptors, connections: heldConnections(edge.port) };
}

/** By how much each edge has grown since `before`. */
async function growthSince(before: readonly Awaited<ReturnType<typeof sizeOf>>[]) {
  const now = await Promise.all(cluster.edges.map(sizeOf));
  return now.map(({ bytes, descriptors, connections }, index) => ({
    bytes: bytes - (before[index]?.bytes ?? 0),
    descriptors: descriptors - (before[index]?.descriptors ?? 0),
    connections: connections - (before[index]?.connections ?? 0),
  }));
}

async function languageOf(edge: Edge): Promise<Language> {
  return {
    operations: await operationsOf(edge.url),
    words: readVocabulary(join(import.meta.dirname, '../../docs/asyncapi.json')),
    attacker: {
      credentials: [attacker.apiKey, attacker.apiKey, attacker.apiKey, `wf_${'A'.repeat(43)}`, 'guess'],
      sessionIds: ['own', 'other-1', 'other-2', canary.id, MARKER, 'none'],
      addresses: 400,
    },
  };
}

/** A client that keeps to the contract until `isOver`. Records faults. Resolves with how often it was served. */
async function beHonest(isOver: () => boolean, faults: string[]): Promise<number> {
  const carl = cluster.simulator.addPhone({ name: 'Carl' });
  let served = 0;
  while (!isOver()) {
    try {
      await carl.send(canary.phone, { text: `${MARKER}:${served}` });
      for (const { url } of cluster.edges) {
        const answer = await fetch(`${url}/api/sessions/${MARKER}`, {
          headers: { 'x-api-key': victim.apiKey },
          signal: AbortSignal.timeout(ANSWERED_WITHIN_MS),
        });
        const text = await answer.text();
        if (answer.status === 200 && text.includes(MARKER)) served += 1;
        else faults.push(`the honest client got ${answer.status}: ${text}`);
      }
    } catch (error) {
      faults.push(`the honest client failed: ${error}`);
    }
  }
  return served;
}

test(`${INPUTS} hostile inputs of seed ${SEED} end no process, leak no secret and disturb no client`, {
  timeout: TIMEOUT_MS,
}, async () => {
  const processes = [...cluster.edges.map((each) => each.process), ...cluster.workers, ...cluster.placers];
  const ended = () => processes.filter(({ running }) => !running).map(({ name }) => name);
  const [edge = expect.fail('there is no edge')] = cluster.edges;
  const language = await languageOf(edge);
  const ports = cluster.edges.map(({ port }) => port);
  const before = await Promise.all(cluster.edges.map(sizeOf));
  const startedAt = performance.now();
  const seconds = () => Math.round((performance.now() - startedAt) / 1_000);
  const attack = new Attack({
    inputs: INPUTS,
    inputOf: (number) => inputOf({ seed: SEED, number: FIRST + number }, language, ports),
    // An attacker knows only what it sent: an answer may repeat the name of a session, and nothing else.
    secrets: [victim.apiKey, victim.id, `${MARKER}:`],
    ended,
    onProgress: (sent) =>
      report('hostile-inputs', { seed: SEED, sent, seconds: seconds(), faults: attack.faults.length }),
  });
  const [served] = await Promise.all([beHonest(() => attack.isOver, attack.faults), attack.run(AT_ONCE)]);
  const attackedForS = seconds();

  // The edge must release what the attacker still holds before the attacker ends.
  attack.endStreams();
  await waitFor(async () => (await growthSince(before)).every(({ connections }) => connections <= MAY_HOLD), {
    what: 'the edges have closed what is unused',
    timeoutMs: GIVEN_BACK_WITHIN_MS,
    intervalMs: 500,
  });
  attack.endAll();
  expect(attack.faults, `SEED=${SEED}`).toEqual([]);
  expect(ended()).toEqual([]);
  expect(served).toBeGreaterThan(0);
  const complaints = cluster.edges.flatMap(({ process: { logs } }) =>
    logs.filter(({ level }) => level === 'error' || level === 'fatal' || level === undefined),
  );
  expect(complaints).toEqual([]);

  await waitFor(
    async () =>
      (await growthSince(before)).every(
        ({ bytes, descriptors }) => bytes < MAY_GROW && descriptors <= MAY_HOLD,
      ),
    { what: 'the edges have their size', timeoutMs: 60_000, intervalMs: 1_000 },
  );
  await listener.expectEverythingOf(cluster, victim);
  expect(listener.disconnects).toEqual([]);
  const grown = await growthSince(before);
  report('hostile-inputs', {
    ...{ inputs: attack.sent, seed: SEED, attackedForS, seconds: seconds() },
    ...{ served, events: listener.received.length },
    connections: grown.map(({ connections }) => connections).join(','),
    descriptors: grown.map(({ descriptors }) => descriptors).join(','),
    grownMB: grown.map(({ bytes }) => Math.round(bytes / 1024 ** 2)).join(','),
    kinds: counted(attack.kinds),
    statuses: counted(attack.statuses),
  });
});

function counted(counts: ReadonlyMap<string | number, number>): string {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name}:${count}`)
    .join(',');
}
