import { randomBytes, randomInt } from 'node:crypto';
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
import { ENDINGS, exchange, type Held, statusesIn } from '../support/fuzz/exchange.js';
import { hostileInput, type Language } from '../support/fuzz/inputs.js';
import { operationsOf } from '../support/fuzz/openapi-inputs.js';
import { readVocabulary } from '../support/fuzz/socket-inputs.js';
import { type LinkedSession, linkSessions } from '../support/linked-sessions.js';
import { report } from '../support/report.js';
import { SeededRandom } from '../support/seeded-random.js';
import { SequenceClient } from '../support/sequence-client.js';

/**
 * Thousands of hostile inputs, made from the documents of the contract and from noise, over connections that are cut,
 * reset or never closed. `SEED` repeats a run, each input by its own number; `FUZZ_INPUTS` says how many there are.
 */
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const INPUTS = Number(process.env.FUZZ_INPUTS ?? 4_000);
const AT_ONCE = 40;
/** Connections that the attacker never closes, of which the oldest is reset when there are more. */
const HELD = 300;
/** What an edge may have grown by, bytes. Garbage is not collected before there is a need. */
const MAY_GROW = 250 * 1024 ** 2;
/** How long an edge may take to give back what clients held: a request may take a minute, a silent answer two. */
const GIVEN_BACK_WITHIN_MS = 180_000;

const MARKER = `canary-${randomBytes(8).toString('hex')}`;

let cluster: Cluster;
let victim: TestTenant;
let attacker: TestTenant;
let canary: LinkedSession;
let listener: SequenceClient;

beforeAll(async () => {
  cluster = await startCluster({
    edges: 2,
    environment: { TRUSTED_PROXIES: 'loopback', EVENT_LOG_LENGTH: '100000', WORKER_CAPACITY: '5000' },
  });
  victim = await cluster.addTenant('victim');
  attacker = await cluster.addTenant('attacker');
  const [linked] = await linkSessions(cluster, victim, 1);
  canary = linked ?? expect.fail('no session is linked');
  await victim.client.createSession({ id: MARKER, name: `${MARKER}:name` });
  await attacker.client.createSession({ id: 'own' });
  listener = await SequenceClient.start({ url: firstEdge().url, apiKey: victim.apiKey });
});
afterAll(async () => {
  listener?.close();
  await cluster?.stop();
});

function firstEdge(): Edge {
  return cluster.edges[0] ?? expect.fail('there is no edge');
}

const sizeOf = (edge: Edge) => metricOf(edge, 'process_resident_memory_bytes');

test(`${INPUTS} hostile inputs of seed ${SEED} end nothing, leak nothing and disturb nobody`, async () => {
  const [edge, ...others] = cluster.edges;
  if (edge === undefined) throw new Error('there is no edge');
  const processes = [...cluster.edges.map((each) => each.process), ...cluster.workers, ...cluster.placers];
  const before = await Promise.all(
    cluster.edges.map(async (each) => ({ held: heldConnections(each.port), size: await sizeOf(each) })),
  );
  const language: Language = {
    operations: await operationsOf(edge.url),
    words: readVocabulary(join(import.meta.dirname, '../../docs/asyncapi.json')),
    attacker: {
      credentials: [attacker.apiKey, attacker.apiKey, attacker.apiKey, `wf_${'A'.repeat(43)}`, 'guess'],
      sessionIds: ['own', 'other-1', 'other-2', canary.id, MARKER, 'none'],
      addresses: 400,
    },
  };
  // What an attacker can know is what it sent: the name of the canary's session is told to it as one that does not exist.
  const secrets = [victim.apiKey, victim.id, `${MARKER}:`];
  const statuses = new Map<number, number>();
  const faults: string[] = [];
  const held: Held[] = [];
  const hold = (each: Held) => {
    held.push(each);
    if (held.length > HELD) held.shift()?.socket.resetAndDestroy();
  };
  let next = 0;
  let served = 0;

  const attack = async () => {
    while (next < INPUTS && faults.length < 10) {
      const number = next;
      next += 1;
      const random = new SeededRandom(SEED + number * 7_919);
      const bytes = hostileInput(random, language);
      const input = {
        ...{ bytes, port: random.oneOf([edge, ...others]).port, ending: random.oneOf(ENDINGS) },
        ...{ cutAt: random.below(3) === 0 ? random.below(bytes.length + 1) : bytes.length },
        pauseMs: random.below(40),
      };
      const answer = await exchange(input, hold);
      const text = answer.toString('latin1');
      const found = statusesIn(answer);
      for (const status of found) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const isFault =
        found.some((status) => status >= 500) || secrets.some((secret) => text.includes(secret));
      const isDown = processes.some(({ running }) => !running);
      if (isFault || isDown) {
        const shown = JSON.stringify(bytes.toString('latin1').slice(0, 1_500));
        faults.push(`input ${number}, ${input.ending} at ${input.cutAt}: ${shown} -> ${text.slice(0, 600)}`);
      }
    }
  };
  const carl = cluster.simulator.addPhone({ name: 'Carl' });
  const beHonest = async () => {
    while (next < INPUTS && faults.length < 10) {
      await carl.send(canary.phone, { text: `${MARKER}:${served}` });
      for (const each of cluster.edges) {
        const options = { headers: { 'x-api-key': victim.apiKey } };
        const answer = await fetch(`${each.url}/api/sessions/${MARKER}`, options);
        if (answer.status !== 200)
          faults.push(`an honest client got ${answer.status}: ${await answer.text()}`);
        else if ((await answer.text()).includes(MARKER)) served += 1;
      }
    }
  };
  const startedAt = performance.now();
  await Promise.all([beHonest(), ...Array.from({ length: AT_ONCE }, attack)]);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);

  expect(faults, `SEED=${SEED}`).toEqual([]);
  expect(processes.filter(({ running }) => !running).map(({ name }) => name)).toEqual([]);
  expect(served).toBeGreaterThan(0);
  const complaints = cluster.edges.flatMap(({ process: { logs } }) =>
    logs.filter(({ level }) => level === 'error' || level === 'fatal' || level === undefined),
  );
  expect(complaints).toEqual([]);

  // A stream of events may last as long as its client likes.
  for (const { socket, answer } of held) if (answer().includes('text/event-stream')) socket.destroy();
  // The others that the attacker still holds are given back by the edge, not by the attacker's end.
  const open = () =>
    cluster.edges.map(({ port }, index) => heldConnections(port) - (before[index]?.held ?? 0));
  await waitFor(() => open().every((more) => more <= 10), {
    what: 'the edges have closed what nobody uses',
    timeoutMs: GIVEN_BACK_WITHIN_MS,
    intervalMs: 500,
  });
  for (const { socket } of held) socket.destroy();
  await waitFor(
    async () => {
      const sizes = await Promise.all(cluster.edges.map(sizeOf));
      return sizes.every((size, index) => size - (before[index]?.size ?? 0) < MAY_GROW);
    },
    { what: 'the edges have their size', timeoutMs: 60_000, intervalMs: 1_000 },
  );
  await listener.expectEverythingOf(cluster, victim);
  expect(listener.disconnects).toEqual([]);
  const grown = await Promise.all(
    cluster.edges.map(async (each, index) => (await sizeOf(each)) - (before[index]?.size ?? 0)),
  );
  report('hostile-inputs', {
    ...{ inputs: next, seed: SEED, seconds, served, events: listener.received.length },
    ...{ stillOpen: open(), grownMB: grown.map((bytes) => Math.round(bytes / 1024 ** 2)) },
    statuses: [...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}:${count}`)
      .join(','),
  });
});
