import { setTimeout as delay } from 'node:timers/promises';
import { sessionPageSchema } from '@wafleet/contract';
import { describeAnswer, RestCaller } from '../../harness/rest-caller.js';
import { ATTACKER_ADDRESS, type Attack, loop, type Target } from './attack.js';

const PER_SECOND = 500;
const TICK_MS = 20;
const LISTS_AT_ONCE = 4;
const DELETES_AT_ONCE = 10;
const CONNECTIONS = 200;
const RETRY_MS = 250;

/** Creates 500 sessions per second and lists them continuously, then removes them. */
export const sessionFlood: Attack = async (target) => {
  const { port, tenant, signal, tally, scale } = target;
  const caller = new RestCaller({
    port,
    apiKey: tenant.apiKey,
    localAddress: ATTACKER_ADDRESS,
    connections: CONNECTIONS,
  });
  const posts = new Set<Promise<void>>();
  const post = async () => {
    const answer = await caller.call({ method: 'POST', path: '/api/sessions', body: {} });
    tally.add(`POST: ${describeAnswer(answer)}`);
  };
  const makeMany = async () => {
    const begun = performance.now();
    let made = 0;
    while (!signal.aborted) {
      const due = ((performance.now() - begun) * PER_SECOND * scale) / 1_000;
      for (; made < due; made += 1) {
        const posting: Promise<void> = post()
          .catch((error: Error) => tally.add(`POST: ${error.message}`))
          .finally(() => posts.delete(posting));
        posts.add(posting);
      }
      await delay(TICK_MS);
    }
    await Promise.all(posts);
  };
  const list = loop(LISTS_AT_ONCE, signal, async () => {
    const answer = await caller.call({ method: 'GET', path: '/api/sessions' });
    tally.add(`list: ${describeAnswer(answer)}`);
  });
  try {
    await Promise.all([makeMany(), list]);
    await removeAll(caller, target);
  } finally {
    caller.close();
  }
};

/** Removes the tenant's sessions, within its rate limits. */
async function removeAll(caller: RestCaller, { tally }: Target): Promise<void> {
  for (;;) {
    const { status, body } = await caller.call({ method: 'GET', path: '/api/sessions?limit=100' });
    if (status !== 200) {
      await delay(RETRY_MS);
      continue;
    }
    const waiting = sessionPageSchema.parse(JSON.parse(body)).items.values();
    const removeSome = async () => {
      let removed = 0;
      for (const { id } of waiting) {
        const answer = await caller.call({ method: 'DELETE', path: `/api/sessions/${id}` });
        if (answer.status === 429) await delay(RETRY_MS);
        else removed += 1;
      }
      return removed;
    };
    const removed = await Promise.all(Array.from({ length: DELETES_AT_ONCE }, removeSome));
    const sum = removed.reduce((total, each) => total + each, 0);
    if (sum === 0 && JSON.parse(body).items.length === 0) return;
    tally.add('removed afterwards', sum);
  }
}
