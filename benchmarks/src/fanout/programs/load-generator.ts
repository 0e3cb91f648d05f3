import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { deferred } from '../../harness/deferred.js';
import { operation, serveOperations } from '../../harness/serve-operations.js';
import { percentile } from '../../harness/statistics.js';
import {
  arrivedRequest,
  connectRequest,
  expectRequest,
  resumeRequest,
  SENT_AT,
  SENT_AT_DIGITS,
  type Tally,
} from '../protocol.js';
import { RawClient } from '../raw-client.js';

/** The clients of one server under test, all in this process. */

const CONNECTING_AT_ONCE = 50;
const SENT_AT_BYTES = Buffer.from(SENT_AT);

const clients: RawClient[] = [];
const counts: number[] = [];
const latencies: number[] = [];
let closed: string | undefined;
let received = 0;
let expected = 0;
let timed = false;
let allArrived = deferred<void>();

async function connect({ port, protocol, clients: auths, events }: z.infer<typeof connectRequest>) {
  const waiting = auths.entries();
  const connectSome = async () => {
    for (const [, auth] of waiting) {
      const index = counts.push(0) - 1;
      const client = new RawClient({
        port,
        protocol,
        auth,
        subscription: { events },
        onEvent: (head) => countIn(index, head),
        onClose: (reason) => {
          closed ??= reason;
        },
      });
      clients.push(client);
      await client.subscribed();
    }
  };
  await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, connectSome));
}

function countIn(index: number, head: Buffer): void {
  counts[index] = (counts[index] ?? 0) + 1;
  received += 1;
  if (timed) latencies.push(ageOf(head));
  if (received === expected) allArrived.resolve();
}

/** Time since an event was sent, ms. */
function ageOf(head: Buffer): number {
  const begin = head.indexOf(SENT_AT_BYTES) + SENT_AT_BYTES.length;
  const sentAt = Number(head.toString('latin1', begin, begin + SENT_AT_DIGITS));
  return Number(process.hrtime.bigint() / 1_000n) / 1_000 - sentAt / 1_000;
}

function expectDeliveries(request: z.infer<typeof expectRequest>): void {
  counts.fill(0);
  latencies.length = 0;
  received = 0;
  expected = request.deliveries;
  timed = request.timed;
  allArrived = deferred();
}

/** Resolves when all expected deliveries have arrived. Rejects if nothing more arrives for a while. */
async function arrived({ stallMs }: z.infer<typeof arrivedRequest>): Promise<void> {
  const watch = new AbortController();
  const stalled = async () => {
    for (let before = -1; before !== received; ) {
      before = received;
      await delay(stallMs, undefined, { signal: watch.signal });
    }
    throw new Error(
      `${received} of ${expected} deliveries arrived${closed === undefined ? '' : `; a client was ${closed}`}`,
    );
  };
  try {
    await Promise.race([allArrived.promise, stalled()]);
  } finally {
    watch.abort();
  }
}

function tally(): Tally {
  return {
    received,
    fewest: Math.min(...counts),
    most: Math.max(...counts),
    latencies: {
      p50: latencies.length === 0 ? 0 : percentile(latencies, 0.5),
      p99: latencies.length === 0 ? 0 : percentile(latencies, 0.99),
      count: latencies.length,
    },
  };
}

/** One client that resumes. Its events must arrive without gaps and in order, starting with the first. */
async function resume({ port, apiKey, events, since, first, missed, count }: z.infer<typeof resumeRequest>) {
  let next = first;
  let misplaced = 0;
  let got = 0;
  let missedMs = 0;
  const begun = performance.now();
  const whole = deferred<void>();
  const client = new RawClient({
    port,
    protocol: 'socket.io',
    auth: { token: apiKey },
    subscription: { events, since },
    onEvent: (head) => {
      const number = Number(/"eventId":"[^"-]+-(\d+)"/.exec(head.toString('latin1'))?.[1]);
      if (number !== next) misplaced += 1;
      next = number + 1;
      got += 1;
      if (got === missed) missedMs = performance.now() - begun;
      if (got === count) whole.resolve();
    },
    onClose: (reason) => whole.reject(new Error(`the client was ${reason} after ${got} events`)),
  });
  try {
    const acknowledged = await client.subscribed();
    const recovered = acknowledged.includes('"recovered":true');
    if (recovered) await whole.promise;
    return { recovered, misplaced, received: got, missedMs };
  } finally {
    whole.promise.catch(() => {});
    client.close();
  }
}

serveOperations({
  connect: operation(connectRequest, connect),
  expect: operation(expectRequest, expectDeliveries),
  arrived: operation(arrivedRequest, arrived),
  tally: operation(expectRequest.partial(), tally),
  resume: operation(resumeRequest, resume),
});
