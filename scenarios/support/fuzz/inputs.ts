import type { SeededRandom } from '../seeded-random.js';
import { damaged, hostileText, randomBytesOf } from './hostile-values.js';
import { type Attacker, httpRequest, type Operation, restRequest } from './openapi-inputs.js';
import { pollInput, socketInput, type Vocabulary } from './socket-inputs.js';

export interface Language {
  readonly operations: readonly Operation[];
  readonly words: Vocabulary;
  readonly attacker: Attacker;
}

const FILES = [
  '/docs',
  '/docs/json',
  '/docs/static/',
  '/docs/static/index.css',
  '/healthz',
  '/readyz',
  '/metrics',
  '/',
];

/** Bytes for a connection: requests of the contract, requests that break it, streams, WebSockets, and noise. */
export function hostileInput(random: SeededRandom, { operations, words, attacker }: Language): Buffer {
  const kind = random.below(20);
  if (kind < 7) return restRequest(random, random.oneOf(operations), attacker);
  if (kind < 10) return damaged(random, restRequest(random, random.oneOf(operations), attacker));
  if (kind < 14) return socketInput(random, words, attacker);
  if (kind === 14) return pollInput(random, words, attacker);
  if (kind === 15) return damaged(random, socketInput(random, words, attacker));
  if (kind === 16) return streamRequest(random, words, attacker);
  if (kind === 17) return damaged(random, streamRequest(random, words, attacker));
  if (kind === 18) {
    const file = `${random.oneOf(FILES)}${random.below(2) === 0 ? encodeURI(hostileText(random).replaceAll(/\p{Surrogate}/gu, '?')) : ''}`;
    const request = httpRequest(random, attacker, { method: 'GET', target: file });
    // Requests one behind the other, for which nobody waits.
    return Buffer.concat(Array.from({ length: 1 + random.below(5) }, () => request));
  }
  return randomBytesOf(random, random.below(2_000));
}

function streamRequest(random: SeededRandom, { messages }: Vocabulary, attacker: Attacker): Buffer {
  const events = random.below(3) === 0 ? hostileText(random) : random.oneOf(['*', ...messages]);
  const sessions = random.below(2) === 0 ? '' : `&sessions=${random.oneOf(attacker.sessionIds)}`;
  return httpRequest(random, attacker, {
    method: 'GET',
    target: `/api/events?events=${encodeURIComponent(events.replaceAll(/\p{Surrogate}/gu, '?'))}${sessions}`,
    headers: random.below(2) === 0 ? [] : ['Last-Event-ID: 1-1'],
  });
}
