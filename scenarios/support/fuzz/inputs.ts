import { SeededRandom } from '../seeded-random.js';
import { ENDINGS, type Exchange } from './exchange.js';
import { damaged, hostileText, randomBytesOf } from './hostile-values.js';
import { type Attacker, httpRequest, type Operation, restRequest } from './openapi-inputs.js';
import { pollInput, socketInput, type Vocabulary } from './socket-inputs.js';

export interface Language {
  readonly operations: readonly Operation[];
  readonly words: Vocabulary;
  readonly attacker: Attacker;
}

export type Kind =
  | 'REST'
  | 'damaged REST'
  | 'Socket.IO'
  | 'damaged Socket.IO'
  | 'long polling'
  | 'SSE'
  | 'damaged SSE'
  | 'pipelined files'
  | 'raw bytes';

/** The bytes that are sent over one connection, and how the client leaves. */
export interface HostileInput extends Exchange {
  readonly kind: Kind;
  readonly number: number;
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
/** Makes the random numbers of neighbouring inputs differ. */
const STRIDE = 7_919;

/** Makes input `number` of a seed. It depends only on these two, the documents and the ports. */
export function inputOf(
  { seed, number }: { seed: number; number: number },
  language: Language,
  ports: readonly number[],
): HostileInput {
  const random = new SeededRandom(seed + number * STRIDE);
  const { kind, bytes } = contentOf(random, language);
  return {
    ...{ number, kind, bytes, port: random.oneOf(ports), ending: random.oneOf(ENDINGS) },
    ...{ cutAt: random.below(3) === 0 ? random.below(bytes.length + 1) : bytes.length },
    pauseMs: random.below(40),
  };
}

/** Bytes for a connection: requests of the contract, requests that break it, streams, WebSockets, and noise. */
function contentOf(random: SeededRandom, language: Language): { kind: Kind; bytes: Buffer } {
  const { operations, words, attacker } = language;
  const kind = random.below(20);
  const rest = () => restRequest(random, random.oneOf(operations), attacker);
  if (kind < 7) return { kind: 'REST', bytes: rest() };
  if (kind < 10) return { kind: 'damaged REST', bytes: damaged(random, rest()) };
  if (kind < 14) return { kind: 'Socket.IO', bytes: socketInput(random, words, attacker) };
  if (kind === 14) return { kind: 'long polling', bytes: pollInput(random, words, attacker) };
  if (kind === 15) {
    return { kind: 'damaged Socket.IO', bytes: damaged(random, socketInput(random, words, attacker)) };
  }
  if (kind === 16) return { kind: 'SSE', bytes: streamRequest(random, words, attacker) };
  if (kind === 17) {
    return { kind: 'damaged SSE', bytes: damaged(random, streamRequest(random, words, attacker)) };
  }
  if (kind === 18) return { kind: 'pipelined files', bytes: pipelinedRequests(random, attacker) };
  return { kind: 'raw bytes', bytes: randomBytesOf(random, random.below(2_000)) };
}

/** Pipelined requests: the client does not wait for the answers. */
function pipelinedRequests(random: SeededRandom, attacker: Attacker): Buffer {
  const suffix = random.below(2) === 0 ? encodeURI(withoutSurrogates(hostileText(random))) : '';
  const target = `${random.oneOf(FILES)}${suffix}`;
  const request = httpRequest(random, attacker, { method: 'GET', target });
  return Buffer.concat(Array.from({ length: 1 + random.below(5) }, () => request));
}

function streamRequest(random: SeededRandom, { messages }: Vocabulary, attacker: Attacker): Buffer {
  const events = random.below(3) === 0 ? hostileText(random) : random.oneOf(['*', ...messages]);
  const sessions = random.below(2) === 0 ? '' : `&sessions=${random.oneOf(attacker.sessionIds)}`;
  return httpRequest(random, attacker, {
    method: 'GET',
    target: `/api/events?events=${encodeURIComponent(withoutSurrogates(events))}${sessions}`,
    headers: random.below(2) === 0 ? [] : ['Last-Event-ID: 1-1'],
  });
}

/** URI encoding throws for half a surrogate pair. */
function withoutSurrogates(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '?');
}
