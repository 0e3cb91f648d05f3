import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { SeededRandom } from '../seeded-random.js';
import { damaged, hostileJson, hostileText, randomBytesOf } from './hostile-values.js';
import { type Attacker, httpRequest } from './openapi-inputs.js';

const documentSchema = z.object({
  channels: z.record(
    z.string(),
    z.object({ address: z.string(), messages: z.record(z.string(), z.unknown()) }),
  ),
});

/** The namespaces and messages of the AsyncAPI document. */
export interface Vocabulary {
  readonly namespaces: readonly string[];
  readonly messages: readonly string[];
}

export function readVocabulary(file: string): Vocabulary {
  const channels = Object.values(documentSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).channels);
  return {
    namespaces: ['/', ...channels.map(({ address }) => address)],
    messages: channels.flatMap(({ messages }) => Object.keys(messages)),
  };
}

const SIDS = ['', 'unknown', 'edge_000000000000.AAAAAAAAAAAAAAAAAAAA', '__proto__', '%00', 'x'.repeat(500)];

/** A WebSocket handshake, and frames right behind it. */
export function socketInput(random: SeededRandom, words: Vocabulary, attacker: Attacker): Buffer {
  const sid = random.below(5) === 0 ? `&sid=${random.oneOf(SIDS)}` : '';
  const path =
    random.below(8) === 0
      ? encodeURI(`/${hostileText(random).replaceAll(/\p{Surrogate}/gu, '?')}`)
      : '/socket.io/';
  const upgrade = httpRequest(random, attacker, {
    method: 'GET',
    target: `${path}?EIO=${random.below(10) === 0 ? 3 : 4}&transport=${random.below(10) === 0 ? 'polling' : 'websocket'}${sid}`,
    headers: [
      'Connection: Upgrade',
      `Upgrade: ${random.below(12) === 0 ? 'h2c' : 'websocket'}`,
      `Sec-WebSocket-Version: ${random.below(12) === 0 ? 7 : 13}`,
      `Sec-WebSocket-Key: ${random.below(12) === 0 ? 'short' : randomBytesOf(random, 16).toString('base64')}`,
    ],
  });
  const packets = Array.from({ length: random.below(8) }, () => packet(random, words, attacker));
  if (random.below(3) > 0) packets.unshift(join(random, words, attacker));
  return Buffer.concat([upgrade, ...packets.map((each) => frame(random, each))]);
}

/** A request of a long-polling client. */
export function pollInput(random: SeededRandom, words: Vocabulary, attacker: Attacker): Buffer {
  const isPost = random.below(2) === 0;
  const packets = Array.from({ length: 1 + random.below(4) }, () => packet(random, words, attacker));
  return httpRequest(random, attacker, {
    method: isPost ? 'POST' : 'GET',
    target: `/socket.io/?EIO=4&transport=polling${random.below(2) === 0 ? '' : `&sid=${random.oneOf(SIDS)}`}`,
    ...(isPost ? { body: packets.join('\u001e') } : {}),
  });
}

function join(random: SeededRandom, { namespaces }: Vocabulary, { credentials }: Attacker): string {
  const namespace = random.below(4) === 0 ? hostileText(random) : random.oneOf(namespaces);
  const auth = random.below(3) === 0 ? hostileJson(random) : { token: random.oneOf(credentials) };
  return `40${namespace === '/' ? '' : `${namespace},`}${JSON.stringify(auth)}`;
}

function packet(random: SeededRandom, words: Vocabulary, attacker: Attacker): string {
  if (random.below(6) === 0) return join(random, words, attacker);
  if (random.below(8) === 0) return `${random.below(10)}${hostileText(random)}`;
  const namespace = random.oneOf(words.namespaces);
  const name = random.below(4) === 0 ? hostileText(random) : random.oneOf(words.messages);
  const events = random.below(2) === 0 ? [random.oneOf(words.messages), '*'] : hostileJson(random);
  const options =
    random.below(2) === 0
      ? { sessions: [random.oneOf(attacker.sessionIds)], since: hostileText(random) }
      : hostileJson(random);
  const type = random.oneOf(['2', '2', '2', '3', '5', '6']);
  const id = random.below(2) === 0 ? String(random.below(100)) : '';
  return `4${type}${namespace === '/' ? '' : `${namespace},`}${id}${JSON.stringify([name, events, options])}`;
}

function frame(random: SeededRandom, text: string): Buffer {
  const body = Buffer.from(text).subarray(0, 60_000);
  const opcode = random.below(10) === 0 ? random.below(16) : 1;
  const isMasked = random.below(20) > 0;
  const start = [(random.below(15) === 0 ? 0 : 0x80) | opcode];
  const mask = isMasked ? 0x80 : 0;
  if (body.length < 126) start.push(mask | body.length);
  else start.push(mask | 126, body.length >> 8, body.length & 255);
  const made = Buffer.concat([Buffer.from(start), Buffer.alloc(isMasked ? 4 : 0), body]);
  return random.below(10) === 0 ? damaged(random, made) : made;
}
